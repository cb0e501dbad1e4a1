"""Measure one cell: one engine, precision, batch size and number of threads on this machine.

Example:
    python scripts/benchmark_inference.py --engine torch --precision bf16 --threads 2 \\
        --scenario real_lengths --padding none --batch-size 8 \\
        --warmup 5 --iterations 50 --repeat 1 \\
        --model results/demo/model --features results/resources/features/dev.safetensors \\
        --output results/demo/torch-bf16/benchmark/real_lengths/batch8-threads2-repeat1.json
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bertsquad import torch_environment
from bertsquad.errors import exit_with
from bertsquad.machine.cpu import allowed_cpus
from bertsquad.machine.threads import Team, default_team, settle, team_of

if TYPE_CHECKING:
    from bertsquad.benchmark.cell import Settings


def settle_down(threads: str | int, at_most: int | None) -> dict[str, Any]:
    """Keep this process on the processors of its threads; `all` is `at_most` so many. What the cell
    says of it: how many `threads`, on which `cpus`, of which `allowed_cpus`, and `not_bound`, why
    not (None: bound)."""
    allowed = allowed_cpus()
    team: Team = default_team(at_most) if threads == "all" else team_of(int(threads))
    if team.threads > len(allowed):
        print(
            f"warning: {team.threads} threads on {len(allowed)} allowed CPUs take turns and "
            "measure the scheduler",
            file=sys.stderr,
        )
    not_bound = settle(team)
    print(f"{team}; not bound: {not_bound}" if not_bound else team, file=sys.stderr)
    return {
        "threads": team.threads,
        "cpus": list(team.cpus),
        "allowed_cpus": allowed,
        "not_bound": not_bound,
    }


def measure_cell(
    settings: "Settings", model: str, features_path: str, placement: dict[str, Any]
) -> dict[str, Any]:
    """The cell's JSON. The process should do nothing else: its peak memory is part of it."""
    from bertsquad import engines
    from bertsquad.benchmark.cell import describe_cell
    from bertsquad.benchmark.scenario import measure
    from bertsquad.benchmark.workload import make_workload
    from bertsquad.features import Features
    from bertsquad.machine.activity import Watch
    from bertsquad.machine.versions import linked_libraries
    from bertsquad.model_fit import check_fit

    features = Features.open(features_path)
    check_fit(model, features, features_path)
    workload = make_workload(
        features.lengths,
        batch_size=settings.batch_size,
        warmup=settings.warmup_iterations,
        iterations=settings.iterations,
        seed=settings.workload_seed,
    )
    surroundings = describe_surroundings(settings) | placement
    start = time.perf_counter()
    engines.library(settings.engine, settings.precision)
    surroundings["library_import_s"] = time.perf_counter() - start
    if settings.engine == "torch":
        surroundings["versions"] |= linked_libraries()
    watch = Watch()
    measurement = measure(
        lambda: engines.load(
            settings.engine, model, precision=settings.precision, threads=settings.threads
        ),
        features,
        workload,
        padding=settings.padding,
        progress=print_phase,
    )
    surroundings["activity"] = watch.result()
    return describe_cell(
        settings, measurement, surroundings | {"max_seq_length": features.max_seq_length}
    )


def describe_surroundings(settings: "Settings") -> dict[str, Any]:
    """What else was true of the machine when the measurement began."""
    from bertsquad import engines
    from bertsquad.containers.identity import describe_container
    from bertsquad.machine.cpu import cpu_model
    from bertsquad.machine.kernel import load_average, measurement_environment
    from bertsquad.machine.versions import versions

    return {
        "native": engines.native(settings.precision),
        "cpu": cpu_model(),
        "load_average": load_average(),
        "environment": measurement_environment(),
        "versions": versions(),
        "container": describe_container(),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def print_phase(phase: str, done: int, total: int) -> None:
    """One line at the start of each phase; none between samples, which would disturb them."""
    if done == 0:
        print(f"{phase}: {total} to do" if total > 1 else phase, file=sys.stderr, flush=True)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--engine", required=True, help="what runs the model: torch")
    add("--precision", required=True, help="fp32 or bf16")
    add("--model", required=True, metavar="DIR", help="folder with the fine-tuned model")
    add("--features", required=True, metavar="FILE", help="features made with its vocabulary")
    add("--scenario", required=True, metavar="NAME", help="name of the cell's scenario")
    add(
        "--padding",
        required=True,
        choices=("max_length", "none"),
        help="pad every feature to the features' max_seq_length, or keep real lengths",
    )
    add("--batch-size", required=True, type=at_least(1), help="features in one batch")
    add(
        "--threads",
        required=True,
        type=threads,
        help="threads of one matrix product; `all`: one for each core of a socket, as far as this "
        "process may use them, within its CPU quota",
    )
    add("--at-most", type=at_least(1), metavar="N", help="`all` is no more than N threads")
    add("--warmup", required=True, type=at_least(0), help="batches run and not counted")
    add("--iterations", required=True, type=at_least(1), help="batches timed, one sample each")
    add("--repeat", required=True, type=at_least(0), help="number of this repeat of the cell")
    add("--seed", default=0, type=at_least(0), help="of the choice of features (default: 0)")
    add("--output", required=True, metavar="JSON", help="the cell to write")
    return parser.parse_args()


def at_least(least: int) -> Any:
    """An argparse type: a whole number not below `least`."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is not {least} or more")
        return value

    return number


def threads(text: str) -> str | int:
    return "all" if text == "all" else at_least(1)(text)


def main() -> None:
    args = parse_args()
    # Not all of prepare(): short waits cost a few per cent where a batch takes a millisecond.
    torch_environment.keep_memory()
    placement = settle_down(args.threads, args.at_most)

    from bertsquad.benchmark.cell import Settings
    from bertsquad.files import write_json

    settings = Settings(
        engine=args.engine,
        precision=args.precision,
        scenario=args.scenario,
        padding=args.padding,
        batch_size=args.batch_size,
        threads=placement["threads"],
        threads_requested=str(args.threads),
        repeat=args.repeat,
        warmup_iterations=args.warmup,
        iterations=args.iterations,
        workload_seed=args.seed,
    )
    cell = measure_cell(settings, args.model, args.features, placement)
    write_json(args.output, cell)
    latency = cell["latency_ms"]
    print(
        f"{cell['features_per_second']:.2f} features/s; latency p50 {latency['p50']:.1f} ms, "
        f"p99 {latency['p99']:.1f} ms; peak memory {cell['peak_memory_mib']:.0f} MiB"
    )


if __name__ == "__main__":
    exit_with(main)
