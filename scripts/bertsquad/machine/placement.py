"""Where a measuring process runs, and what its result file holds of that."""

import sys
from typing import Any

from bertsquad.machine.cores import read_cores
from bertsquad.machine.threads import bind, choose_threads, spread_threads


def settle_down(threads: str | int, at_most: int | None) -> dict[str, Any]:
    """Keep this process on the processors of its threads; `all` is `at_most` so many.

    Returns how many `threads`, on which `cpus`, of which `allowed_cpus`, and `not_bound`, why not
    (None: bound).
    """
    cores = read_cores()
    if threads == "all":
        chosen = choose_threads(cores, at_most)
    else:
        chosen = spread_threads(cores, int(threads))
    if chosen.count > len(cores.allowed_cpus):
        print(
            f"warning: {chosen.count} threads on {len(cores.allowed_cpus)} allowed CPUs take turns "
            "and measure the scheduler",
            file=sys.stderr,
        )
    not_bound = bind(chosen)
    print(f"{chosen}; not bound: {not_bound}" if not_bound else chosen, file=sys.stderr)
    return {
        "threads": chosen.count,
        "cpus": list(chosen.cpus),
        "allowed_cpus": list(cores.allowed_cpus),
        "not_bound": not_bound,
    }
