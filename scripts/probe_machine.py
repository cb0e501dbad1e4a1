"""Describe this machine: processor, limits, memory, kernel and versions, with warnings.

`doctor.py` prints the same as a page to read.

Example:
    python scripts/probe_machine.py --output results/machine.json
"""

import argparse
from typing import Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def print_machine(machine: dict[str, Any]) -> None:
    """What matters most, and every warning, for the log."""
    cpu = machine["cpu"]
    print(f"processor: {cpu['model']}")
    print(f"sockets: {cpu['sockets']}; cores: {cpu['cores']}; CPUs: {cpu['logical']}")
    print(f"allowed CPUs: {machine['allowed_cpus']}; memory: {machine['memory_mib']} MiB")
    print(f"instructions: {cpu['flags']}; native: {machine['native_precisions']}")
    print(f"defaults: {machine['defaults']}")
    for kind in ("warning", "note"):
        for message in machine[f"{kind}s"]:
            print(f"{kind}: {message}")


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--output", required=True, metavar="JSON", help="machine.json to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from bertsquad import engines
    from bertsquad.files import write_json
    from bertsquad.kernels.report import status_of_a_child
    from bertsquad.machine.description import describe

    machine = describe(libraries=True, packages=engines.packages(), kernels=status_of_a_child())
    write_json(args.output, machine)
    print_machine(machine)


if __name__ == "__main__":
    exit_with(main)
