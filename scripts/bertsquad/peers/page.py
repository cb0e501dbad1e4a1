"""docs/results/benchmarks.md: what was measured beside whom, on what, and how to read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bertsquad.benchmark.verdicts import LEVEL, LOOKS, Verdict
from bertsquad.peers.goals import RATIOS, SHARES, memory_goal_mib
from bertsquad.peers.rows import Row, Spread, ceiling, disturbance, linearity, rows
from bertsquad.reporting.formats import mebibytes, short

_TITLES = {
    "data": "SQuAD's training set to features",
    "inference": "Inference",
    "answers": "Texts in, answers out",
    "single": "One request at a time",
    "training": "Fine-tuning",
}
_FORMS = {
    "real": "real lengths",
    "padded": "padded to 384",
    "single": "one request",
    "texts": "texts to features",
    "answers": "texts to answers",
}
_RATES = ("features/s", "of the ceiling", "ours / it", "ours at real lengths / it")
_TRAINING_FORMS = {"real": "real lengths", "padded": "all sequences 384"}

_READING = """\
How to read it:

- All contenders of a table are processes with the same random weights of BERT-Large's shape and the
  same features of real SQuAD questions. They take turns, one at a time, in an order drawn anew in
  each round; the others are stopped by a signal. A turn takes 2 s or more. A rate is the median of
  the rounds, with the least and the greatest.
- **ours / it** is the ratio of rates within a round, in the same form: above 1 we are faster.
  **ours at real lengths / it** compares with what a contender does padded, as the guide does
  it. "Ours" is our fastest contender of that form, set bold.
- The interval of a ratio holds the true one with probability {level:.1%}, by an exact test of
  signed ranks. It makes the verdict: *faster*, *slower*, *same* (within 1 %), or *cannot tell*,
  with the number of rounds that would tell. The rounds are looked at after {looks}; who is told
  apart by then takes no further turn. At most {rounds} rounds were made.
- A round in which something else disturbed a turn counts for no ratio.
- A contender is one process for all its rounds, and processes of one program differ for as long as
  they live (by up to 3 % on 2 cores of Zen 4): a verdict nearer to 1 may be of the processes.
- **of the ceiling**: what the contender computed, padding included, over the best that matrix
  products of BERT-Large's shapes reached in the same rounds.
- Inference goes from token ids to logits. A fine-tuning step is forward, backward with all
  gradients, clipping and Adam, without dropout on any contender.
- {layers}
- A contender whose logits (in training: loss and norm of the gradient) differ from ours by more
  than its precision explains is left out, and so is a precision that the processor would emulate.
"""


def page(works: Sequence[Mapping[str, Any]], figure: str) -> str:
    """The page as Markdown; `figure` is the file name of the drawing beside it."""
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for work in works:
        by_task.setdefault(work["task"], []).append(work)
    parts = ["# Beside other software", machine(works), f"![{_FIGURE_TEXT}]({figure})"]
    for task, title in _TITLES.items():
        for work in by_task.get(task, []):
            parts += [_heading(title, work), table(work)]
    for work in by_task.get("memory", []):
        parts += ["## Peak memory, BERT-Large with all 24 layers", _memory_table(work)]
    parts += [
        _READING.format(
            rounds=" or ".join(map(str, sorted({w["settings"]["rounds"] for w in works}))),
            level=LEVEL,
            looks=", ".join(map(str, LOOKS)),
            layers=_layers_text(by_task.get("linearity", []), works),
        ),
        "Made by `make bench`. Versions: " + versions(works) + ".",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_FIGURE_TEXT = "How many times as fast as each peer, with intervals"


def _heading(title: str, work: Mapping[str, Any]) -> str:
    """Title and precision, and what else was going on."""
    precision = "" if work["task"] == "data" else f", {work['precision'].upper()}"
    lines = [f"## {title}{precision}"]
    notes = []
    if (top := ceiling(work)) is not None:
        notes.append(f"Ceiling {short(top)} GFLOP/s.")
    if work["precision"] == "int8" and not work["vnni"]:
        notes.append("This processor has no VNNI: INT8 products are made of several instructions.")
    if (others := disturbance(work)) is not None:
        notes.append(
            f"Measured {work['started_at'][:16].replace('T', ' ')} UTC; meanwhile other programs "
            f"kept {short(others.median)} processors busy (up to {short(others.greatest)})."
        )
    return "\n\n".join([*lines, *([" ".join(notes)] if notes else [])])


def table(work: Mapping[str, Any]) -> str:
    """One row a contender; those that were left out stand below, with the reason."""
    made = rows(work)
    measured = [row for row in made if row.rate is not None]
    head = ("contender", "how", *_RATES, "goal")
    lines = [line(row, work) for row in measured]
    # A column that has nothing in any row of this work is left out.
    kept = [n for n in range(len(head)) if any(cells[n] for cells in lines)]
    missing: dict[str, list[str]] = {}
    for row in made:
        if row.rate is None:
            missing.setdefault(row.contender.get("left_out", "not measured"), []).append(
                name(row, work)
            )
    body = [_markdown(_pick(head, kept), [_pick(cells, kept) for cells in lines])] if lines else []
    return "\n\n".join([*body, *_not_measured(missing)])


def _not_measured(missing: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each reason, with the contenders that it kept out."""
    return [
        f"Not measured: {', '.join(dict.fromkeys(names))}: {why}." for why, names in missing.items()
    ]


