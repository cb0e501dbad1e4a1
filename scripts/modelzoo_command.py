"""Show how the Model Zoo is called and what its launcher makes of it, without running anything.

Examples:
    python scripts/modelzoo_command.py --steps '{"train": {"mode": "training", ...}}'
    python scripts/modelzoo_command.py --line \\
        'numactl --localalloc --physcpubind=0-27 python3 models/benchmarks/launch_benchmark.py ...'

The second form explains a command line of your own: what the launcher drops, ignores, or breaks on.
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
    """Every step: its command line, what runs in the end, what stands against it."""
    from bertsquad.modelzoo.display import explain
    from bertsquad.modelzoo.facts import read_facts
    from bertsquad.modelzoo.job import job_of
    from bertsquad.modelzoo.paths import Files

    facts = read_facts(image=image)
    shown = []
    for name, step in steps.items():
        paths = {part: Path.cwd() / path for part, path in step["files"].items()}
        job = job_of(step["settings"], Files(**paths), str(Path.cwd() / step["launcher"]))
        findings = job.findings(facts, os.environ, files=False)
        shown.append(explain(name, job.line, facts.machine, findings, image=image))
    return "\n".join(shown)


def show_line(text: str) -> str:
    """A command line that somebody wrote, on this machine and in this environment."""
    from bertsquad.modelzoo.breaking import BREAKING
    from bertsquad.modelzoo.command_line import parse
    from bertsquad.modelzoo.display import explain
    from bertsquad.modelzoo.environment import ENVIRONMENT
    from bertsquad.modelzoo.facts import read_facts
    from bertsquad.modelzoo.findings import examine
    from bertsquad.modelzoo.ignored import IGNORED
    from bertsquad.modelzoo.machine_checks import MACHINE

    line = parse(shlex.split(text))
    facts = read_facts()
    outer = {**os.environ, **line.environment}
    findings = examine((*BREAKING, *IGNORED), line)
    findings += [*examine(MACHINE, line, facts), *examine(ENVIRONMENT, line, outer)]
    findings.sort(key=lambda finding: finding.severity != "error")
    return explain("a command line", line, facts.machine, findings)


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
