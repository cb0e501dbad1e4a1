r"""Write down the resolved configuration, and checksum, licence and source of every input file.

Example:
    python scripts/record_inputs.py --config '{"dataset": "squad-1.1"}' \
        --catalogue '{"dev-v1.1.json": {"license": "CC BY-SA 4.0", "url": "https://..."}}' \
        --artifacts results/resources/downloads/dev-v1.1.json \
        --config-output results/config.json --inputs-output results/inputs.json
"""

import argparse
import json
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--config", required=True, type=json.loads, help="resolved config, JSON")
    parser.add_argument(
        "--catalogue", required=True, type=json.loads, help="what is known of each artifact, JSON"
    )
    parser.add_argument("--artifacts", nargs="+", required=True, type=Path, help="the input files")
    parser.add_argument(
        "--models",
        type=json.loads,
        default={},
        help="name to path and facts of model folders, JSON",
    )
    parser.add_argument("--config-output", required=True, type=Path, help="JSON to write")
    parser.add_argument("--inputs-output", required=True, type=Path, help="JSON to write")
    return parser.parse_args()


def main() -> None:
    from bertsquad.experiment.provenance import describe_inputs, describe_models
    from bertsquad.files import write_json

    args = parse_args()
    inputs = describe_inputs(args.artifacts, args.catalogue)
    write_json(args.inputs_output, inputs | describe_models(args.models))
    write_json(args.config_output, args.config, sort_keys=False)  # the first run is shown


if __name__ == "__main__":
    exit_with(main)
