"""Write the report: one HTML file with answers, figures, tables and where they came from.

With `--explore` also a folder `questions` beside it: what the page loads when a reader comes to
the question explorer.

Example:
    python scripts/report.py --summary results/summary.csv --figures results/figures/*.svg \\
        --machine results/machine.json --config results/config.json \\
        --checksums results/inputs.json --dataset results/resources/downloads/dev-v1.1.json \\
        --predictions results/guide-bf16/torch-fp32/predictions.json --output results/report.html
"""

import argparse
import sys
from pathlib import Path

from bertsquad.console.arguments import add_machines, command_parser, machine_files
from bertsquad.console.errors import UserError, exit_with


def answered_by(predictions: Path) -> str:
    """Whose answers these are, from `{run}/{engine}-{precision}/predictions.json`."""
    engine, _, precision = predictions.parent.name.rpartition("-")
    return f"run {predictions.parent.parent.name} with {engine} {precision}"


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--summary", type=Path, required=True, help="the table that summarize.py writes"
    )
    parser.add_argument(
        "--figures", type=Path, nargs="*", default=[], help="SVG files that plot.py writes"
    )
    add_machines(parser, "what the page says of the machine")
    parser.add_argument("--config", type=Path, required=True, help="resolved configuration, JSON")
    parser.add_argument(
        "--checksums",
        type=Path,
        required=True,
        help="JSON of the input files: {name: {sha256, bytes, license, citation, url}}",
    )
    parser.add_argument("--dataset", type=Path, help="SQuAD JSON to show example questions from")
    parser.add_argument(
        "--predictions", type=Path, help=".../{run}/{engine}-{precision}/predictions.json for them"
    )
    parser.add_argument(
        "--comparisons",
        type=Path,
        nargs="*",
        default=[],
        help="files .../{run}/{engine}-{precision}/comparison.json",
    )
    parser.add_argument(
        "--compared", type=Path, nargs="*", default=[], help="files of compare_speed.py"
    )
    parser.add_argument("--noise", type=Path, nargs="*", default=[], help="the file of noise.py")
    parser.add_argument(
        "--plan", type=Path, nargs="?", help="plan.json of make_plan.py, for the first sentence"
    )
    parser.add_argument(
        "--raced", type=Path, nargs="*", default=[], help="races of layouts, of explore.py"
    )
    parser.add_argument("--certificate", type=Path, help="certificate.json of certify.py")
    parser.add_argument(
        "--explore",
        type=Path,
        nargs="+",
        action="append",
        default=[],
        metavar=("DATASET", "PREDICTIONS"),
        help="SQuAD JSON and the predictions.json of everybody who answered it, for the question "
        "explorer; nbest_predictions.json is taken from beside each; once for each dataset",
    )
    parser.add_argument("--examples", type=int, default=6, help="how many example questions")
    parser.add_argument(
        "--command", default="snakemake --cores all", help="what makes this report again"
    )
    parser.add_argument("--output", type=Path, required=True, help="HTML to write")
    args = parser.parse_args()
    if (args.dataset is None) != (args.predictions is None):
        parser.error("--dataset and --predictions go together")
    if any(len(paths) < 2 for paths in args.explore):
        parser.error("--explore needs a dataset and at least one predictions.json")
    if not machine_files(args):
        parser.error("--machine or --kind is needed")
    if args.examples < 0:
        parser.error("--examples must be at least 0")
    return args


def main() -> None:
    args = parse_args()
    from bertsquad.certificate.schema import read_certificate
    from bertsquad.data import squad
    from bertsquad.experiment.origin import origin
    from bertsquad.files import read_json, write_text
    from bertsquad.planner.explored import read_explored
    from bertsquad.planner.page import opening_of
    from bertsquad.reporting import verdicts
    from bertsquad.reporting.page import examples, explorer
    from bertsquad.reporting.page.render import QUESTIONS, render
    from bertsquad.reporting.summary.comparisons import read_change
    from bertsquad.reporting.summary.summary import Summary

    summary = Summary.read(args.summary)
    machines = {name: read_json(path) for name, path in machine_files(args).items()}
    config, inputs = read_json(args.config), read_json(args.checksums)
    chosen, examples_of = [], ""
    quoted_from = args.dataset.name if args.dataset else ""
    if args.predictions:
        predictions = read_json(args.predictions)
        if not isinstance(predictions, dict) or not all(
            isinstance(answer, str) for answer in predictions.values()
        ):
            raise UserError(f"{args.predictions}: expected an object of question ids and answers")
        chosen = examples.choose(
            squad.load(args.dataset, purpose="predict"), predictions, args.examples
        )
        examples_of = answered_by(args.predictions)
    asked = [explorer.read(dataset, predictions) for dataset, *predictions in args.explore]
    changes = [read_change(path) for path in args.comparisons]
    races = [read_explored(path) for path in args.raced]
    try:
        html = render(
            summary,
            figures={path.stem: path for path in args.figures},
            machine=next(iter(machines.values())),
            machines={name: each for name, each in machines.items() if name},
            config=config,
            inputs=inputs,
            changes=changes,
            examples=chosen,
            examples_of=examples_of,
            quoted_from=quoted_from,
            questions=sum(1 for each in asked for _ in each.dataset.questions()),
            asked_in=[dataset.name for dataset, *_ in args.explore],
            command=args.command,
            compared=[verdicts.read(path) for path in args.compared],
            noise=verdicts.read_noise(args.noise),
            planned=opening_of(args.plan) if args.plan else "",
            explored=races,
            certificate=read_certificate(args.certificate) if args.certificate else None,
            origin=origin(Path(__file__).resolve().parent.parent),
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        read = ", ".join(map(str, machine_files(args).values()))
        raise UserError(
            f"one of {read}, {args.config}, {args.checksums} is not as this version writes "
            f"it ({error!r}); delete them and run again"
        ) from error
    if asked:
        explorer.write(args.output.parent / QUESTIONS, asked)
    write_text(args.output, html)
    print(f"{args.output}: {len(html.encode()) / 1024:.0f} KiB", file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
