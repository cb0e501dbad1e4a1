"""All questions with everybody's answers, as script files that the report loads when it needs them.

A page opened by a double click may not read data files, but it may load scripts. So each file is
one call, `bertsquadQuestions(name, data)`: `index.js` holds what is searched and filtered, and each
`block-N.js` the passages, gold answers and n-best lists of _BLOCK questions.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.answers.metrics import exact_match, f1, normalize_answer
from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.squad import Dataset, Question
from bertsquad.files import read_json, write_text

BLOCK = 100  # questions in a file
_BEST = 10  # of the n-best answers
_LEAST = 1e-4  # probability of an answer that is shown


@dataclass(frozen=True, slots=True)
class Answers:
    """What one run, engine and precision answered to the questions of one dataset."""

    run: str
    engine: str
    precision: str
    predictions: Mapping[str, str]  # question id to answer
    nbest: Mapping[str, list[tuple[str, float]]]  # question id to texts and probabilities


@dataclass(frozen=True, slots=True)
class Asked:
    """A dataset's questions and all answers to them."""

    dataset: Dataset
    answers: list[Answers]


def read(dataset: Path, predictions: Sequence[Path]) -> Asked:
    """A dataset and files `{run}/{engine}-{precision}/predictions.json`, each with the
    nbest_predictions.json beside it, where there is one."""
    return Asked(squad.load(dataset, purpose="predict"), [_answers(path) for path in predictions])


def _answers(path: Path) -> Answers:
    engine, _, precision = path.parent.name.rpartition("-")
    given = read_json(path)
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise UserError(f"{path}: expected an object of question ids and answers")
    nbest = path.parent / "nbest_predictions.json"
    best = _best(nbest) if nbest.is_file() else {}
    return Answers(path.parent.parent.name, engine, precision, given, best)


def _best(path: Path) -> dict[str, list[tuple[str, float]]]:
    """The most probable answers to each question."""
    try:
        return {
            question: [
                (str(entry["text"]), float(entry["probability"]))
                for entry in entries[:_BEST]
                if entry["probability"] >= _LEAST
            ]
            for question, entries in read_json(path).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: not the n-best answers that predict.py writes ({error!r}); make it again"
        ) from None


def write(folder: Path, asked: Sequence[Asked]) -> int:
    """Write the files; return the number of questions. `index.js` comes last, so that it never
    stands beside blocks of another run."""
    places = [(number, *place) for number, each in enumerate(asked) for place in _places(each)]
    models = [(number, model) for number, each in enumerate(asked) for model in each.answers]
    (folder / "index.js").unlink(missing_ok=True)
    names = set()
    for first in range(0, len(places), BLOCK):
        name = f"block-{first // BLOCK}"
        names.add(f"{name}.js")
        _write(folder, name, _block(places[first : first + BLOCK], models))
    for old in set(folder.glob("block-*.js")):
        if old.name not in names:
            old.unlink()
    _write(folder, "index", _index(places, models, asked))
    return len(places)


def _write(folder: Path, name: str, data: Any) -> None:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_text(folder / f"{name}.js", f"bertsquadQuestions({json.dumps(name)},{text});\n")


_Place = tuple[int, str, str, Question]  # of the dataset; title, passage, question
_Model = tuple[int, Answers]  # number of its dataset, and what it answered


def _places(asked: Asked) -> Iterator[tuple[str, str, Question]]:
    """Every question with title and passage, in the dataset's order."""
    for paragraph in asked.dataset.paragraphs:
        for question in paragraph.questions:
            yield paragraph.title, paragraph.context, question


def _index(
    places: Sequence[_Place], models: Sequence[_Model], asked: Sequence[Asked]
) -> dict[str, Any]:
    """What is searched and filtered: for each question its distinct answers with their scores, and
    which of them each model gave (-1: none; null: it was not asked)."""
    titles = {title: number for number, title in enumerate(dict.fromkeys(p[1] for p in places))}
    found: dict[str, Any] = {
        "block": BLOCK,
        "datasets": [Path(each.dataset.source).name for each in asked],
        "models": [
            {"name": f"{each.run}, {each.engine} {each.precision}", "dataset": number}
            for number, each in models
        ],
        "titles": [title.replace("_", " ") for title in titles],
    }
    columns = ("id", "text", "dataset", "title", "words", "gold", "answers", "f1", "exact", "gave")
    found |= {name: [] for name in columns}
    for dataset, title, passage, question in places:
        gold = tuple(dict.fromkeys(answer.text for answer in question.answers))
        gave, answers = _given(question.id, dataset, models)
        scores = [scored(answer, gold) for answer in answers]
        row = (question.id, question.text, dataset, titles[title], len(passage.split()), gold)
        values = (*row, answers, [score[0] for score in scores], [s[1] for s in scores], gave)
        for name, value in zip(columns, values, strict=True):
            found[name].append(value)
    return found


def _given(
    question: str, dataset: int, models: Sequence[_Model]
) -> tuple[list[int | None], list[str]]:
    """The number of each model's answer among the distinct ones, and these."""
    answers: dict[str, int] = {}
    gave: list[int | None] = []
    for number, model in models:
        if number != dataset:
            gave.append(None)
        elif question not in model.predictions:
            gave.append(-1)
        else:
            gave.append(answers.setdefault(model.predictions[question], len(answers)))
    return gave, list(answers)


def scored(answer: str, gold: Sequence[str]) -> tuple[float, int]:
    """F1 (0 to 1) and exact match (0 or 1), the best of all gold answers. Of a question without one
    it is right to answer nothing."""
    if not gold:
        nothing = int(not normalize_answer(answer))
        return float(nothing), nothing
    overlap = max(f1(answer, text) for text in gold)
    return round(overlap, 9), int(any(exact_match(answer, text) for text in gold))


def _block(places: Sequence[_Place], models: Sequence[_Model]) -> dict[str, Any]:
    """Passages, gold answers with their places, and n-best lists: each entry is the number of its
    text among the question's, and its probability."""
    passages: dict[str, int] = {}
    questions = []
    for dataset, _title, passage, question in places:
        texts: dict[str, int] = {}
        nbest = [
            [
                [texts.setdefault(text, len(texts)), round(probability, 4)]
                for text, probability in model.nbest.get(question.id, [])
            ]
            if number == dataset
            else None
            for number, model in models
        ]
        questions.append(
            {
                "passage": passages.setdefault(passage, len(passages)),
                "gold": [list(place) for place in _gold_places(passage, question)],
                "texts": list(texts),
                "nbest": nbest,
            }
        )
    return {"passages": list(passages), "questions": questions}


def _gold_places(passage: str, question: Question) -> list[tuple[int, int]]:
    """Start and end of each distinct gold answer, in UTF-16 units, as a browser counts. One without
    an offset is where its text is first found, or nowhere."""
    found = {}
    for answer in question.answers:
        start = answer.start if answer.start >= 0 else passage.find(answer.text)
        if start >= 0 and answer.text:
            found[_units(passage[:start]), _units(passage[: start + len(answer.text)])] = True
    return sorted(found)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
