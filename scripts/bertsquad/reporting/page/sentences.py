"""The report's sentences, made from its findings; the templates only place them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bertsquad.benchmark.modes import MODES
from bertsquad.benchmark.validity import CODES, makes_worse, separate
from bertsquad.reporting.formats import score, short, whole
from bertsquad.reporting.page.findings import Findings, Speedup
from bertsquad.reporting.page.reasons import named
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import EMULATED, FAILED, LeftOut, grouped, percent


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number at the top of the page."""

    label: str
    value: str
    unit: str
    note: str


def lede(found: Findings, machine_name: str, config: Mapping[str, Any]) -> Markup:
    """The opening paragraph: which machine, what was trained, how well and how fast it answers."""
    parts = [Markup("On {},").format(machine_name), _made_from(found, config)]
    if found.best:
        best = found.best
        scored_runs = len({row["run"] for row in found.accuracy})
        run = f"The best run, {best['run']}," if scored_runs > 1 else f"Run {best['run']}"
        questions = f"{whole(best['questions'])} questions" if best["questions"] else ""
        parts.append(
            Markup(
                "{} gives the exact answer to <b>{}&nbsp;%</b> of {} and reaches an "
                "<b>F1 of {}&nbsp;%</b> ({})."
            ).format(
                *(run, score(best["exact_match"] or 0), questions or "the questions"),
                *(score(best["f1"] or 0), _model(best)),
            )
        )
    if found.served:
        text = "It answers <b>{} questions per second</b>, texts in, answers out, with {}{}."
        rate, model = short(found.served["questions_per_second"] or 0), _model(found.served)
        parts.append(Markup(text).format(rate, model, _around_the_model(found.served)))
    elif found.fastest:
        text = "At its fastest the model answers <b>{} features per second</b> ({})."
        rate = short(found.fastest["features_per_second"] or 0)
        parts.append(Markup(text).format(rate, _where(found.fastest)))
    return Markup("\n").join(parts)


def tiles(found: Findings) -> list[Tile]:
    """The numbers at the top of the page."""
    return [*_score_tiles(found), *_rate_tiles(found), *_ratio_tiles(found)]


def remarks(found: Findings, other_cpu: str) -> list[Markup]:
    """What else a reader must know, one sentence or two each.

    `other_cpu`: the processor of the cells where it is not the machine's. What was disturbed, and
    what the machine warns of, is in trust.py.
    """
    return [
        *_score_remarks(found),
        *_negative_remarks(found),
        *_doubt_remarks(found),
        *_speed_remarks(found),
        *map(_left_out, found.left_out),
        *_noted_remarks(found),
        *_missing_remarks(found),
        *_machine_remarks(found, other_cpu),
        *([] if found.accuracy else [Markup("No predictions were scored.")]),
        *([] if found.cells else [Markup(_NOT_TIMED)]),
    ]


_NOT_TIMED = "No inference benchmark was run, so there are no times in this report."


def scenarios(cells: Sequence[Row], found: Findings) -> Markup:
    """What each scenario of the cells does, and when they were measured."""
    one_each = {row["scenario"]: row for row in cells}.values()
    parts = [
        Markup("Scenario <b>{}</b> {}.").format(row["scenario"], _what_is_done(row))
        for row in one_each
    ]
    if found.measured:
        first, last = found.measured
        when = f"on {first}" if first == last else f"from {first} to {last}"
        parts.append(Markup("Measured {}.").format(when))
    return Markup(" ").join(parts)


def footer(found: Findings) -> str:
    """What the page was made from."""
    trained = sum(bool(row["train_steps"]) for row in found.runs)
    return (
        f"Made by bertsquad from {_count(found.cells, 'benchmark cell')}, "
        f"{_count(len(found.accuracy), 'scored model')} and {_count(trained, 'training log')}."
    )


def confidence(found: Findings) -> str:
    """`95 % `, the probability that the intervals stand for; "" where it is unknown."""
    share = found.best and found.best["confidence"]
    return f"{100 * share:g}\u00a0% " if share else ""


