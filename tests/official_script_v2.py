"""A second implementation of what evaluate-v2.0.py does, from its documented behaviour.

Question by question where ours goes score by score. An answer is right for an unanswerable question
where nothing of it counts; a question whose number is above the threshold counts as answered by
nothing; the best threshold is found by trying every number of the file, each from the start.
"""

from official_script import word_overlap, words


def evaluate(
    articles: list,
    predictions: dict[str, str],
    numbers: dict[str, float] | None = None,
    threshold: float = 1.0,
) -> dict[str, float]:
    """The figures in the order in which they are printed."""
    asked = {}
    for article in articles:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                asked[question["id"]] = [answer["text"] for answer in question["answers"]]
    raw = {id_: judged(predictions[id_], golds) for id_, golds in asked.items()}
    final = {
        id_: (float(not asked[id_]),) * 2
        if numbers is not None and numbers[id_] > threshold
        else pair
        for id_, pair in raw.items()
    }
    result = figures(list(final.values()))
    for prefix, answerable in (("HasAns", True), ("NoAns", False)):
        chosen = [pair for id_, pair in final.items() if bool(asked[id_]) is answerable]
        if chosen:
            result.update({f"{prefix}_{key}": value for key, value in figures(chosen).items()})
    if numbers is not None:
        for column, name in enumerate(("exact", "f1")):
            best = best_threshold(raw, column, asked, predictions, numbers)
            result[f"best_{name}"], result[f"best_{name}_thresh"] = best
    return result


def judged(answer: str, golds: list[str]) -> tuple[float, float]:
    """Exact match and F1, each of the gold answer that it is best for."""
    real = [gold for gold in golds if words(gold)]
    if not real:
        nothing = int(not words(answer))
        return nothing, nothing
    match = int(any(words(answer) == words(gold) for gold in real))
    return match, max(word_overlap(answer, gold) if words(answer) else 0 for gold in real)


def figures(pairs: list[tuple[float, float]]) -> dict[str, float]:
    """Means in percent, added by Python's own sum."""
    return {
        "exact": 100.0 * sum(exact for exact, _ in pairs) / len(pairs),
        "f1": 100.0 * sum(f1 for _, f1 in pairs) / len(pairs),
        "total": len(pairs),
    }


def best_threshold(
    raw: dict[str, tuple[float, float]],
    column: int,
    asked: dict[str, list[str]],
    predictions: dict[str, str],
    numbers: dict[str, float],
) -> tuple[float, float]:
    """The best mean in percent and its threshold: the first of equally good ones."""
    order = sorted(numbers.items(), key=lambda item: item[1])  # equal ones stay in file order
    order = [(id_, number) for id_, number in order if id_ in raw]
    tried = [(sum(not golds for golds in asked.values()), 0.0)]
    for count in range(1, len(order) + 1):
        total = tried[0][0]
        for id_, _ in order[:count]:
            if asked[id_]:
                total += raw[id_][column]
            elif predictions[id_]:
                total -= 1
        tried.append((total, order[count - 1][1]))
    total, threshold = max(tried, key=lambda pair: pair[0])
    return 100.0 * total / len(raw), threshold
