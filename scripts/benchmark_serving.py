"""Measure one cell under load: an engine in a layout of processes, requests and threads.

Example:
    python scripts/benchmark_serving.py --engine torch --precision bf16 --mode server \\
        --layout 2x1x1 --load share0.7 --scenario server --seconds 60 --repeat 1 \\
        --model results/demo/model --features results/resources/features/dev.safetensors \\
        --output results/demo/torch-bf16/benchmark/server/layout2x1x1-share0.7-repeat1.json

A layout is instances x streams x threads: processes, requests under way in each, threads for one.
Modes: `saturated`, every lane always busy (load saturated); `server`, open arrivals at a `share` of
the capacity that is measured first, at a `rate` a second, or at the highest rate whose p99 stays
within an `slo` in milliseconds. Raw samples go into a .npz file beside the output.
"""

import argparse
import importlib
import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.benchmark.modes import SERVED
from bertsquad.console.arguments import (
    add_engine_options,
    add_pace,
    command_parser,
    natural,
    natural_number,
    positive,
)
from bertsquad.console.errors import UserError, exit_with, one_line
from bertsquad.console.progress import say

if TYPE_CHECKING:
    from bertsquad.benchmark.layout import Layout
    from bertsquad.benchmark.serving import ServingSettings
    from bertsquad.benchmark.tries import Tries


def measure_cell(
    args: argparse.Namespace, settings: "ServingSettings", layout: "Layout", tries: "Tries"
) -> dict[str, Any]:
    """The cell's JSON; the samples are written. Nothing is computed in this process."""
    from bertsquad.benchmark.fleet import Fleet
    from bertsquad.benchmark.layout import deal
    from bertsquad.benchmark.serving import Serving, write_samples
    from bertsquad.benchmark.surroundings import surroundings_of
    from bertsquad.benchmark.validity import evidence, validity
    from bertsquad.data.features import Features
    from bertsquad.machine.cores import read_cores
    from bertsquad.model.fit import check_fit

    features = Features.open(args.features)
    check_fit(args.model, features, args.features)
    engines.check_able(args.engine, args.precision)
    surroundings = surroundings_of(settings.precision)
    places = deal(layout, read_cores())
    job = {
        "engine": args.engine,
        "precision": args.precision,
        "model": str(args.model),
        "quantized": None if args.quantized is None else str(args.quantized),
        "features": str(args.features),
        "streams": layout.streams,
        "threads": layout.threads,
    }
    # Imported by name, so that editing one mode measures the cells of that mode alone again.
    mode = importlib.import_module(f"bertsquad.benchmark.{settings.mode}")
    tries.wait()
    print_phase("load", 0, 1)
    with Fleet("bertsquad.benchmark.served_engine:open_lanes", job, places) as fleet:
        serving = Serving(fleet, layout, features.lengths, settings, print_phase)
        warm_up = serving.warm_up()
        found, samples = mode.measured(serving)
        described = serving.describe_layout(places)
        loaded = fleet.facts
    write_samples(samples_path(args.output), samples)
    surroundings["versions"] |= loaded[0].get("linked", {})
    known = evidence(found, native=surroundings["native"], min_seconds=args.min_seconds)
    return {
        **settings.describe(),
        **found,
        **surroundings,
        "layout": described,
        "warm_up": warm_up,
        "model_load_s": max(facts["model_load_s"] for facts in loaded),
        "library_import_s": max(facts["library_import_s"] for facts in loaded),
        "kernels": loaded[0]["kernels"],
        "peak_memory_mib": described["peak_pss_mib"],
        "max_seq_length": features.max_seq_length,
        "validity": validity(known),
        "min_seconds": args.min_seconds,
    }


def samples_path(output: str) -> Path:
    """`cell.json` -> `cell-samples.npz`."""
    return Path(output).with_name(f"{Path(output).stem}-samples.npz")


def print_phase(phase: str, done: int, total: int) -> None:
    """One line at the start of each phase."""
    say(f"{phase}: {total} to do" if total > 1 else phase)


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_engine_options(parser, engines.PRECISIONS)
    add = parser.add_argument
    add("--features", required=True, type=Path, metavar="FILE", help="made with its vocabulary")
    add("--scenario", required=True, metavar="NAME", help="name of the cell's scenario")
    add("--mode", required=True, choices=SERVED, help="see above")
    add("--layout", required=True, help="as 2x1x1; auto: 1x1 x all cores of a socket")
    add("--at-most", type=positive, metavar="N", help="no layout takes more than N cores")
    add("--load", default="saturated", help="as share0.7, rate12.5, slo300 (%(default)s)")
    add("--seconds", type=seconds, default=20.0, help="length of the run (%(default)s)")
    add(
        "--requests",
        type=positive,
        default=368,
        help="server: requests at least (%(default)s, which p99 takes)",
    )
    add(
        "--capacity-seconds",
        type=seconds,
        default=20.0,
        help="server: how long capacity and services are measured first (%(default)s)",
    )
    add(
        "--arrivals",
        type=json.loads,
        default={"kind": "poisson"},
        metavar="JSON",
        help='server: {"kind": "poisson"}, constant, gamma, on_off or trace, and what it takes',
    )
    add("--max-tokens", type=positive, help="a free lane takes requests of so many tokens at once")
    add(
        "--wait-ms",
        type=natural_number,
        default=0.0,
        help="how long it waits for more (%(default)s)",
    )
    add("--emulated", choices=("mark", "refuse"), default="mark", help="a precision it lacks")
    add("--repeat", required=True, type=natural, help="number of this repeat of the cell")
    add("--seed", default=0, type=natural, help="of arrivals and features (%(default)s)")
    add_pace(parser)
    add(
        "--min-seconds",
        type=natural_number,
        default=0.0,
        help="mark a cell that was timed for less (default: 0, none)",
    )
    add("--output", required=True, metavar="JSON", help="the cell to write")
    return parser.parse_args()


