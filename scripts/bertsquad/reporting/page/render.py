"""The report: one HTML file that needs nothing else, from summary, figures and facts."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml

from bertsquad.certificate.schema import Certificate
from bertsquad.experiment.origin import Origin
from bertsquad.machine.activity import BUSY_CPUS
from bertsquad.machine.reading import value
from bertsquad.planner.explored import Explored
from bertsquad.reporting import formats, palette, verdicts
from bertsquad.reporting.page import machines as of_machines
from bertsquad.reporting.page import marking, sections, sentences, svg, trust
from bertsquad.reporting.page.certificate import certificate_facts
from bertsquad.reporting.page.compared import compared_table
from bertsquad.reporting.page.deployment import deployments
from bertsquad.reporting.page.examples import Example
from bertsquad.reporting.page.explored import explored_facts
from bertsquad.reporting.page.findings import Findings, findings
from bertsquad.reporting.page.guide import comparisons, guide_table
from bertsquad.reporting.summary.columns import COLUMNS, Row
from bertsquad.reporting.summary.comparisons import Change
from bertsquad.reporting.summary.summary import Summary, records

_TEMPLATES = Path(__file__).parent / "templates"
QUESTIONS = "questions"  # the folder of explorer.py's files, beside the page
UNKNOWN = Origin("", "", (), "nobody told")
_OPEN_ROWS = 60  # a longer table of cells starts folded
_SHOWN_CHANGES = 8  # changed answers of one engine and precision; comparison.json has more


def render(
    summary: Summary,
    *,
    figures: Mapping[str, Path],
    machine: dict[str, Any],
    config: dict[str, Any],
    inputs: dict[str, Any],
    machines: Mapping[str, dict[str, Any]] | None = None,
    changes: Sequence[Change] = (),
    examples: Sequence[Example] = (),
    examples_of: str = "",
    quoted_from: str = "",
    questions: int = 0,
    asked_in: Sequence[str] = (),
    command: str = "snakemake --cores all",
    compared: Sequence[Mapping[str, Any]] = (),
    noise: Mapping[str, Any] | None = None,
    planned: str = "",
    explored: Sequence[Explored] = (),
    certificate: Certificate | None = None,
    origin: Origin = UNKNOWN,
) -> str:
    """The page. The same arguments give the same page.

    Args:
        summary: what was measured.
        figures: name (`accuracy`, `throughput`, ...) to the SVG file of plot.py.
        machine, config, inputs: machine.json, config.json, inputs.json, parsed.
        machines: machine.json of each kind of machine by its name, where there are several.
        changes: what engines and precisions change against FP32, comparisons.read_change.
        examples: questions to show; `examples_of`: whose answers they are.
        quoted_from: which of the inputs all questions are quoted from.
        questions: how many explorer.py wrote into QUESTIONS beside the page; 0: no explorer.
        asked_in: which of the inputs these are from.
        command: what makes this report again.
        compared: pairs of cells measured by turns, as compare_speed.py writes them.
        noise: the noise floor of the machine, as noise.py writes it.
        planned: the plan in a sentence, where the configuration asks for one.
        explored: races of layouts, as explore.py writes them.
        certificate: of all that the page shows; None: it has no such section.
        origin: the code that made it.
    """
    found = findings(summary)
    cells = records(summary.cells)
    kinds = machines or {"": machine}
    warnings = [*of_machines.warnings(kinds), *disturbed(cells)]
    beside = comparisons(summary)
    sources = sections.sources(inputs)
    facts: dict[str, Any] = {
        "found": found,
        "trained": [row for row in found.runs if row["train_steps"]],
        "figures": svg.by_section(figures.values()),
        "demo": bool(config.get("demo")),
        "title": config.get("title") or "BERT on SQuAD 1.1",
        "description": config.get("description") or "",
        "warnings": warnings,
        "accuracy_table": sections.accuracy_table(found),
        "training_table": sections.training_table(found),
        "change_table": sections.change_table(changes),
        "changes": changes,
        "references": sorted({change.reference for change in changes}),
        "shown_changes": _SHOWN_CHANGES,
        "kinds_table": of_machines.kinds_table(summary, kinds),
        "cell_table": sections.cell_table([*cells, *records(summary.refused)]),
        "guide_table": guide_table(beside) if beside else None,
        "open_cells": len(cells) <= _OPEN_ROWS,
        "sources": sources,
        "credit": next((source for source in sources if source.name == quoted_from), None),
        "questions": questions,
        "questions_folder": QUESTIONS,
        "question_credits": [source for source in sources if source.name in asked_in],
        "examples": examples,
        "examples_of": examples_of,
        "columns": COLUMNS,
        "command": command,
        "compared": compared,
        "compared_table": compared_table(compared),
        "noise_line": verdicts.noise_line(noise),
        "certificate": certificate_facts(certificate) if certificate else None,
        "origin": origin,
        "csv": base64.b64encode(summary.table.to_csv(index=False).encode()).decode(),
        "palette": palette,
    }
    facts["judgements"] = trust.judgements(found, summary, config, warnings, origin)
    if certificate:
        facts["judgements"].append(trust.of_certificate(certificate))
    facts |= explored_facts(explored, command)
    facts |= _in_words(found, cells, kinds, config)
    facts["deployment"] = planned or deployments(summary, command)
    facts |= _surroundings(config) | {"machines": of_machines.described(kinds)}
    facts["contents"] = _contents(facts)
    return environment().get_template("report.html.j2").render(facts)


def _in_words(
    found: Findings,
    cells: Sequence[Row],
    machines: Mapping[str, dict[str, Any]],
    config: dict[str, Any],
) -> dict[str, Any]:
    """The sentences of the page."""
    other = _other_cpu(found.cpus, machines[""]) if "" in machines else ""
    return {
        "lede": sentences.lede(found, of_machines.names(machines), config),
        "tiles": sentences.tiles(found),
        "remarks": sentences.remarks(found, other),
        "scenarios": sentences.scenarios(cells, found),
        "confidence": sentences.confidence(found),
        "footer": sentences.footer(found),
    }


def _surroundings(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration."""
    runs, settings = sections.run_settings(config)
    other = {key: value for key, value in config.items() if key not in ("runs", "artifacts")}
    return {
        "runs": runs,
        "settings": settings,
        "other_settings": yaml.safe_dump(other, sort_keys=False, allow_unicode=True, width=88),
        "modelzoo": config.get("modelzoo") or {},
    }


