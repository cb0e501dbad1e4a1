"""Words that several exports have in common: names of cells, why one does not count, doubts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bertsquad.certificate.schema import DOUBTS, Certificate
from bertsquad.console.errors import shown
from bertsquad.reporting.summary.standing import EMULATED, FAILED, standing
from bertsquad.reporting.summary.summary import Summary, records

_MOST_OF_A_KIND = 3  # doubts that are written out


def model_name(row: Mapping[str, Any]) -> str:
    """Whose cell: `demo torch-fp32`."""
    return f"{row['run']} {row['engine']}-{row['precision']}"


def cell_name(row: Mapping[str, Any]) -> str:
    """Which cell of a run, engine and precision: `real-lengths, batch 1, 2 threads`; of several
    kinds of machines also which of them measured it."""
    where = f" on {row['machine']}" if row["machine"] else ""
    if row["layout"]:
        return f"{row['scenario']}, layout {row['layout']}, {row['load']}{where}"
    batch = "" if row["batch_size"] is None else f"batch {row['batch_size']:.0f}, "
    threads = round(row["threads"] or 0)
    return f"{row['scenario']}, {batch}{threads} thread{'' if threads == 1 else 's'}{where}"


def why_not_counted(row: Mapping[str, Any]) -> str:
    """Why a cell's numbers are no result; "" where they are."""
    kind = standing(row)
    if kind == FAILED:
        return f"failed: {row['precision']} keeps too little of FP32's F1"
    if kind == EMULATED:
        return f"emulated: the processor has no instructions for {row['precision']}"
    if kind:
        reasons = row["validity_reasons"]
        return f"{row['validity']}: {reasons}" if reasons else str(row["validity"])
    return ""


def medians(summary: Summary, modes: Iterable[str]) -> list[dict[str, Any]]:
    """One row a measurement of these modes, as `Summary.medians`; what is missing is None."""
    rows: list[dict[str, Any]] = [dict(row) for row in records(summary.medians(tuple(modes)))]
    # The table of medians names the kind of machine with the run; here it belongs to the cell.
    return [row | {"run": str(row["run"]).removesuffix(f" on {row['machine']}")} for row in rows]


def refused(summary: Summary) -> list[str]:
    """A line for each cell that was not run."""
    return [
        f"{model_name(row)}: {row['scenario']}: not run: {row['refused']}"
        for row in records(summary.refused)
    ]


def left_out(lines: Iterable[str], of: str) -> str:
    """The text of left_out.txt: what an export does not hold, a line each."""
    found = [shown(line) for line in lines]
    if not found:
        return f"Nothing is left out of {of}.\n"
    return "\n".join([f"Left out of {of}, {len(found)} in all:", *found]) + "\n"


def doubts_in_words(certificate: Certificate, without: Iterable[str] = ()) -> list[str]:
    """The certificate's doubts, by kind, a line each; of many of one kind the first ones."""
    lines = []
    for kind in DOUBTS:
        found = [each for each in certificate["doubts"] if each["kind"] == kind]
        if not found or kind in without:
            continue
        for each in found[:_MOST_OF_A_KIND]:
            place = f" ({each['where']})" if each["where"] else ""
            lines.append(shown(f"{kind}: {each['what']}{place}"))
        if len(found) > _MOST_OF_A_KIND:
            lines.append(f"{kind}: {len(found) - _MOST_OF_A_KIND} more; see certificate.json")
    return lines


def code_in_words(certificate: Certificate) -> str:
    """Which code made it: `bertsquad 0.1.0, commit 619ed8b, 2 files changed since`."""
    project = certificate["project"]
    parts = [f"bertsquad {project['version']}".strip()]
    if project["commit"]:
        parts.append(f"commit {project['commit']}")
        if changed := len(project["dirty"]):
            parts.append(f"{changed} file{'' if changed == 1 else 's'} changed since")
    else:
        parts.append(f"commit not known ({project.get('note', 'no git')})")
    return ", ".join(parts)


def table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table of Markdown; a cell's own bars are written so that they end no cell."""
    lines = [list(map(str, heads))]
    lines.append(["---"] * len(lines[0]))
    lines += [list(map(_cell, row)) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    text = "–" if value is None or value == "" else shown(str(value))
    return text.replace("|", "\\|")


def between(low: float | None, high: float | None, digits: int = 2) -> str:
    """An interval: `93.20 to 96.72`."""
    if low is None or high is None:
        return "–"
    return f"{low:.{digits}f} to {high:.{digits}f}"