def seconds(text: str) -> float:
    """An argparse type: a number above 0."""
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def settings_of(args: argparse.Namespace, layout: "Layout") -> "ServingSettings":
    """Each repeat has a seed of its own."""
    from bertsquad.benchmark.loads import read_load
    from bertsquad.benchmark.serving import ServingSettings

    load = read_load(args.load)
    if (load.kind == "saturated") != (args.mode == "saturated"):
        raise UserError(f"load {args.load} has no part in mode {args.mode}; see --help")
    check_arrivals(args.arrivals)
    if args.wait_ms and args.max_tokens is None:
        raise UserError("--wait-ms has no part without --max-tokens: a lane takes one request")
    return ServingSettings(
        engine=args.engine,
        precision=args.precision,
        scenario=args.scenario,
        mode=args.mode,
        load=str(load),
        threads=layout.cores,
        threads_requested=args.layout,
        repeat=args.repeat,
        workload_seed=1000 * args.seed + args.repeat,
        seconds=args.seconds,
        requests_at_least=args.requests,
        capacity_seconds=args.capacity_seconds,
        arrivals=args.arrivals,
        max_tokens=args.max_tokens,
        wait_ms=args.wait_ms,
    )


def check_arrivals(arrivals: Any) -> None:
    """UserError for arrivals that cannot be made, before the model is loaded."""
    from bertsquad.benchmark.arrivals import make_arrivals, read_trace

    try:
        if arrivals["kind"] == "trace":
            read_trace(arrivals["file"])
        else:
            make_arrivals(1.0, 2, 0, **arrivals)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"--arrivals: found {json.dumps(arrivals)} ({error}); expected a kind, poisson, "
            "constant, gamma, on_off or trace, and what it takes; see --help"
        ) from None


def main() -> None:
    args = parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a fleet's folder goes, too

    from bertsquad.benchmark.fleet import LostInstanceError
    from bertsquad.benchmark.layout import read_layout
    from bertsquad.benchmark.quiet import Patience
    from bertsquad.benchmark.tries import Tries, first_try
    from bertsquad.files import write_json, written_whole
    from bertsquad.machine.cores import read_cores

    patience = Patience(args.quiet_seconds, args.patience)
    tries = Tries(patience, args.first_try and first_try(args.first_try), say)
    layout = read_layout(args.layout, read_cores(), args.at_most)
    settings = settings_of(args, layout)
    if args.emulated == "refuse" and not engines.native(args.precision):
        reason = f"this processor has no {args.precision} and would emulate it"
        cell = refused(settings, reason)
    else:
        try:
            start = time.monotonic()
            cell = measure_cell(args, settings, layout, tries)
            if tries.again(cell, time.monotonic() - start):
                tries.restart(cell, read_cores().allowed_cpus)
            cell["tries"] = tries.facts()
        except engines.EmulatedPrecision as error:
            cell = refused(settings, str(error))
        except LostInstanceError as error:
            print(one_line(f"{Path(sys.argv[0]).name}: error: {error}"), file=sys.stderr)
            sys.exit(1)
    if "refused" in cell:
        with written_whole(samples_path(args.output)):
            pass  # empty: nothing was run
    cell["order"] = {
        **{"seed": args.order_seed, "repeat": args.repeat},
        **{"place": args.place, "of": args.places},
    }
    write_json(args.output, cell)
    print(in_short(cell))


def refused(settings: "ServingSettings", reason: str) -> dict[str, Any]:
    """The JSON of a cell that was not run."""
    from bertsquad.benchmark.surroundings import surroundings_of

    return settings.describe() | surroundings_of(settings.precision) | {"refused": reason}


def in_short(cell: dict[str, Any]) -> str:
    """What was measured, in one line."""
    if "refused" in cell:
        return f"not run: {cell['refused']}"
    layout = "x".join(str(cell["layout"][name]) for name in ("instances", "streams", "threads"))
    parts = [f"layout {layout}: capacity {cell['capacity']['features_per_second']:.2f} features/s"]
    if cell["mode"] == "server":
        from bertsquad.benchmark.percentiles import in_words

        arrivals, twin = cell["arrivals"], cell["twin"]
        parts.append(f"{arrivals['rate']:.2f} a second, {arrivals['share']:.0%} of it")
        parts.append(f"latency {in_words(cell['latency_ms'])}")
        parts.append(f"twin {twin['verdict']}, p99 {twin['p99_ms']['at_load']['value']:.1f} ms")
    if "search" in cell:
        found = cell["search"]
        parts.append(f"within {cell['slo']['ms']:g} ms: {found['rate']:.2f}/s, {found['status']}")
        if found["stopped"]:
            parts.append(f"no time for another run: {found['stopped']}")
    parts.append(f"memory {cell['peak_memory_mib']:.0f} MiB")
    if cell["tries"]["number"] > 1:
        parts.append("measured again: the first try was disturbed")
    if reasons := cell["validity"]["reasons"]:
        from bertsquad.benchmark.validity import reasons_in_words

        parts.append(f"{cell['validity']['verdict']}: {reasons_in_words(reasons)}")
    return "; ".join(parts)


if __name__ == "__main__":
    exit_with(main)
