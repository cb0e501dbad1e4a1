"""A smaller dataset out of a larger one: some of its short paragraphs, spread over all of it."""

from typing import Any

from bertsquad.errors import UserError


def select(data: dict[str, Any], *, questions: int, longest_context: int) -> dict[str, Any]:
    """A SQuAD file's content cut down to at least `questions` questions, or all there are.

    Of the paragraphs of at most `longest_context` characters every n-th is taken, n as large as the
    number of questions allows. Articles, paragraphs and questions keep their order and content;
    articles of which nothing is left go. Raises UserError when no paragraph is short enough.
    """
    paragraphs = [
        (number, paragraph)
        for number, article in enumerate(data["data"])
        for paragraph in article["paragraphs"]
        if len(paragraph["context"]) <= longest_context
    ]
    if not paragraphs:
        raise UserError(f"no context of at most {longest_context} characters; allow longer ones")
    available = sum(len(paragraph["qas"]) for _, paragraph in paragraphs)
    step = max(1, available // questions)
    while step > 1 and sum(len(p["qas"]) for _, p in paragraphs[::step]) < questions:
        step -= 1
    chosen, found = {}, 0
    for number, paragraph in paragraphs[::step]:
        if found < questions:
            chosen.setdefault(number, []).append(paragraph)
            found += len(paragraph["qas"])
    articles = [data["data"][number] | {"paragraphs": kept} for number, kept in chosen.items()]
    return data | {"data": articles}
