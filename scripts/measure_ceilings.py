"""Measure what this machine can do at best: matrix products in each precision, memory.

Example:
    python scripts/measure_ceilings.py --threads all --seconds 1 \\
        --output results/speed/ceilings.json
"""

import argparse

from bertsquad.console.arguments import (
    add_measured_threads,
    command_parser,
    positive_number,
)
from bertsquad.console.errors import exit_with
from bertsquad.machine import torch_environment
from bertsquad.machine.placement import settle_down


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add_measured_threads(parser)
    add(
        "--seconds",
        required=True,
        type=positive_number,
        help="for each product and each kind of access",
    )
    add("--output", required=True, metavar="JSON", help="the ceilings to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch_environment.prepare()
    placement = settle_down(args.threads, args.at_most)

    from bertsquad import engines
    from bertsquad.benchmark.ceilings import measure_ceilings
    from bertsquad.files import write_json
    from bertsquad.machine.activity import Watch
    from bertsquad.machine.cpu import cpu_model
    from bertsquad.machine.versions import linked_libraries, versions

    watch = Watch()
    ceilings = measure_ceilings(placement["threads"], args.seconds)
    surroundings = {
        "activity": watch.result(),
        "cpu": cpu_model(),
        "versions": versions(engines.packages()) | linked_libraries(),
    }
    write_json(args.output, ceilings | placement | surroundings)
    for precision, found in ceilings["gemm"].items():
        how = "" if found["native"] else ", emulated: no ceiling"
        print(f"{precision}: {found['gflops'] or 0:.0f} GFLOP/s{how}")
    memory = ceilings["memory"]
    print(
        f"memory: {memory['read']['gb_per_s']:.1f} GB/s read, "
        f"{memory['copy']['gb_per_s']:.1f} GB/s copied; {ceilings['seconds']:.0f} s"
    )


if __name__ == "__main__":
    exit_with(main)
