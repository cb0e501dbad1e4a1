"""The report: one HTML file that needs nothing else, from summary, figures and facts."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from bertsquad.benchmark.modes import MODES
from bertsquad.console.quantities import duration
from bertsquad.machine.activity import BUSY_CPUS
from bertsquad.machine.reading import value
from bertsquad.reporting import formats, palette
from bertsquad.reporting.page import sections, svg
from bertsquad.reporting.page.examples import Example
from bertsquad.reporting.page.findings import findings, records
from bertsquad.reporting.page.guide import comparisons, guide_table
from bertsquad.reporting.summary.columns import COLUMNS
from bertsquad.reporting.summary.comparisons import Change
from bertsquad.reporting.summary.tables import cell_rows, refused_rows

TEMPLATES = Path(__file__).parent / "templates"
OPEN_ROWS = 60  # a longer table of cells starts folded
SHOWN_CHANGES = 8  # changed answers of one engine and precision; comparison.json has more


def render(
    summary: pd.DataFrame,
    *,
    figures: Mapping[str, Path],
    machine: dict[str, Any],
    config: dict[str, Any],
    inputs: dict[str, Any],
    changes: Sequence[Change] = (),
    examples: Sequence[Example] = (),
    examples_of: str = "",
    quoted_from: str = "",
    command: str = "snakemake --cores all",
) -> str:
    """The page. The same arguments give the same page.

    Args:
        summary: tables.read_summary.
        figures: name (`accuracy`, `throughput`, ...) to SVG file.
        machine, config, inputs: machine.json, config.json, inputs.json, parsed.
        changes: what engines and precisions change against FP32, comparisons.read_change.
        examples: questions to show; `examples_of` says whose answers they are.
        quoted_from: which of the inputs all questions are quoted from.
        command: what makes this report again.
    """
    found = findings(summary)
    compared = comparisons(summary)
    trained = [row for row in found.runs if row["train_steps"]]
    cells = records(cell_rows(summary, tuple(MODES)))
    runs, settings = sections.run_settings(config)
    sources = sections.sources(inputs)
    other = {key: value for key, value in config.items() if key not in ("runs", "artifacts")}
    csv = summary.to_csv(index=False).encode()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            found=found,
            trained=trained,
            scored_runs=len({row["run"] for row in found.accuracy}),
            figure=lambda name, label: svg.inline(figures[name], label),
            has=set(figures),
            demo=bool(config.get("demo")),
            title=config.get("title") or "BERT on SQuAD 1.1",
            description=config.get("description") or "",
            cell_rows=cells,
            what_is_done=what_is_done,
            scenarios=list({row["scenario"]: row for row in cells}.values()),
            checkpoints=named(trained or found.runs, "checkpoint")
            or [config.get("checkpoint") or "the model"],
            datasets=named(trained or found.runs, "dataset")
            or [config.get("dataset") or "the questions"],
            machine=machine,
            machine_name=sections.machine_name(machine),
            other_cpu=other_cpu(found.cpus, machine),
            machine_facts=sections.machine_facts(machine),
            versions=sorted((machine.get("versions") or {}).items()),
            warnings=[*(machine.get("warnings") or []), *disturbed(cells)],
            accuracy_table=sections.accuracy_table(found),
            training_table=sections.training_table(found),
            change_table=sections.change_table(changes),
            changes=changes,
            references=sorted({change.reference for change in changes}),
            shown_changes=SHOWN_CHANGES,
            cell_table=sections.cell_table([*cells, *records(refused_rows(summary))]),
            guide_table=guide_table(compared) if compared else None,
            modelzoo=config.get("modelzoo") or {},
            open_cells=len(cells) <= OPEN_ROWS,
            runs=runs,
            settings=settings,
            other_settings=yaml.safe_dump(other, sort_keys=False, allow_unicode=True, width=88),
            sources=sources,
            credit=next((source for source in sources if source.name == quoted_from), None),
            examples=examples,
            examples_of=examples_of,
            columns=COLUMNS,
            command=command,
            csv=base64.b64encode(csv).decode(),
            palette=palette,
        )
    )


def what_is_done(cell: dict[str, Any]) -> str:
    """What the scenario of a cell does, in words."""
    mode = MODES[cell["mode"]]
    if cell["padding"] == "none":
        return mode.does
    return mode.does_padded.format(length=cell["max_seq_length"] or "the maximum number of")


def other_cpu(cpus: Sequence[str], machine: dict[str, Any]) -> str:
    """The processor of the cells, where machine.json describes another one."""
    model = value(machine, "cpu", "model")
    return cpus[0] if model and len(cpus) == 1 and cpus[0] != model else ""


def disturbed(cells: Sequence[dict[str, Any]]) -> list[str]:
    """A warning where cells were measured while other programs kept the processors busy."""
    loads = [row["other_cpus"] for row in cells if (row["other_cpus"] or 0) > BUSY_CPUS]
    if not loads:
        return []
    return [
        f"{len(loads)} of {len(cells)} benchmark cells were measured while other programs kept "
        f"{BUSY_CPUS:g} processors or more busy (up to {max(loads):.1f}; column other_cpus of "
        "summary.csv), so their times are too long; delete their files and run again on a quiet "
        "machine"
    ]


def environment() -> jinja2.Environment:
    """Templates beside this module; everything that is inserted is escaped unless marked safe."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "short": formats.short,
        "whole": formats.whole,
        "duration": duration,
        "percent": lambda value: f"{value:.1f}",
        "phrase": phrase,
    }
    return made


def named(rows: Sequence[dict[str, Any]], column: str) -> list[str]:
    """The distinct names in a column, in order."""
    return list(dict.fromkeys(row[column] for row in rows if row[column]))


def phrase(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
