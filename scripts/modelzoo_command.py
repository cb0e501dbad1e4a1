"""Show how the Model Zoo is called and which processes that starts, without running anything.

Examples:
    python scripts/modelzoo_command.py --steps '{"train": {"mode": "training", ...}}'
    python scripts/modelzoo_command.py --line \\
        'numactl --localalloc --physcpubind=0-27 python3 models/benchmarks/launch_benchmark.py ...'

The second form explains any command line: what the launcher drops, ignores, or fails on.
"""

import argparse
import json
import os
import shlex
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def show_steps(steps: dict[str, dict[str, Any]], image: str) -> str:
    """Text with each step: its command line, the command that runs in the end, the findings."""
    from bertsquad.modelzoo.checks.machine import read_host
    from bertsquad.modelzoo.display import explain
    from bertsquad.modelzoo.run import call_of
    from bertsquad.modelzoo.settings import CallFiles

    host = read_host(image=image)
    shown = []
    for name, step in steps.items():
        paths = {part: Path.cwd() / path for part, path in step["files"].items()}
        call = call_of(step["settings"], CallFiles(**paths), str(Path.cwd() / step["launcher"]))
        findings = call.findings(host, os.environ, files=False)
        shown.append(explain(name, call.line, host.machine, findings, image=image))
    return "\n".join(shown)


def show_line(text: str) -> str:
    """Text with a given command line, checked on this machine and in this environment."""
    from bertsquad.modelzoo.checks.environment import ENVIRONMENT_CHECKS
    from bertsquad.modelzoo.checks.line import BREAKING, IGNORED
    from bertsquad.modelzoo.checks.machine import MACHINE_CHECKS, read_host
    from bertsquad.modelzoo.checks.table import examine
    from bertsquad.modelzoo.command_line import parse
    from bertsquad.modelzoo.display import explain

    line = parse(shlex.split(text))
    host = read_host()
    outer = {**os.environ, **line.environment}
    findings = examine((*BREAKING, *IGNORED), line)
    findings += [*examine(MACHINE_CHECKS, line, host), *examine(ENVIRONMENT_CHECKS, line, outer)]
    findings.sort(key=lambda finding: finding.severity != "error")
    return explain("a command line", line, host.machine, findings)


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--steps", metavar="JSON", help="steps by name: settings, launcher and files of each"
    )
    which.add_argument("--line", metavar="TEXT", help="a call of launch_benchmark.py")
    parser.add_argument("--image", default="", help="the image that the steps run in")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    print(show_line(args.line) if args.line else show_steps(json.loads(args.steps), args.image))


if __name__ == "__main__":
    exit_with(main)
