"""Read the launcher's log: speed, steps, loss and scores.

Formats are those of bert_large's run_squad.py at v1.6.1, and of the inference benchmark also at
v2.4.0 and v2.7.0. Progress, steps and losses go through TensorFlow's logging, which prints
`INFO:tensorflow:...`, absl's form `I0609 07:53:35.833359 1404 file.py:2351] ...`, or both; of both,
one is read. The totals of a benchmark and the scores are printed as they are.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

PLAIN = re.compile(r"INFO:tensorflow:(.*)", re.DOTALL)
ABSL = re.compile(r"I\d{4} \d\d:\d\d:\d\d\.\d+ +\S+ \S+:\d+\] (.*)", re.DOTALL)

# Digits are bounded: Python refuses to convert thousands of them.
NUMBER = r"([0-9]{1,18}(?:\.[0-9]{1,18})?(?:e[+-]?[0-9]{1,3})?|nan|inf)"
DECIMAL = r"([0-9]{1,18}(?:\.[0-9]{1,18})?)"
COUNT = r"([0-9]{1,18})"
SPEED = re.compile(rf"examples/sec: {NUMBER}$")
STEPS = re.compile(rf" *Num steps = {COUNT}$")
BATCH = re.compile(rf" *Batch size = {COUNT}$")
EXAMPLES = re.compile(rf" *Num orig examples = {COUNT}$")
LOSS = re.compile(rf"Loss for final step: {NUMBER}\.?$")
STEP_LOSS = re.compile(rf"\s*Loss +\s*= {NUMBER} \({NUMBER} sec\)$")
ELAPSED = re.compile(
    rf"Elapsed time: {DECIMAL} num processed examples: {COUNT} threshod_examples: {COUNT}$"
)
THROUGHPUT = re.compile(
    rf"throughput\(\(num_processed_examples-threshod_examples\)/Elapsedtime\): {DECIMAL}$"
)
PROCESSED = re.compile(rf"Processed #examples: {COUNT}$")
# evaluate-v1.1.py; before Python 3.6 the order of the two varies.
SCORES = re.compile(rf'\{{"(exact_match|f1)": {DECIMAL}, "(?!\1)(exact_match|f1)": {DECIMAL}\}}')
# v2.4.0
TOTALS = re.compile(
    rf"Total examples: {COUNT}, Warmup examples: {COUNT}, Benchmark examples: {COUNT}, "
    rf"Benchmark time: {DECIMAL} secs$"
)
THROUGHPUT_2_4 = re.compile(rf"Throughput: {DECIMAL}$")
# v2.7.0
TOTAL_2_7 = re.compile(rf"Total throughput \(examples/sec\): {DECIMAL}$")


@dataclass
class Log:
    """The content of a log. A field is None or empty if no line holds it."""

    speeds: list[float] = field(default_factory=list)  # examples/sec, each from one process
    steps: int | None = None  # per process
    batch_size: int | None = None
    examples: int | None = None
    losses: list[float] = field(default_factory=list)  # during training
    final_losses: list[float] = field(default_factory=list)  # one per process
    elapsed_s: float | None = None
    processed: int | None = None
    warmup: int | None = None  # examples before the count starts
    throughput: float | None = None  # as printed
    clock_is_late: bool = False  # v1.6.1: the clock starts one batch after the count
    scores: dict[str, float] = field(default_factory=dict)  # exact_match, f1


Reader = Callable[..., None]  # of the log and the groups of a pattern


def read_log(lines: Iterable[str]) -> Log:
    """Read the lines of a log."""
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
    """The lines without TensorFlow's prefixes; a line that TensorFlow prints twice comes once."""
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


def progress(line: str) -> int | None:
    """The N of `Processed #examples: N` in any form in which TensorFlow prints it, else None."""
    match = PROCESSED.match(messages([line])[0])
    return int(match[1]) if match else None


def scores(line: str) -> dict[str, float]:
    """The scores in a line of evaluate-v1.1.py, {"exact_match": ..., "f1": ...}, else nothing."""
    if match := SCORES.fullmatch(line.strip()):
        return {match[1]: float(match[2]), match[3]: float(match[4])}
    return {}


def summed_speed(speeds: list[float], processes: int) -> float | None:
    """Examples per second of all processes together.

    Each process prints its own speed every 100 steps. The lines of all processes are in one log and
    do not name their process, so `processes` lines in a row are one round, and its speed is their
    sum. The result is the mean over the rounds, without the first (start-up) if there are several.
    """
    rounds = [
        sum(speeds[start : start + processes])
        for start in range(0, len(speeds) - processes + 1, processes)
    ]
    settled = rounds[1:] or rounds
    return sum(settled) / len(settled) if settled else None


def corrected(log: Log, batch_size: int) -> float | None:
    """Examples per second of the timed batches.

    v1.6.1 starts its clock when the first example of batch W+1 comes out, after W+1 of N batches,
    but counts N-W batches: its result is too high by (N-W)/(N-W-1), which is 25/24 for N=30, W=5.
    """
    if not log.clock_is_late or log.elapsed_s is None or not log.elapsed_s > 0:
        return log.throughput
    timed = (log.processed or 0) - (log.warmup or 0) - batch_size
    return timed / log.elapsed_s if timed > 0 else None


def take_elapsed(log: Log, seconds: str, processed: str, warmup: str) -> None:
    """The line of v1.6.1, whose clock is late."""
    log.elapsed_s, log.clock_is_late = float(seconds), True
    log.processed, log.warmup = int(processed), int(warmup)


def take_totals(log: Log, total: str, warmup: str, timed: str, seconds: str) -> None:
    """The line of v2.4.0, whose clock is right."""
    log.elapsed_s, log.clock_is_late = float(seconds), False
    log.processed, log.warmup = int(warmup) + int(timed), int(warmup)


def take(name: str, kind: type) -> Reader:
    """A reader that sets a field of the log once: after training, prediction has its own sizes."""

    def read(log: Log, text: str, *rest: str) -> None:
        if getattr(log, name) is None:
            setattr(log, name, kind(text))

    return read


def add(name: str) -> Reader:
    """A reader that appends to a list of the log."""
    return lambda log, text, *rest: getattr(log, name).append(float(text))


READERS: tuple[tuple[re.Pattern[str], Reader], ...] = (
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
