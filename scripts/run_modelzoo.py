"""Run the Model Zoo's launcher once, as Intel's guide does, and find out whether it worked.

Example:
    python scripts/run_modelzoo.py --launcher models/benchmarks/launch_benchmark.py \\
        --settings '{"mode": "benchmark", "precision": "fp32", "options": {"batch_size": 32}}' \\
        --vocab wwm/vocab.txt --bert-config wwm/bert_config.json --dev-questions dev-v1.1.json \\
        --weights bert_large_checkpoints/model.ckpt-3649 --output results/modelzoo/benchmark

Its exit status is 0 whatever happens, so its log and the files it leaves decide. In the output
folder: command.txt, launcher.log, run.json (what read_modelzoo_log.py wants beside the log); after
training model.ckpt.index and model.ckpt.data-00000-of-00001; after training and accuracy
predictions.json and nbest_predictions.json.
"""

import argparse
import os
import shutil
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from bertsquad.modelzoo.cell import Arrivals
    from bertsquad.modelzoo.facts import Facts
    from bertsquad.modelzoo.job import Job
    from bertsquad.modelzoo.outcome import Outputs
    from bertsquad.modelzoo.paths import Files

MADE = ("predictions.json", "nbest_predictions.json", "run.json", "model.ckpt.index")


def files_of(args: argparse.Namespace) -> "Files":
    """The call's files, absolute: the launcher works in a folder of its own."""
    from bertsquad.modelzoo.paths import Files

    here = Path.cwd()
    return Files(
        output=here / args.output / "output",
        vocab=here / args.vocab,
        config=here / args.bert_config,
        weights=here / args.weights,
        dev=here / args.dev_questions,
        train=here / args.train_questions if args.train_questions else None,
    )


def check(job: "Job", facts: "Facts") -> None:
    """Print every warning; `UserError` with all that would make it fail."""
    from bertsquad.modelzoo.findings import refuse_errors

    findings = job.findings(facts, os.environ, files=True)
    for finding in findings:
        print(finding, file=sys.stderr, flush=True)
    refuse_errors(findings, f"the Model Zoo's {job.step.mode} was not started")


def run(
    argv: list[str], environment: dict[str, str], folder: Path
) -> tuple[int, list[str], "Arrivals"]:
    """Start the launcher; its exit status, its log, and when it had processed how much. The log
    goes to launcher.log and to stderr as it comes."""
    from bertsquad.modelzoo.cell import Arrivals
    from bertsquad.modelzoo.log import PROCESSED
    from bertsquad.modelzoo.running import run_here

    lines: list[str] = []
    arrivals = Arrivals()
    begin = time.monotonic()
    with (folder / "launcher.log").open("w", encoding="utf-8", errors="replace") as log:

        def say(line: str) -> None:
            if match := PROCESSED.match(line.strip()):
                arrivals.examples.append(int(match[1]))
                arrivals.seconds.append(time.monotonic() - begin)
            lines.append(line)
            log.write(line)
            print(line, end="", file=sys.stderr, flush=True)

        status = run_here(argv, environment, say)
    return status, lines, arrivals


def call(job: "Job", args: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """The command that starts the launcher, here or in a container, and its environment."""
    from bertsquad.modelzoo.container import in_container
    from bertsquad.modelzoo.settings import words

    if not args.image:
        return words(job.line), job.environment(os.environ)
    launcher = Path(job.launcher)
    return in_container(
        args.image,
        words(job.line),
        job.environment({}),
        os.environ,
        shm_size=args.shm_size,
        binding=args.binding == "yes",
        # The launcher's folder, where it is not one of the image.
        folders=[launcher.parent.parent] if launcher.is_file() else [],
    )


def keep(outputs: "Outputs", folder: Path) -> None:
    """Move what a run is for out of the launcher's folder, under names that do not depend on it."""
    from bertsquad.modelzoo.outcome import SHARD, TRAINED

    moves = {outputs.predictions: "predictions.json", outputs.nbest: "nbest_predictions.json"}
    if outputs.checkpoint is not None:
        shard = Path(f"{outputs.checkpoint}{SHARD}")
        if not shard.is_file():
            raise UserError(f"{shard}: no such file; expected a checkpoint in one part")
        moves[shard] = f"{TRAINED}{SHARD}"
        moves[Path(f"{outputs.checkpoint}.index")] = f"{TRAINED}.index"
    for path, name in moves.items():
        if path is not None:
            shutil.move(path, folder / name)


def surroundings(lines: list[str], begun: str) -> dict[str, Any]:
    """What else was true."""
    from bertsquad.machine.cpu import allowed_cpus, has_native_bf16, read_cpu
    from bertsquad.machine.reading import attempt, is_unavailable
    from bertsquad.modelzoo.container import identity

    info = attempt(read_cpu)
    known = not is_unavailable(info)
    return {
        "cpu": info.model if known else "unknown",
        "bf16_native": has_native_bf16(info.flags) if known else None,
        "allowed_cpus": allowed_cpus(),
        "container": identity(lines),
        "started_at": begun,
    }


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--settings", required=True, metavar="JSON", help="the step, as in the configuration")
    add("--launcher", required=True, type=Path, help="launch_benchmark.py, here or in the image")
    add("--vocab", required=True, type=Path, help="vocab.txt")
    add("--bert-config", required=True, type=Path, help="bert_config.json")
    add("--weights", required=True, type=Path, help="prefix of a TensorFlow checkpoint")
    add("--train-questions", type=Path, help="SQuAD JSON; of training")
    add("--dev-questions", required=True, type=Path, help="SQuAD JSON")
    add("--image", default="", help="run in this container image; without it, on this machine")
    add("--shm-size", default="8g", help="shared memory of the container")
    add(
        "--binding",
        default="yes",
        choices=("yes", "no"),
        help="let the container bind memory to NUMA nodes",
    )
    add("--output", required=True, type=Path, metavar="DIR", help="folder for what it makes")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_json, write_text
    from bertsquad.modelzoo import cell, display, outcome
    from bertsquad.modelzoo.facts import read_facts
    from bertsquad.modelzoo.job import fresh, job_of

    folder = Path.cwd() / args.output
    files = files_of(args)
    for name in MADE:
        (folder / name).unlink(missing_ok=True)
    fresh(files.output)
    job = job_of(args.settings, files, str(Path.cwd() / args.launcher))
    facts = read_facts(image=args.image, binding=args.binding == "yes")
    check(job, facts)
    findings = job.findings(facts, os.environ, files=False)
    text = display.explain(job.step.mode, job.line, facts.machine, findings, image=args.image)
    write_text(folder / "command.txt", text)

    begun = datetime.now(UTC).isoformat(timespec="seconds")
    status, lines, arrivals = run(*call(job, args), folder)
    outputs = outcome.judge(job.step.mode, status, lines, files.output)
    keep(outputs, folder)
    shutil.rmtree(files.output, ignore_errors=True)
    mode, precision = job.step.mode, job.step.precision
    about = {
        "settings": cell.asked(mode, precision, job.line.options, job.line.values()),
        "surroundings": surroundings(lines, begun),
        "arrivals": asdict(arrivals),
    }
    write_json(folder / "run.json", about)


if __name__ == "__main__":
    exit_with(main)
