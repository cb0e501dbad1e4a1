"""The page and the figure of the benchmark beside other software."""

from bertsquad.peers import figure
from bertsquad.peers.page import page
from bertsquad.reporting import style
from fake_bench import contender, work


def measured() -> list[dict]:
    contenders = {
        "real": contender(
            title="bertsquad torch", ours=True, gflop_per_feature=5.0, program="ours"
        ),
        "it": contender(form="padded", precision="bf16"),
        "gone": contender(title="TensorFlow", form="padded", left_out="it failed"),
        "top": contender(form="ceiling"),
    }
    rates = {"real": [20.0, 21.0, *[22.0] * 5, 24.0], "it": [10.0] * 8}
    return [work(contenders, rates, ceilings=[200.0, 180.0, 190.0])]


def test_a_table_tells_rates_ratios_and_shares_with_their_spread():
    text = page(measured(), "benchmarks.svg")
    assert "## Inference, FP32\n\nCeiling 200 GFLOP/s." in text
    assert (
        "| **bertsquad torch, real lengths** | one sequence a request | 22.0 (20.0 to 24.0) | 55% "
        "|  |" in text
    )
    assert (
        "| OpenVINO, BF16, padded to 384 | one sequence a request | 10.0 (10.0 to 10.0) |  "
        "| 2.20 (2.05 to 2.30) faster |" in text
    )


def test_what_was_left_out_stands_below_with_the_reason():
    assert "Not measured: TensorFlow, padded to 384: it failed." in page(measured(), "b.svg")


def test_it_says_on_what_and_with_what_it_was_measured():
    text = page(measured(), "benchmarks.svg")
    assert "Measured on AMD EPYC, 2 threads, 23.4 GiB of memory, 2026-11-25." in text
    assert "Versions: openvino 2026.4.1." in text
    assert "(benchmarks.svg)" in text


def test_a_goal_is_met_or_missed():
    contenders = {
        "ours": contender(ours=True, form="texts"),
        "it": contender(title="tokenizers", form="texts"),
    }

    def told(ours: list[float]) -> str:
        measured = work(contenders, {"ours": ours, "it": [10.0] * len(ours)}, name="data")
        return page([measured], "b.svg")

    assert "| 6.00 (6.00 to 6.00) faster | 5x: met |" in told([60.0] * 8)
    assert "| 4.00 (4.00 to 4.00) faster | 5x: missed |" in told([40.0] * 8)
    assert "faster | 5x: cannot tell |" in told([30.0, 70.0] * 4)


def test_rounds_too_few_for_a_verdict_tell_nothing():
    contenders = {
        "ours": contender(ours=True, form="texts"),
        "it": contender(title="tokenizers", form="texts"),
    }
    text = page([work(contenders, {"ours": [60.0] * 6, "it": [10.0] * 6}, name="data")], "b.svg")
    assert "| 6.00 cannot tell, about 7 rounds would | 5x: cannot tell |" in text


def test_what_cannot_be_told_says_how_many_rounds_would():
    contenders = {"ours": contender(ours=True), "it": contender()}
    text = page([work(contenders, {"ours": [9.0, 12.0] * 4, "it": [10.0] * 8})], "b.svg")
    assert "cannot tell, about" in text
    assert "rounds would |" in text


def test_int8_without_vnni_is_told_apart():
    contenders = {"ours": contender(ours=True, precision="int8"), "it": contender(precision="int8")}
    with_vnni = work(contenders, {"ours": [60.0], "it": [10.0]}, name="inference-int8")
    note = "This processor has no VNNI: INT8 products are made of several instructions."
    assert note not in page([with_vnni], "b.svg")
    assert note in page([{**with_vnni, "vnni": False}], "b.svg")


def test_linearity_is_stated():
    contenders = {"two": contender(layers=2), "four": contender()}
    linear = work(contenders, {"two": [10.0], "four": [5.0]}, name="linearity-fp32")
    assert "layers 3 and 4 add" in page([*measured(), linear], "b.svg")
    assert "1.00 (OpenVINO)" in page([*measured(), linear], "b.svg")


def test_peak_memory_has_a_table_of_its_own_and_goals_for_ours():
    ours = {"title": "bertsquad torch", "ours": True, "weights_mib": 1000.0, "how": "packed"}
    contenders = {
        "fp32": contender(**ours),
        "int8": contender(**ours, precision="int8"),
        "training": contender(**ours, variant="training"),
        "peer": contender(weights_mib=1000.0),
    }
    memory = work(contenders, {}, name="memory-fp32")
    text = page([*measured(), memory], "b.svg")
    assert "| bertsquad torch, FP32, inference | packed | 1,000 MiB | 1,200 MiB: met |" in text
    assert "| bertsquad torch, INT8, inference | packed | 1,000 MiB | 450 MiB: missed |" in text
    assert "| bertsquad torch, FP32, fine-tuning | packed | 1,000 MiB |  |" in text
    assert "| OpenVINO, FP32, inference | one sequence a request | 1,000 MiB |  |" in text


def test_sides_without_a_peak_are_named_once_by_reason():
    emulated = {"left_out": "no BF16 here", "ours": True, "precision": "bf16"}
    contenders = {
        "plain": contender(**emulated, variant="training"),
        "sparing": contender(**emulated, variant="training-sparing"),
        "inference": contender(**emulated),
    }
    text = page([*measured(), work(contenders, {}, name="memory-fp32")], "b.svg")
    names = "OpenVINO, BF16, fine-tuning, OpenVINO, BF16, inference"
    assert f"Not measured: {names}: no BF16 here." in text


def test_the_figure_has_a_mark_for_each_peer(tmp_path):
    with style.styled():
        style.save(figure.draw(measured()), tmp_path / "b.svg", figure.TITLE)
    text = (tmp_path / "b.svg").read_text()
    assert "OpenVINO, bf16, padded" in text
    assert "2.20" in text


def test_the_figure_says_so_where_nothing_was_measured():
    alone = work({"ours": contender(ours=True)}, {"ours": [1.0]})
    assert figure.draw([alone]).texts[0].get_text().startswith("Nothing was measured")