def _contents(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Id and title of every section that the page has."""
    found = facts["found"]
    possible = (
        ("accuracy", "Accuracy", found.accuracy),
        ("changes", "Changes against FP32", facts["changes"]),
        ("kinds", "Kinds of machines", facts["kinds_table"]),
        ("speed", "Speed", found.cells),
        ("comparisons", "Comparisons", facts["compared"]),
        ("explored", "Which layout", facts["explored"]),
        ("training", "Training", facts["trained"]),
        ("guide", "The guide and us", facts["guide_table"]),
        ("examples", "Examples", facts["examples"]),
        ("questions", "Question explorer", facts["questions"]),
        ("cells", "All cells", facts["cell_table"].rows),
        ("configuration", "Configuration", True),
        ("machine", "Machine", True),
        ("inputs", "Inputs and licences", True),
        ("certificate", "Certificate", facts["certificate"]),
        ("again", "Run it again", True),
    )
    return [(name, title) for name, title, present in possible if present]


def _other_cpu(cpus: Sequence[str], machine: dict[str, Any]) -> str:
    """The processor of the cells, where machine.json describes another one."""
    model = value(machine, "cpu", "model")
    return cpus[0] if model and len(cpus) == 1 and cpus[0] != model else ""


def disturbed(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """A warning where cells were measured while other programs kept the processors busy."""
    loads = [row["other_cpus"] for row in cells if (row["other_cpus"] or 0) > BUSY_CPUS]
    if not loads:
        return []
    return [
        f"{formats.whole(len(loads))} of {formats.whole(len(cells))} benchmark cells were "
        f"measured while other programs kept {BUSY_CPUS:g} processors or more busy (up to "
        f"{max(loads):.1f}; column other_cpus of summary.csv), so their times are too long; "
        "measure again on a quiet machine, by `snakemake --forcerun benchmark_inference`"
    ]


def environment(*folders: Path) -> jinja2.Environment:
    """Templates beside this module and in these folders; everything that is inserted is escaped
    unless marked safe."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_TEMPLATES, *folders]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "whole": formats.whole,
        "phrase": sentences.phrase,
        "code": marking.code,
    }
    return made
