"""Write cells.json: what this machine can do, as one file that other machines' plans read.

Example:
    python scripts/export_cells.py --cells results/demo/*/benchmark/real-lengths/batch1-*.json \\
        --run demo synthetic synthetic results/resources/features/dev.safetensors \\
        results/demo/model \\
        --metrics results/demo/*/metrics.json --comparisons results/demo/*/comparison.json \\
        --machine results/machine.json --output results/cells.json
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--cells", nargs="*", type=Path, default=[], metavar="JSON", help="benchmark cells")
    add(
        "--run",
        action="append",
        nargs=5,
        required=True,
        metavar=("NAME", "CHECKPOINT", "DATASET", "FEATURES", "MODEL"),
        help="a run of the cells: its name, checkpoint, dataset, features file and model folder",
    )
    add("--metrics", nargs="*", type=Path, default=[], metavar="JSON", help="scores, with F1")
    add("--comparisons", nargs="*", type=Path, default=[], metavar="JSON", help="F1 beside FP32's")
    add("--explored", nargs="*", type=Path, default=[], metavar="JSON", help="of explore.py")
    add("--machine", type=Path, required=True, metavar="JSON", help="machine.json")
    add("--output", type=Path, required=True, metavar="JSON", help="cells.json to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_text
    from bertsquad.planner.cells import as_text
    from bertsquad.planner.export import Run, export
    from bertsquad.reporting.summary.result_files import read_object

    found = export(
        args.cells,
        runs={
            name: Run(checkpoint, dataset, Path(features), Path(model))
            for name, checkpoint, dataset, features, model in args.run
        },
        metrics=args.metrics,
        comparisons=args.comparisons,
        machine=read_object(args.machine),
        source=str(args.machine),
        explored=args.explored,
    )
    write_text(args.output, as_text(found))
    print(f"{args.output}: {len(found['cells'])} cells of {found['machine']['cpu']}")


if __name__ == "__main__":
    exit_with(main)