def phrase(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _made_from(found: Findings, config: Mapping[str, Any]) -> Markup:
    """Which checkpoints were trained, or used as they came, on which datasets."""
    trained = [row for row in found.runs if row["train_steps"]]
    rows = trained or found.runs
    checkpoints = _named(row["checkpoint"] for row in rows)
    checkpoints = checkpoints or [config.get("checkpoint") or "the model"]
    datasets = _named(row["dataset"] for row in rows)
    datasets = datasets or [config.get("dataset") or "the questions"]
    of, on = (_several(*pair) for pair in (("checkpoint", checkpoints), ("dataset", datasets)))
    if trained:
        runs = [row["run"] for row in trained]
        who = f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs ({phrase(runs)})"
        return Markup("{} fine-tuned the {} on the {}.").format(who, of, on)
    verb = "were" if len(checkpoints) > 1 else "was"
    return Markup("the {} {} used without fine-tuning, on the {}.").format(of, verb, on)


def _score_tiles(found: Findings) -> Iterator[Tile]:
    if best := found.best:
        f1 = _interval(best["f1_low"], best["f1_high"])
        exact = _interval(best["exact_match_low"], best["exact_match_high"])
        of = "on other questions on these articles"
        note = f"{confidence(found)}interval {f1} {of}; " if f1 else ""
        if articles := _interval(best["f1_low_articles"], best["f1_high_articles"]):
            note += f"{articles} on other articles; "
        note += f"exact match {score(best['exact_match'] or 0)}\u00a0%" + (
            f" ({exact})" if exact else ""
        )
        note += f"; {best['run']}, {_model(best)}"
        yield Tile("Best F1", score(best["f1"] or 0), "%", note)


def _rate_tiles(found: Findings) -> Iterator[Tile]:
    if served := found.served:
        note = f"texts in, answers out; {_where(served)}{_around_the_model(served)}"
        yield Tile("Questions answered", short(served["questions_per_second"] or 0), "/s", note)
    elif fastest := found.fastest:
        note = f"features per second; {_where(fastest)}"
        yield Tile("Best throughput", short(fastest["features_per_second"] or 0), "/s", note)
    if quickest := found.quickest:
        note = f"median of one batch{_tail(quickest)}"
        note += f"; {_where(quickest)}"
        yield Tile("Best latency", short(quickest["latency_p50_ms"] or 0), "ms", note)


def _tail(cell: Row) -> str:
    """p99 of a cell's batches, or of too few the slowest."""
    if cell["latency_p99_ms"] is not None:
        return f", p99 {short(cell['latency_p99_ms'])} ms"
    if cell["latency_max_ms"] is not None and cell["iterations"] is not None:
        return f", slowest of {whole(cell['iterations'])} {short(cell['latency_max_ms'])} ms"
    return ""


def _ratio_tiles(found: Findings) -> Iterator[Tile]:
    for speedup in found.speedups[:1]:
        label = f"{speedup.faster} over {speedup.slower}"
        note = f"features per second; {_span(speedup)}"
        yield Tile(label, short(speedup.median), "×", note)
    if found.unpadded:
        note = f"features per second, real lengths over padded; {_span(found.unpadded)}"
        yield Tile("Without padding", short(found.unpadded.median), "×", note)


def _score_remarks(found: Findings) -> Iterator[Markup]:
    if found.untrained_best:
        yield Markup(
            "Without fine-tuning here (run {}) the same questions get an F1 of {}&nbsp;%."
        ).format(found.untrained_best["run"], score(found.untrained_best["f1"] or 0))
    if found.precision_effect is not None:
        yield Markup(
            "Engine and precision of the inference change the F1 of a run by at most {:.2f} points."
        ).format(found.precision_effect)


def _negative_remarks(found: Findings) -> Iterator[Markup]:
    """What questions without an answer change, and questions of which no answer is known."""
    best = found.best
    if best and best["no_answer_f1"] is not None:
        text = "Of the unanswerable questions <b>{:.1f}&nbsp;%</b> get no answer from {}"
        text = Markup(text).format(best["no_answer_f1"], best["run"])
        if best["has_answer_f1"] is not None:
            more = Markup("; on the answerable ones its F1 is <b>{:.1f}&nbsp;%</b>")
            text += more.format(best["has_answer_f1"])
        if best["best_f1"] is not None:
            more = Markup(
                ". Of the thresholds up to the predictions’ own, which leave no fewer questions "
                "unanswered, {:.3f} is the best: it gives all of them an F1 of {:.1f}&nbsp;%"
            )
            text += more.format(best["best_f1_threshold"], best["best_f1"])
        yield text + "."
    unscored = [r["run"] for r in found.runs if r["f1"] is None and r["questions"] is not None]
    if unscored:
        yield Markup(
            "Not scored: the questions of {} {} have no answers in their file, so their answers "
            "are predicted and nothing says how good they are."
        ).format("runs" if len(unscored) > 1 else "run", phrase(unscored))


def _doubt_remarks(found: Findings) -> Iterator[Markup]:
    """What the questions are too few to tell of the limit of F1."""
    doubtful = [row for row in found.accuracy if row["gate"] == "cannot tell"]
    for model, rows in grouped(doubtful).items():
        limit = percent(max(row["minimum_f1_share"] or 0 for row in rows), digits=None)
        shares = phrase([f"{percent(row['f1_share'] or 0)} in run {row['run']}" for row in rows])
        yield Markup(
            "<strong>Cannot tell whether {} keeps {} of FP32’s F1:</strong> {}, and the interval "
            "of the difference holds the limit. It counts; more questions would tell."
        ).format(" ".join(model), limit, shares)


def _speed_remarks(found: Findings) -> Iterator[Markup]:
    text = Markup("{} answers {} times as many features per second as {}{} ({}).")
    same = " in the same precision"
    for among, condition in ((found.speedups[1:], ""), (found.engine_speedups, same)):
        for each in among:
            yield text.format(each.faster, short(each.median), each.slower, condition, _span(each))
    if found.served and found.fastest:
        yield Markup("The engine alone answers up to {} features per second ({}).").format(
            short(found.fastest["features_per_second"] or 0), _where(found.fastest)
        )


def _left_out(each: LeftOut) -> Markup:
    """Why an engine and precision counts for nothing."""
    text = {
        FAILED: "<strong>{} failed:</strong> it {}. Such times are shown in grey and count for "
        "nothing above.",
        EMULATED: "<strong>{} is emulated here:</strong> {}, so its times say nothing about "
        "processors that have them and count for nothing above.",
    }.get(each.kind, "<strong>{} was not timed:</strong> {}.")
    return Markup(text).format(f"{each.engine} {each.precision}", each.reason)


def disturbances(found: Findings) -> str:
    """How many cells were disturbed, by what, and what to do, in plain text; "" for none."""
    if not found.disturbed:
        return ""
    causes, todo = _causes(filter(makes_worse, _reasons(found.disturbed)))
    twice = sum((row["tries"] or 1) > 1 for row in found.disturbed)
    again = f"{twice} of them were measured twice; " if twice else ""
    return (
        f"{whole(len(found.disturbed))} of {_count(found.cells, 'cell')} disturbed ({causes}); "
        f"{again}their times are hatched and count for nothing: {todo}, by "
        "`snakemake --forcerun benchmark_inference`"
    )


def remarks_on_valid(found: Findings) -> str:
    """What cells that count cannot tell, in plain text; "" for none."""
    if not found.noted:
        return ""
    causes, todo = _causes(_reasons(found.noted))
    few = f"{whole(len(found.noted))} of {_count(found.cells, 'cell')}"
    return f"{few} cannot tell everything ({causes}): {todo}"


def _reasons(cells: Sequence[Row]) -> Iterator[str]:
    for row in cells:
        yield from separate(row["validity_reasons"])


def _causes(reasons: Iterable[str]) -> tuple[str, str]:
    """How often each cause occurs among the reasons, in words, and what to do."""
    times = Counter(reason.split()[0] for reason in reasons)
    causes = ", ".join(f"{named(code)} {count}\u00a0×" for code, count in times.most_common())
    todo = dict.fromkeys(CODES[code].do for code in times if code in CODES)
    return causes, ", ".join(todo)


def _noted_remarks(found: Findings) -> Iterator[Markup]:
    if text := remarks_on_valid(found):
        yield Markup("{}.").format(text)


def _missing_remarks(found: Findings) -> Iterator[Markup]:
    if found.cells and not found.fastest:
        yield Markup("Nothing that was timed here counts as a result.")
    if found.best and all(row["precision"] != "fp32" for row in found.accuracy):
        yield Markup(
            "No engine runs FP32, so nothing here says what the other precisions cost in F1."
        )


def _machine_remarks(found: Findings, other_cpu: str) -> Iterator[Markup]:
    if len(found.cpus) > 1:
        yield Markup(
            "<strong>The cells were measured on different processors</strong> ({}): compare times "
            "only within one."
        ).format(phrase(found.cpus))
    elif other_cpu:
        yield Markup(
            "<strong>The cells were measured on {}</strong>, another processor than the one named "
            "above."
        ).format(other_cpu)


def _what_is_done(cell: Row) -> str:
    """What the scenario of a cell does."""
    mode = MODES[cell["mode"]]
    if cell["padding"] == "none":
        return mode.does
    return mode.does_padded.format(length=cell["max_seq_length"] or "the maximum number of")


def _around_the_model(served: Row) -> str:
    """What tokenising and decoding add to the model's time. Below 0 it is noise: the two are
    measured one after the other."""
    share = served["overhead_share"]
    if share is None:
        return ""
    cost = f"{100 * share:.1f}\u00a0% on top of the model" if share > 0 else "no time that shows"
    return f"; tokenising and decoding cost {cost}"


def _model(row: Row) -> str:
    return f"{row['engine']} {row['precision']}"


def _where(cell: Row) -> str:
    """Model, scenario, batch size, threads and kind of machine of a cell."""
    batch = "" if cell["batch_size"] is None else f"batch {cell['batch_size']}, "
    on = f", on {cell['machine']}" if cell["machine"] else ""
    return f"{_model(cell)}, {cell['scenario']}, {batch}{_count(cell['threads'], 'thread')}{on}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.1f} to {high:.1f}"


def _span(speedup: Speedup) -> str:
    """Over which pairs of cells a speedup was seen, and how it varies."""
    if speedup.pairs == 1:
        return "one pair of cells"
    if short(speedup.low) == short(speedup.high):
        return f"the same in all {whole(speedup.pairs)} pairs of cells"
    return (
        f"{short(speedup.low)} to {short(speedup.high)} over {whole(speedup.pairs)} pairs of cells"
    )


def _count(number: int | None, noun: str) -> str:
    """`1 thread`, `2 threads`."""
    return f"{whole(number or 0)} {noun}{'' if number == 1 else 's'}"


def _several(noun: str, names: Sequence[str]) -> str:
    """`dataset a`, `datasets a and b`."""
    return f"{noun}{'s' if len(names) > 1 else ''} {phrase(names)}"


def _named(names: Iterator[str]) -> list[str]:
    """The distinct names that are not "", in order."""
    return list(dict.fromkeys(name for name in names if name))
