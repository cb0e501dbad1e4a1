"""Run the Model Zoo's launcher once, as Intel's guide does, and check whether it succeeded.

Example:
    python scripts/run_modelzoo.py --launcher models/benchmarks/launch_benchmark.py \\
        --settings '{"mode": "benchmark", "precision": "fp32", "options": {"batch_size": 32}}' \\
        --vocab wwm/vocab.txt --bert-config wwm/bert_config.json --dev-questions dev-v1.1.json \\
        --weights bert_large_checkpoints/model.ckpt-3649 --output results/modelzoo/benchmark

The launcher's exit status is 0 whatever happens, so its log and its files decide. The output folder
holds command.txt, launcher.log, run.json (read_modelzoo_log.py reads it beside the log); after
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
from bertsquad.console.errors import UserError, exit_with, shown
from bertsquad.console.progress import say

if TYPE_CHECKING:
    from bertsquad.modelzoo.cell import Arrivals
    from bertsquad.modelzoo.checks.machine import Host
    from bertsquad.modelzoo.run import Call, Outputs
    from bertsquad.modelzoo.settings import CallFiles

# Files of an earlier run that must not be taken for new ones.
MADE = ("predictions.json", "nbest_predictions.json", "run.json", "model.ckpt.index")


def files_of(args: argparse.Namespace) -> "CallFiles":
    """The files of the call as absolute paths: the launcher changes its working directory."""
    from bertsquad.modelzoo.settings import CallFiles

    here = Path.cwd()
    return CallFiles(
        output=here / args.output / "output",
        vocab=here / args.vocab,
        config=here / args.bert_config,
        weights=here / args.weights,
        dev=here / args.dev_questions,
        train=here / args.train_questions if args.train_questions else None,
    )


def check(call: "Call", host: "Host") -> None:
    """Print every finding; `UserError` with all errors."""
    from bertsquad.modelzoo.checks.table import refuse_errors

    findings = call.findings(host, os.environ, files=True)
    for finding in findings:
        say(str(finding))
    refuse_errors(findings, f"the Model Zoo's {call.step.mode} was not started")


def run(
    argv: list[str], environment: dict[str, str], folder: Path
) -> tuple[int, list[str], "Arrivals"]:
    """Run the launcher; return its exit status, its log and the arrival times of its progress.

    Every line goes to launcher.log and to stderr when it arrives.
    """
    from bertsquad.modelzoo.cell import Arrivals
    from bertsquad.modelzoo.log import progress
    from bertsquad.modelzoo.run import run_here

    lines: list[str] = []
    arrivals = Arrivals()
    begin = time.monotonic()
    with (folder / "launcher.log").open("w", encoding="utf-8", errors="replace") as log:

        def record(line: str) -> None:
            if (examples := progress(line)) is not None:
                arrivals.add(examples, time.monotonic() - begin)
            lines.append(line)
            log.write(line)
            print(shown(line.rstrip().expandtabs()), file=sys.stderr, flush=True)

        status = run_here(argv, environment, record)
    return status, lines, arrivals


def command_of(call: "Call", args: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """The command that runs the launcher, here or in a container, and its environment."""
    from bertsquad.modelzoo.run import in_container
    from bertsquad.modelzoo.settings import words

    if not args.image:
        return words(call.line), call.environment(os.environ)
    launcher = Path(call.launcher)
    return in_container(
        args.image,
        words(call.line),
        call.environment({}),
        os.environ,
        shm_size=args.shm_size,
        binding=args.binding == "yes",
        # The Model Zoo's folder, unless it is in the image.
        folders=[launcher.parent.parent] if launcher.is_file() else [],
    )


def move_outputs(outputs: "Outputs", folder: Path) -> None:
    """Move results out of the launcher's folder, under names that do not hold the step."""
    from bertsquad.modelzoo.steps import SHARD, TRAINED

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
    """Processor, container and start of the run."""
    from bertsquad.machine.cpu import allowed_cpus, has_native_bf16, read_cpu
    from bertsquad.machine.reading import attempt, is_unavailable
    from bertsquad.modelzoo.run import container_identity

    info = attempt(read_cpu)
    known = not is_unavailable(info)
    return {
        "cpu": info.model if known else "unknown",
        "bf16_native": has_native_bf16(info.flags) if known else None,
        "allowed_cpus": allowed_cpus(),
        "container": container_identity(lines),
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
    from bertsquad.modelzoo import cell, display
    from bertsquad.modelzoo.checks.machine import read_host
    from bertsquad.modelzoo.run import call_of, check_outcome, remove_output

    folder = Path.cwd() / args.output
    files = files_of(args)
    for name in MADE:
        (folder / name).unlink(missing_ok=True)
    remove_output(files.output)
    call = call_of(args.settings, files, str(Path.cwd() / args.launcher))
    host = read_host(image=args.image, binding=args.binding == "yes")
    check(call, host)
    findings = call.findings(host, os.environ, files=False)
    text = display.explain(call.step.mode, call.line, host.machine, findings, image=args.image)
    write_text(folder / "command.txt", text)

    begun = datetime.now(UTC).isoformat(timespec="seconds")
    status, lines, arrivals = run(*command_of(call, args), folder)
    outputs = check_outcome(call.step.mode, status, lines, files.output)
    move_outputs(outputs, folder)
    shutil.rmtree(files.output, ignore_errors=True)
    mode, precision = call.step.mode, call.step.precision
    about = {
        "settings": cell.requested_settings(mode, precision, call.line.options, call.line.values()),
        "surroundings": surroundings(lines, begun),
        "arrivals": asdict(arrivals),
    }
    write_json(folder / "run.json", about)


if __name__ == "__main__":
    exit_with(main)
