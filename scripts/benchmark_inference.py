"""Measure one cell: one engine, precision, scenario and number of threads on this machine.

Example:
    python scripts/benchmark_inference.py --engine torch --precision bf16 --threads 2 \\
        --scenario real-lengths --mode batches --padding none --batch-size 8 \\
        --warmup 5 --iterations 50 --repeat 1 \\
        --model results/demo/model --features results/resources/features/dev.safetensors \\
        --output results/demo/torch-bf16/benchmark/real-lengths/batch8-threads2-repeat1.json

Modes: `batches`, one after another; `offline`, `--iterations` passes over `--count` features that
are all at hand; `end_to_end`, so many passes from the texts of `--count` questions to answers.
With `--seconds` in place of `--iterations`, as much as fits into that time, in whole passes.
"""

import argparse
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.benchmark.modes import DEFAULT, MODES, SERVED, WITH_LATENCY
from bertsquad.console.arguments import (
    add_engine_options,
    add_measured_threads,
    add_pace,
    command_parser,
    natural_number,
    positive_number,
)
from bertsquad.console.errors import exit_with
from bertsquad.console.progress import say
from bertsquad.machine import torch_environment
from bertsquad.machine.placement import settle_down

if TYPE_CHECKING:
    from bertsquad.benchmark.cell import Settings, Sources
    from bertsquad.benchmark.tries import Tries


def measure_cell(
    settings: "Settings",
    sources: "Sources",
    placement: dict[str, Any],
    tries: "Tries",
    *,
    min_seconds: float = 0.0,
    ceiling_seconds: float | None = None,
) -> dict[str, Any]:
    """The cell's JSON. The process should do nothing else: its peak memory is part of it.

    An engine that refuses a precision because it would be emulated makes a cell that was not run.
    """
    from bertsquad.benchmark.calibration import Calibration
    from bertsquad.benchmark.surroundings import surroundings_of
    from bertsquad.benchmark.validity import evidence, validity
    from bertsquad.data.features import Features
    from bertsquad.machine.activity import Watch
    from bertsquad.machine.noise import Meter
    from bertsquad.machine.versions import linked_libraries
    from bertsquad.model.fit import check_fit

    features = Features.open(sources.features)
    check_fit(sources.model, features, sources.features)
    cores = len(placement["allowed_cpus"])
    surroundings = surroundings_of(settings.precision, cores) | placement
    start = time.perf_counter()
    engines.library(settings.engine, settings.precision)
    surroundings["library_import_s"] = time.perf_counter() - start
    if "torch" in engines.about(settings.engine).PACKAGES:
        surroundings["versions"] |= linked_libraries()
    # Imported by name, so that editing one mode measures the cells of that mode alone again.
    mode = importlib.import_module(f"bertsquad.benchmark.{settings.mode}")
    tries.wait()
    native = engines.native(settings.precision)
    calibration = Calibration(settings.precision, native, placement["cpus"], print_phase)
    watch, meter = Watch(), Meter(calibration.progress)

    def load() -> engines.Engine:
        engine = engines.load(
            settings.engine,
            sources.model,
            precision=settings.precision,
            threads=settings.threads,
            goal=MODES[settings.mode].goal,
            quantized_dir=sources.quantized,
        )
        surroundings["kernels"] = engine.kernels
        return engine

    try:
        measured: dict[str, Any] = mode.measured(load, features, settings, sources, meter.progress)
    except engines.EmulatedPrecision as error:
        return refused(settings, placement, str(error))
    noise, activity = meter.result(), watch.result()
    surroundings |= {"activity": activity, "noise": noise, "calibration": calibration.result()}
    found = evidence(measured | surroundings, native=native, min_seconds=min_seconds)
    surroundings |= {"validity": validity(found), "min_seconds": min_seconds}
    surroundings |= ceiling(settings, ceiling_seconds)  # only now: it takes memory of its own
    return measured | surroundings | {"max_seq_length": features.max_seq_length}


def ceiling(settings: "Settings", seconds: float | None) -> dict[str, Any]:
    """The best matrix products of the precision, where `seconds` are given for each."""
    if seconds is None:
        return {}
    # By name, too: what is no part of a cell is no reason to measure it again.
    ceilings = importlib.import_module("bertsquad.benchmark.ceilings")
    return {"ceiling": ceilings.measure_ceiling(settings.precision, settings.threads, seconds)}


def refused(settings: "Settings", placement: dict[str, Any], reason: str) -> dict[str, Any]:
    """The JSON of a cell that was not run."""
    from dataclasses import asdict

    from bertsquad.benchmark.surroundings import surroundings_of

    surroundings = surroundings_of(settings.precision, len(placement["allowed_cpus"]))
    return asdict(settings) | surroundings | placement | {"refused": reason}