def _pick(cells: Sequence[str], kept: Sequence[int]) -> list[str]:
    return [cells[number] for number in kept]


def line(row: Row, work: Mapping[str, Any]) -> tuple[str, ...]:
    title = name(row, work)
    return (
        f"**{title}**" if row.ours else title,
        row.contender["how"],
        spread(row.rate),
        "" if row.share is None else f"{row.share:.0%}",
        _ratio(row.same_form)
        or ("no verdict, disturbed" if row.disturbed and not row.ours else ""),
        _ratio(row.real_lengths),
        goal(row, work),
    )


def name(row: Row, work: Mapping[str, Any]) -> str:
    contender = row.contender
    forms = _TRAINING_FORMS if work["task"] == "training" else _FORMS
    parts = [contender["title"]]
    if contender["precision"] != work["precision"]:
        parts.append(contender["precision"].upper())
    if work["task"] in ("inference", "training"):
        parts.append(forms[contender["form"]])
    return ", ".join(parts)


def goal(row: Row, work: Mapping[str, Any]) -> str:
    """What was meant to be reached, and whether it was."""
    contender = row.contender
    if row.ours:
        wanted = SHARES.get((work["work"], contender["form"]))
        if wanted is None or row.share is None:
            return ""
        return f"{wanted:.0%} of the ceiling: {'met' if row.share >= wanted else 'missed'}"
    wanted = RATIOS.get(
        (work["work"], contender["title"], contender["form"], contender["precision"])
    )
    reached = row.real_lengths or row.same_form
    if wanted is None or reached is None or contender["ours"]:
        return ""
    return f"{wanted:g}x: {judged(reached, wanted)}"


def judged(reached: Verdict, wanted: float) -> str:
    """Whether the interval lies above what was wanted, below it, or around it."""
    if reached.low >= wanted:
        return "met"
    return "missed" if reached.high < wanted else "cannot tell"


def spread(rate: Spread | None) -> str:
    if rate is None:
        return ""
    return f"{short(rate.median)} ({short(rate.least)} to {short(rate.greatest)})"


def _ratio(value: Verdict | None) -> str:
    """Ratio, interval and verdict; an interval without bounds is not written."""
    if value is None:
        return ""
    interval = f" ({value.low:.2f} to {value.high:.2f})" if math.isfinite(value.high) else ""
    needed = f", about {value.would_need} rounds would" if value.would_need else ""
    return f"{value.ratio:.2f}{interval} {value.word}{needed}"


def _memory_table(work: Mapping[str, Any]) -> str:
    lines: list[tuple[str, ...]] = []
    missing: dict[str, list[str]] = {}
    for contender in work["contenders"].values():
        kind = "fine-tuning" if contender["variant"].startswith("training") else "inference"
        title = f"{contender['title']}, {contender['precision'].upper()}, {kind}"
        if "left_out" in contender:
            missing.setdefault(contender["left_out"], []).append(title)
        else:
            peak = contender["peak_memory_mib"]
            lines.append((title, contender["how"], mebibytes(peak), _memory_goal(contender, kind)))
    body = _markdown(("contender", "how", "peak", "goal"), lines)
    return "\n\n".join([body, *_not_measured(missing)])


def _memory_goal(contender: Mapping[str, Any], kind: str) -> str:
    """The peak that one of our contenders aims to stay under, and whether it did."""
    wanted = memory_goal_mib(kind, contender["precision"], contender["weights_mib"])
    if wanted is None or not contender["ours"]:
        return ""
    return f"{mebibytes(wanted)}: {'met' if contender['peak_memory_mib'] <= wanted else 'missed'}"


def _layers_text(linear: Sequence[Mapping[str, Any]], works: Sequence[Mapping[str, Any]]) -> str:
    """How many layers were run, and that time grows in proportion to them."""
    counts = {
        work["task"]: max(contender["layers"] for contender in work["contenders"].values())
        for work in works
        if work["task"] in ("inference", "training")
    }
    text = "The model has fewer layers than BERT-Large's 24: " + ", ".join(
        f"{count} in {'inference' if task == 'inference' else 'fine-tuning'}"
        for task, count in counts.items()
    )
    found = [
        f"{value:.2f} ({title})" for work in linear for title, value in linearity(work).items()
    ]
    if found:
        text += (
            "; layers 3 and 4 add, of the time of a model with 2 layers, the part "
            f"{', '.join(found)}, where 1 would be exact proportion without embeddings and head"
        )
    return text + "."


def machine(works: Sequence[Mapping[str, Any]]) -> str:
    """The processor, threads and dates of all works."""
    first = works[0]
    dates = sorted({work["started_at"][:10] for work in works})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return (
        f"Measured on {first['settings']['cpu']}, {first['settings']['threads']} threads, "
        f"{mebibytes(first['memory_mib'])} of memory, {when}."
    )


def versions(works: Sequence[Mapping[str, Any]]) -> str:
    found: dict[str, set[str]] = {}
    for work in works:
        for contender in work["contenders"].values():
            for package, version in contender.get("versions", {}).items():
                found.setdefault(package, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found))


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    table = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table)
