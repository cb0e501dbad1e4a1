"""Print the few figures that matter from summary.csv, and where the report is.

Example:
    python scripts/show_results.py --summary results/summary.csv

Where a run was made, no option is needed.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with, shown

if TYPE_CHECKING:
    from bertsquad.reporting.summary.columns import Row
    from bertsquad.reporting.summary.summary import Summary

SUMMARY = Path("results/summary.csv")  # as the workflow names it
PLAN = "plan/plan.json"  # beside the summary, where a plan was made
MOST_MODELS = 12  # more would push the answers off a screen


def accuracy_lines(rows: list["Row"]) -> list[str]:
    """Exact match and F1, best F1 first and failed ones last: one line per scored run, engine and
    precision."""
    ordered = sorted(rows, key=lambda row: (row["passed"] is False, -(row["f1"] or 0)))
    names = [(row["run"], row["engine"], row["precision"]) for row in ordered]
    wide = [max(map(len, part)) for part in zip(*names, strict=True)]
    lines = [
        "  "
        + "  ".join(part.ljust(width) for part, width in zip(name, wide, strict=True))
        + f"  exact match {row['exact_match']:6.2f} %  F1 {row['f1']:6.2f} %"
        + both_kinds(row)
        + (f"  {failure(row)}" if row["passed"] is False else "")
        + (f"  {doubt(row)}" if row["gate"] == "cannot tell" else "")
        for name, row in zip(names[:MOST_MODELS], ordered, strict=False)
    ]
    hidden = ordered[MOST_MODELS:]
    if hidden:
        failed = sum(row["passed"] is False for row in hidden)
        doubtful = sum(row["gate"] == "cannot tell" for row in hidden)
        more = f"  and {len(hidden)} more"
        more += f", {failed} of them failed" if failed else ""
        more += f", {doubtful} of them cannot be told" if doubtful else ""
        lines.append(f"{more}: see summary.csv")
    return lines


def both_kinds(row: "Row") -> str:
    """F1 of the answerable and of the unanswerable questions, where there are the latter."""
    if row["no_answer_f1"] is None:
        return ""
    of_none = f"{row['no_answer_f1']:.2f} % unanswerable"
    if row["has_answer_f1"] is None:
        return f"  ({of_none})"
    return f"  ({row['has_answer_f1']:.2f} % answerable, {of_none})"


def unscored_lines(summary: "Summary") -> list[str]:
    """The runs whose questions have no answers in their file: a line each."""
    from bertsquad.reporting.summary.summary import records

    runs = [r for r in records(summary.runs) if r["f1"] is None and r["questions"] is not None]
    return [
        f"  {row['run']}: predicted and not scored, no question of {row['dataset']} has an answer"
        for row in runs
    ]


def doubt(row: "Row") -> str:
    """What the questions are too few to tell."""
    limit = 100 * (row["minimum_f1_share"] or 0)
    return f"cannot tell whether it keeps {limit:g} % of the F1 of {row['reference']}"


def failure(row: "Row") -> str:
    """How far a failed model is below the limit."""
    share, limit = (100 * (row[name] or 0) for name in ("f1_share", "minimum_f1_share"))
    return f"FAILED: {share:.2f} % of the F1 of {row['reference']}, less than {limit:g} %"


def fastest_lines(summary: "Summary") -> list[str]:
    """The fastest cell from texts to answers, and that of the engine alone: a line each, or none
    where nothing was timed. What failed or is emulated is never the fastest."""
    from bertsquad.reporting.page.findings import findings

    found = findings(summary)
    lines = []
    if found.served:
        rate = found.served["questions_per_second"] or 0
        lines.append(fastest(found.served, rate, "questions/s, texts in, answers out"))
    if found.fastest:
        rate = found.fastest["features_per_second"] or 0
        lines.append(fastest(found.fastest, rate, "features/s"))
    return lines


def fastest(cell: "Row", rate: float, unit: str) -> str:
    """One line for a cell and its rate."""
    from bertsquad.reporting.formats import short

    batch = "" if cell["batch_size"] is None else f"batch {cell['batch_size']}, "
    return (
        f"  fastest: {short(rate)} {unit} ({cell['engine']} "
        f"{cell['precision']}, {cell['scenario']}, {batch}"
        f"{cell['threads']} thread{'' if cell['threads'] == 1 else 's'})"
    )


def left_out_lines(summary: "Summary") -> list[str]:
    """Engines and precisions whose times do not count, or that were not timed, and why."""
    from bertsquad.reporting.summary.standing import FAILED, REFUSED, left_out

    return [
        f"  {each.engine} {each.precision}: "
        + (
            f"not timed: {each.reason}"
            if each.kind == REFUSED
            else "emulated here, so its times say nothing"
        )
        for each in left_out(summary)
        if each.kind != FAILED
    ]


def disturbed_lines(summary: "Summary") -> list[str]:
    """How many cells are not to be trusted, or cannot tell everything, and why: a line each."""
    from bertsquad.reporting.page.findings import findings
    from bertsquad.reporting.page.sentences import disturbances, remarks_on_valid

    found = findings(summary)
    lines = [("not to be trusted: ", disturbances(found)), ("", remarks_on_valid(found))]
    return [f"  {label}{text}" for label, text in lines if text]


def deployment_line(summary: "Summary", plan: Path) -> str:
    """The plan where one was made, else what to deploy on this machine, or why that cannot be
    said."""
    if plan.is_file():
        from bertsquad.planner.page import opening_of

        return f"  {opening_of(plan)}"
    from bertsquad.reporting.page.deployment import deployments

    return f"  {deployments(summary)}"


def certificate_line(path: Path) -> str:
    """The number that proves the run to others, and whether there are doubts."""
    from bertsquad.certificate.schema import read_certificate
    from bertsquad.certificate.sentence import doubts_in_short

    certificate = read_certificate(path)
    return f"  chain:   {certificate['chain_sha256']} ({doubts_in_short(certificate)})"


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--summary",
        type=Path,
        default=SUMMARY,
        help="the table that summarize.py writes (default: %(default)s)",
    )
    parser.add_argument(
        "--report", type=Path, help="the report to point at; default: report.html beside the table"
    )
    parser.add_argument(
        "--certificate",
        type=Path,
        help="certificate.json, for its number; default, without --report: that beside the table",
    )
    args = parser.parse_args()
    if args.report is None:
        args.report = args.summary.with_name("report.html")
        beside = args.summary.with_name("certificate.json")
        args.certificate = args.certificate or (beside if beside.is_file() else None)
    return args


def main() -> None:
    args = parse_args()
    from bertsquad.reporting.summary.summary import Summary, records

    summary = Summary.read(args.summary)
    if not args.report.is_file():
        raise UserError(f"{args.report}: no such file; run the workflow first")
    steps = [row for row in records(summary.steps) if row["f1"] is not None]
    rows = [*records(summary.scored), *steps]
    accuracy = accuracy_lines(rows) if rows else []
    lines = [*accuracy, *unscored_lines(summary), *fastest_lines(summary), *left_out_lines(summary)]
    for line in [
        deployment_line(summary, args.summary.parent / PLAN),
        *lines,
        *disturbed_lines(summary),
    ]:
        print(shown(line))
    print(f"  report:  {args.report.resolve()}")
    if args.certificate:
        print(shown(certificate_line(args.certificate)))


if __name__ == "__main__":
    exit_with(main)