def print_phase(phase: str, done: int, total: int) -> None:
    """One line at the start of each phase; none between samples, which would disturb them."""
    if done == 0:
        say(f"{phase}: {total} to do" if total > 1 else phase)


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add(
        "--features",
        required=True,
        type=Path,
        metavar="FILE",
        help="features made with its vocabulary",
    )
    add("--scenario", required=True, metavar="NAME", help="name of the cell's scenario")
    add(
        "--mode",
        default=DEFAULT,
        choices=sorted(set(MODES) - set(SERVED)),
        help="see above (%(default)s)",
    )
    add(
        "--padding",
        default="none",
        choices=("max_length", "none"),
        help="batches: pad every feature to the features' max_seq_length, or keep real lengths "
        "(%(default)s)",
    )
    add(
        "--batch-size",
        required=True,
        type=batch_size,
        help="features in one batch; `auto` in the other modes: as the engine plans",
    )
    _add_amounts(add)
    add_measured_threads(parser)
    add(
        "--emulated",
        choices=("mark", "refuse"),
        default="mark",
        help="a precision that this processor lacks: measure and mark it, or do not run "
        "(%(default)s)",
    )
    add("--repeat", required=True, type=at_least(0), help="number of this repeat of the cell")
    add("--seed", default=0, type=at_least(0), help="of the choice of features (default: 0)")
    add_pace(parser)
    add(
        "--min-seconds",
        type=natural_number,
        default=0.0,
        help="mark a cell that was timed for less (default: 0, none)",
    )
    add("--output", required=True, metavar="JSON", help="the cell to write")
    args = parser.parse_args()
    if problem := contradiction(args):
        parser.error(problem)
    return args


def _add_amounts(add: Callable[..., object]) -> None:
    """Options: of what, and how much."""
    add("--count", type=at_least(1), help="features or questions at hand, or all if fewer")
    add("--dataset", type=Path, metavar="JSON", help="end_to_end: what the features were made from")
    add("--warmup", required=True, type=at_least(0), help="batches run and not counted")
    add(
        "--iterations",
        type=at_least(1),
        help="batches, or passes over all that is at hand; one sample each",
    )
    add("--seconds", type=positive_number, help="to time, about, in place of --iterations")
    add(
        "--ceiling-seconds",
        type=positive_number,
        help="afterwards measure the precision's best matrix products, so long each",
    )


def contradiction(args: argparse.Namespace) -> str:
    """What the mode needs and the options lack; "" where they fit."""
    mode = MODES[args.mode]
    if (args.iterations is None) == (args.seconds is None):
        return "either --iterations or --seconds is needed"
    if (args.batch_size is None) != mode.whole_set:
        sized = " or ".join(WITH_LATENCY)
        return f"--batch-size is a number with --mode {sized}, and `auto` with the others"
    if mode.whole_set and args.count is None:
        return f"--mode {args.mode} needs --count"
    if mode.from_texts and args.dataset is None:
        return f"--mode {args.mode} needs --dataset"
    return ""


def at_least(least: int) -> Any:
    """An argparse type: a whole number not below `least`."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is not {least} or more")
        return value

    return number


def batch_size(text: str) -> int | None:
    return None if text == "auto" else at_least(1)(text)


def main() -> None:
    args = parse_args()
    from bertsquad.benchmark.quiet import Patience
    from bertsquad.benchmark.tries import Tries, first_try

    patience = Patience(args.quiet_seconds, args.patience)
    tries = Tries(patience, args.first_try and first_try(args.first_try), say)
    # Not all of prepare(): short waits cost a few per cent where a batch takes a millisecond.
    torch_environment.keep_memory()
    placement = settle_down(args.threads, args.at_most)

    from bertsquad.benchmark.cell import Settings, Sources
    from bertsquad.files import write_json

    settings = Settings(
        engine=args.engine,
        precision=args.precision,
        scenario=args.scenario,
        mode=args.mode,
        padding=args.padding,
        batch_size=args.batch_size,
        threads=placement["threads"],
        threads_requested=str(args.threads),
        repeat=args.repeat,
        warmup_iterations=args.warmup,
        iterations=args.iterations or 1,  # whole passes at least, where `seconds` decide
        workload_seed=args.seed,
        count=args.count,
        seconds=args.seconds,
    )
    sources = Sources(args.model, args.features, args.dataset, args.quantized)
    if args.emulated == "refuse" and not engines.native(args.precision):
        reason = f"this processor has no {args.precision} and would emulate it"
        cell = refused(settings, placement, reason)
    else:
        start = time.monotonic()
        cell = measure_cell(
            *(settings, sources, placement, tries),
            min_seconds=args.min_seconds,
            ceiling_seconds=args.ceiling_seconds,
        )
        if "refused" not in cell and tries.again(cell, time.monotonic() - start):
            tries.restart(cell, placement["allowed_cpus"])
        cell["tries"] = tries.facts()
    cell["order"] = {
        **{"seed": args.order_seed, "repeat": args.repeat},
        **{"place": args.place, "of": args.places},
    }
    write_json(args.output, cell)
    print(in_short(cell))


def in_short(cell: dict[str, Any]) -> str:
    """What was measured, in one line."""
    if "refused" in cell:
        return f"not run: {cell['refused']}"
    parts = [f"{cell['features_per_second']:.2f} features/s"]
    if "questions_per_second" in cell:
        parts.append(
            f"{cell['questions_per_second']:.2f} questions/s, {cell['overhead_share']:+.1%} on the "
            f"model's time; tokenising {cell['tokenise_s']:.2f} s, decoding {cell['decode_s']:.2f} "
            f"s, model {cell['model_s']:.2f} s"
        )
    if "latency_ms" in cell:
        from bertsquad.benchmark.percentiles import in_words

        parts.append(f"latency {in_words(cell['latency_ms'])}")
    parts.append(f"peak memory {cell['peak_memory_mib']:.0f} MiB")
    if cell["tries"]["number"] > 1:
        parts.append("measured again: the first try was disturbed")
    found = cell["validity"]
    if found["reasons"]:
        from bertsquad.benchmark.validity import reasons_in_words

        parts.append(f"{found['verdict']}: {reasons_in_words(found['reasons'])}")
    return "; ".join(parts)


if __name__ == "__main__":
    exit_with(main)
