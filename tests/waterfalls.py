"""Made-up measurements of a waterfall."""

RATES = {
    "product-one": 500.0,  # GFLOP/s
    "product-all": 900.0,
    "alone-one": 400.0,  # features/s
    "alone-all": 684.0,
    "single": 513.0,
    "texts": 615.6,
}


def turns(rates, rounds=8, disturbed=()):
    """Samples as `turns.interleave` gives them."""
    found = []
    for number in range(1, rounds + 1):
        for name, rate in rates.items():
            product = name.startswith("product")
            verdict = "disturbed" if (number, name) in disturbed else "valid"
            sample = {"contender": name, "round": number, "validity": {"verdict": verdict}}
            sample |= {"seconds": 2.0, "features": 0 if product else 2 * rate}
            found.append(sample | ({"gflops": rate} if product else {}))
    return found


def measured(rates=RATES, **options):
    return {
        "threads": 2,
        "questions": 90,
        "features": 100,
        "flops_per_feature": 1e9,
        "padded_flops_per_feature": 2.5e9,
        "max_seq_length": 384,
        "turns": turns(rates, **options),
    }
