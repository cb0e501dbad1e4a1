"""comparison.json of every engine and precision: its columns of the summary, and what changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.checking import checked
from bertsquad.reporting.summary.result_files import (
    agree,
    made_on,
    model_of,
    read_object,
    required_number,
)

_NUMBERS = (
    *("questions", "minimum_f1_share", "changed_answers"),
    *("changed_answers_normalized", "changed_spans_share", "max_logit_difference"),
)
_SCORED = ("f1_difference", "better", "worse")  # None where no question has an answer


@dataclass(frozen=True, slots=True)
class Changed:
    """One question that was answered otherwise; F1 from 0 to 1."""

    question: str
    reference_answer: str
    answer: str
    gold: tuple[str, ...]
    reference_f1: float
    f1: float


@dataclass(frozen=True, slots=True)
class Change:
    """What one engine and precision of a run changes against the reference."""

    run: str
    engine: str
    precision: str
    reference: str  # engine-precision
    numbers: dict[
        str, Any
    ]  # the keys of _NUMBERS and _SCORED, f1_share (may be None), f1_low, f1_high and
    # those for other articles (may be None), gate, passed
    examples: tuple[Changed, ...]  # the largest change first
    machine: str = ""  # the kind that computed it beside what is computed once; "": that itself


def read_change(path: str | Path) -> Change:
    """A comparison.json, whose path ends in `{run}/{engine}-{precision}/comparison.json`, or by a
    kind of machine in `{run}/{engine}-{precision}/machines/{machine}/comparison.json`.

    Raises `UserError` where the file lacks a key or contradicts its path.
    """
    path = Path(path)
    machine, depth = made_on(path)
    run, engine, precision = model_of(path, depth)
    data = read_object(path)
    agree(path, data, "engine", engine)
    agree(path, data, "precision", precision)
    numbers: dict[str, Any] = {name: required_number(path, data, name) for name in _NUMBERS}
    scored = "not_scored" not in data
    for name in _SCORED:
        numbers[name] = required_number(path, data, name) if scored else None
    try:
        numbers["f1_share"] = data["f1_share"]
        numbers["passed"] = data["passed"]
        numbers["gate"] = data["gate"]
        interval = data["f1_difference_interval"] if scored else (None, None)
        numbers["f1_low"], numbers["f1_high"] = interval
        low, high = data["f1_difference_interval_articles"] or (None, None)
        numbers["f1_low_articles"], numbers["f1_high_articles"] = low, high
        reference = data["reference"]
        examples = tuple(
            Changed(
                question=each["question"],
                reference_answer=each["reference_answer"] or "",
                answer=each["answer"] or "",
                gold=tuple(each["gold_answers"]),
                reference_f1=each["reference_f1"],
                f1=each["f1"],
            )
            for each in data["examples"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: not what compare_answers.py writes ({error!r}); make it again"
        ) from None
    for each in examples:
        texts = (each.question, each.reference_answer, each.answer, *each.gold)
        shares = (each.reference_f1, each.f1)
        if not all(isinstance(text, str) for text in texts) or not all(map(_is_share, shares)):
            raise UserError(
                f"{path}: an example is not what compare_answers.py writes; make it again"
            )
    return Change(
        run,
        engine,
        precision,
        checked(path, {"reference": reference})["reference"],
        numbers,
        examples,
        machine,
    )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def comparison_row(path: str | Path) -> dict[str, Any]:
    """The columns of summary.csv in one comparison.json."""
    change = read_change(path)
    checked(path, change.numbers)
    names = (
        *("f1_share", "changed_answers", "max_logit_difference"),
        *("minimum_f1_share", "passed", "gate"),
    )
    return {
        "source": path,
        "run": change.run,
        "engine": change.engine,
        "precision": change.precision,
        "reference": change.reference,
    } | {name: change.numbers[name] for name in names}
