"""What the machine reaches at best in one precision, measured in turns with everybody else."""

import argparse
from typing import Any

from bertsquad.benchmark.ceilings import measure_precision, tried_paths
from protocol import serve

SECONDS = 0.25  # for each of a layer's four products


class Ceiling:
    def __init__(self, args: argparse.Namespace) -> None:
        import time

        from bertsquad.engines import native

        self.clock = time.perf_counter
        self.native = native(args.precision)
        self.paths, self.left_out = tried_paths(args.precision, args.threads, self.clock)

    def check(self) -> list[float]:
        return []  # products of random matrices: there is nothing to agree on

    def run(self) -> float:
        """GFLOP/s."""
        measured = measure_precision(self.paths, self.left_out, self.native, SECONDS, self.clock)
        return float(measured["gflops"])


def rate(ceiling: Ceiling, turn_s: float) -> dict[str, Any]:
    """The ceiling is sampled for a time of its own, whatever a turn takes."""
    begin = ceiling.clock()
    gflops = ceiling.run()
    return {"gflops": gflops, "seconds": ceiling.clock() - begin}


if __name__ == "__main__":
    serve(Ceiling, "torch", measure=rate)
