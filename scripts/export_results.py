r"""Write the facts of a finished run in the form that another tool reads.

Example:
    python scripts/export_results.py --export model_card --certificate results/certificate.json \
        --summary results/summary.csv --machine results/machine.json \
        --cells results/demo/*/benchmark/*/*.json --model demo results/demo/model \
        --models '{"demo": {"checkpoint": "tiny", ...}}' --output results/exports/model_card

Cells that are no results, as disturbed ones, are marked or left out with a line in left_out.txt.
"""

import argparse
import importlib
import json
from pathlib import Path

from bertsquad.certificate.exports.table import EXPORTS
from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    words = "; ".join(f"{name}: {what}" for name, what in EXPORTS.items())
    add("--export", required=True, choices=EXPORTS, metavar="NAME", help=words)
    add("--certificate", required=True, type=Path, metavar="JSON", help="of the run")
    add("--summary", required=True, type=Path, metavar="CSV", help="what summarize.py wrote")
    add("--machine", type=Path, metavar="JSON", help="machine.json, where there is one kind")
    add(
        "--kind",
        action="append",
        nargs=2,
        default=[],
        metavar=("NAME", "JSON"),
        help="a kind of machine, and its machine.json",
    )
    add("--cells", nargs="*", type=Path, default=[], metavar="JSON", help="benchmark cells")
    add(
        "--models",
        required=True,
        type=json.loads,
        metavar="JSON",
        help="of each run: checkpoint, dataset, the inputs it was made of",
    )
    add(
        "--model",
        action="append",
        nargs=2,
        required=True,
        metavar=("RUN", "DIR"),
        help="a run, and the folder of its model",
    )
    add("--output", required=True, type=Path, metavar="DIR", help="the folder to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.certificate.exports.facts import Facts, read_cells, read_models
    from bertsquad.certificate.exports.writing import write_folder
    from bertsquad.certificate.schema import read_certificate
    from bertsquad.reporting.summary.result_files import read_object
    from bertsquad.reporting.summary.summary import Summary

    folders = {run: Path(folder) for run, folder in args.model}
    certificate = read_certificate(args.certificate)
    machines = [("", args.machine)] if args.machine else args.kind
    facts = Facts(
        certificate=certificate,
        machines={name: read_object(Path(path)) for name, path in machines},
        models=read_models(args.models, folders, certificate["inputs"]),
        summary=Summary.read(args.summary),
        files=read_cells(args.cells),
    )
    # By name, so that editing one export makes that one alone again.
    module = importlib.import_module(f"bertsquad.certificate.exports.{args.export}")
    written = write_folder(args.output, module.export(facts))
    print(f"{args.output}: {written} file{'' if written == 1 else 's'}")


if __name__ == "__main__":
    exit_with(main)
