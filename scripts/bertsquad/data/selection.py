"""A smaller dataset out of a larger one: some of its short paragraphs, spread over all of it."""

from typing import Any

from bertsquad.console.errors import UserError


def select(data: dict[str, Any], *, questions: int, longest_context: int) -> dict[str, Any]:
    """A SQuAD file's content cut down to at least `questions` questions, or all there are.

    Only paragraphs of at most `longest_context` characters count. They are taken evenly from the
    whole file: one is taken whenever less than the wanted share of the questions so far has been.
    Articles, paragraphs and questions keep their order and content; articles of which nothing is
    left go. Raises UserError when no paragraph is short enough.
    """
    short = [
        article
        | {"paragraphs": [p for p in article["paragraphs"] if len(p["context"]) <= longest_context]}
        for article in data["data"]
    ]
    available = sum(len(p["qas"]) for article in short for p in article["paragraphs"])
    if not available:
        raise UserError(f"no context of at most {longest_context} characters; allow longer ones")
    seen = taken = 0
    for article in short:
        kept = []
        for paragraph in article["paragraphs"]:
            seen += len(paragraph["qas"])
            if taken * available < min(questions, available) * seen:
                taken += len(paragraph["qas"])
                kept.append(paragraph)
        article["paragraphs"] = kept
    return data | {"data": [article for article in short if article["paragraphs"]]}
