"""The questions that all programs turn into features."""

import json
from dataclasses import dataclass
from pathlib import Path

MAX_SEQ_LENGTH, DOC_STRIDE, MAX_QUERY_LENGTH = 384, 128, 64
CHECKED = 50  # questions whose features are compared


@dataclass(frozen=True, slots=True)
class Example:
    context: str
    question: str
    answer: tuple[str, int]  # text and answer_start


def read(path: Path, at_most: int) -> list[Example]:
    """Examples of a SQuAD file, spread evenly over it by question: all, or `at_most` of them."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    found = [
        Example(
            paragraph["context"],
            entry["question"],
            (entry["answers"][0]["text"], entry["answers"][0]["answer_start"]),
        )
        for article in articles
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
    ]
    step = max(1, len(found) // at_most)
    return found[::step][:at_most]


def first(path: Path) -> list[Example]:
    """The first questions, whose features are compared."""
    return read(path, 10**9)[:CHECKED]


def lowercase(model_dir: Path) -> bool:
    """Whether the model reads lower-cased text."""
    return bool(json.loads((model_dir / "tokenizer_config.json").read_text())["do_lower_case"])
