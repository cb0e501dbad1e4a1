"""The launcher's log: what it printed of speed, steps, loss and scores.

Formats: run_squad.py of bert_large at v1.6.1, and of the inference benchmark also as of v2.4.0 and
v2.7.0. TensorFlow may print each of its lines twice, once as `INFO:tensorflow:...` and once in
absl's form `I0609 07:53:35.833359 1404 file.py:2351] ...`; one of the two is read.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

PLAIN = re.compile(r"INFO:tensorflow:(.*)", re.DOTALL)
ABSL = re.compile(r"I\d{4} \d\d:\d\d:\d\d\.\d+ +\S+ \S+:\d+\] (.*)", re.DOTALL)

NUMBER = r"([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|nan)"
SPEED = re.compile(rf"examples/sec: {NUMBER}$")
STEPS = re.compile(r" *Num steps = (\d+)$")
BATCH = re.compile(r" *Batch size = (\d+)$")
EXAMPLES = re.compile(r" *Num orig examples = (\d+)$")
LOSS = re.compile(rf"Loss for final step: {NUMBER}\.?$")
STEP_LOSS = re.compile(rf"\s*Loss +\s*= {NUMBER} \({NUMBER} sec\)$")
ELAPSED = re.compile(
    r"Elapsed time: ([0-9.]+) num processed examples: (\d+) threshod_examples: (\d+)$"
)
THROUGHPUT = re.compile(
    r"throughput\(\(num_processed_examples-threshod_examples\)/Elapsedtime\): ([0-9.]+)$"
)
PROCESSED = re.compile(r"Processed #examples: (\d+)$")
# v2.4.0
TOTALS = re.compile(
    r"Total examples: (\d+), Warmup examples: (\d+), Benchmark examples: (\d+), "
    r"Benchmark time: ([0-9.]+) secs$"
)
THROUGHPUT_2_4 = re.compile(r"Throughput: ([0-9.]+)$")
# v2.7.0
TOTAL_2_7 = re.compile(r"Total throughput \(examples/sec\): ([0-9.]+)$")


@dataclass
class Log:
    """What a log says. None or empty: it does not say."""

    speeds: list[float] = field(default_factory=list)  # examples/sec, each of one process
    steps: int | None = None  # of one process
    batch_size: int | None = None
    examples: int | None = None
    losses: list[float] = field(default_factory=list)  # on the way
    final_losses: list[float] = field(default_factory=list)  # one per process
    elapsed_s: float | None = None
    processed: int | None = None
    warmup: int | None = None  # examples before the clock starts
    throughput: float | None = None  # as printed
    clock_is_late: bool = False  # the clock starts a batch after the count: v1.6.1
    scores: dict[str, float] = field(default_factory=dict)  # exact_match, f1


def read_log(lines: Iterable[str]) -> Log:
    """What these lines say."""
    log = Log()
    for line in messages(lines):
        for pattern, take in READERS:
            if match := pattern.match(line):
                take(log, *match.groups())
                break
        else:
            if line.startswith("{"):
                log.scores |= scores(line)
    return log


def messages(lines: Iterable[str]) -> list[str]:
    """The lines without TensorFlow's prefixes, and each of TensorFlow's once."""
    stripped = [line.rstrip("\r\n") for line in lines]
    has_plain = any(PLAIN.match(line) for line in stripped)
    kept = []
    for line in stripped:
        if match := PLAIN.match(line):
            kept.append(match[1])
        elif match := ABSL.match(line):
            if not has_plain:
                kept.append(match[1])
        else:
            kept.append(line)
    return kept


def scores(line: str) -> dict[str, float]:
    """What evaluate-v1.1.py prints: {"exact_match": ..., "f1": ...}."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    wanted = {"exact_match", "f1"}
    return found if isinstance(found, dict) and found.keys() == wanted else {}


def summed_speed(speeds: list[float], processes: int) -> float | None:
    """Examples per second of all processes together.

    Each process prints its own speed every 100 steps, and the lines of all stand in one log without
    saying whose they are: so `processes` lines in a row are one round, and their sum its speed. The
    mean of the rounds counts, without the first, which holds the start, where there are more.
    """
    rounds = [
        sum(speeds[start : start + processes])
        for start in range(0, len(speeds) - processes + 1, processes)
    ]
    settled = rounds[1:] or rounds
    return sum(settled) / len(settled) if settled else None


def corrected(log: Log, batch_size: int) -> float | None:
    """Examples per second of the timed batches.

    v1.6.1 starts its clock when the first example of batch W+1 comes out, so after W+1 of N
    batches, and still counts N-W of them: (N-W)/(N-W-1) too many, 25/24 for 30 and 5.
    """
    if not log.clock_is_late or log.elapsed_s is None or not log.elapsed_s > 0:
        return log.throughput
    timed = (log.processed or 0) - (log.warmup or 0) - batch_size
    return timed / log.elapsed_s if timed > 0 else None


def take_elapsed(log: Log, seconds: str, processed: str, warmup: str) -> None:
    log.elapsed_s, log.clock_is_late = float(seconds), True
    log.processed, log.warmup = int(processed), int(warmup)


def take_totals(log: Log, total: str, warmup: str, timed: str, seconds: str) -> None:
    log.elapsed_s, log.clock_is_late = float(seconds), False
    log.processed, log.warmup = int(warmup) + int(timed), int(warmup)


def take(name: str, kind: type) -> object:
    """Set a field of the log."""
    return lambda log, text, *rest: setattr(log, name, kind(text))


def add(name: str) -> object:
    """Add to a list of the log."""
    return lambda log, text, *rest: getattr(log, name).append(float(text))


READERS = (
    (SPEED, add("speeds")),
    (STEPS, take("steps", int)),
    (BATCH, take("batch_size", int)),
    (EXAMPLES, take("examples", int)),
    (LOSS, add("final_losses")),
    (STEP_LOSS, add("losses")),
    (ELAPSED, take_elapsed),
    (TOTALS, take_totals),
    (THROUGHPUT, take("throughput", float)),
    (THROUGHPUT_2_4, take("throughput", float)),
    (TOTAL_2_7, take("throughput", float)),
)
