"""What disturbed a cell in plain words, from the short ones of summary.csv."""

from collections.abc import Callable

from bertsquad.benchmark.validity import separate


def in_plain_words(reasons: str) -> str:
    """`busy 1.5 CPUs; clock 0.11 between before and after` as `others kept 1.5 CPUs busy; the clock
    changed by 11 %`. What is not known here stays as it is."""
    return "; ".join(_plain(reason) for reason in separate(reasons))


def named(code: str) -> str:
    """A code as a phrase without its number: `others computed`. What is not known stays."""
    return _NAMES.get(code, code)


def _plain(reason: str) -> str:
    code, _, rest = reason.partition(" ")
    if code == "other_machine":
        return rest
    try:
        return _WORDS[code](float(rest.split()[0]))
    except (IndexError, KeyError, ValueError):
        return reason


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 1 else f"{100 * share:.0f} %"


def _percentiles(count: float) -> str:
    return f"too few requests for {count:.0f} percentile{'' if count == 1 else 's'}"


# By the codes of benchmark/validity.py.
_WORDS: dict[str, Callable[[float], str]] = {
    "throttled": lambda s: f"its quota held it back for {s:g} s",
    "swapped": lambda faults: f"{faults:g} page faults from the disk",
    "stolen": lambda share: f"the host took {_percent(share)} of its time",
    "waited": lambda share: f"its threads waited for a processor for {_percent(share)} of its time",
    "busy": lambda cpus: f"others kept {cpus:g} CPUs busy",
    "clock": lambda share: f"the clock changed by {_percent(share)}",
    "slow_clock": lambda share: f"the clock was {_percent(share)} below the best cell's",
    "drift": lambda share: f"it drifted by {_percent(share)} from start to end",
    "no_steady_state": lambda _: "no steady state",
    "late": lambda share: f"requests began late by {_percent(share)} of the median latency",
    "queue_model_refuted": lambda _: "its queue was not the one predicted",
    "too_short": lambda s: f"timed for {s:g} s too little",
    "emulated": lambda _: "its precision was emulated",
    "failed_f1": lambda share: f"it lost {_percent(share)} of FP32's F1",
    "too_few": _percentiles,
    "slow_phase": lambda times: f"the machine was {times:.2g} times as slow for a while",
}
_NAMES = {
    "throttled": "held back by a quota",
    "swapped": "page faults from the disk",
    "stolen": "the host took time",
    "waited": "threads waited",
    "busy": "others computed",
    "clock": "the clock changed",
    "slow_clock": "a slower clock",
    "drift": "drift",
    "no_steady_state": "no steady state",
    "late": "requests began late",
    "queue_model_refuted": "another queue than predicted",
    "too_short": "timed too briefly",
    "emulated": "an emulated precision",
    "failed_f1": "lost F1",
    "too_few": "too few requests",
    "slow_phase": "slow for a while",
    "other_machine": "another machine",
}
