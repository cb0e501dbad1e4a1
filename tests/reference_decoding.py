"""n-best decoding the long way, one candidate after another, to hold the fast one against."""

import math

from bertsquad.answers.answer_text import get_final_text
from bertsquad.data.tokenization import split_words


def decode(
    features,
    dataset,
    vocabulary,
    start_logits,
    end_logits,
    starts,
    *,
    n_best_size=20,
    max_answer_length=30,
    null_score_diff_threshold=None,
):
    """Predictions, n best as lists of dicts, and null odds, each by question id."""
    v2 = null_score_diff_threshold is not None
    predictions, nbest, null_odds = {}, {}, {}
    words = [split_words(paragraph.context) for paragraph in dataset.paragraphs]
    windows_of = {}
    for number, question in enumerate(features.feature_question.tolist()):
        windows_of.setdefault(question, []).append(number)
    for number, question in enumerate(dataset.questions()):
        candidates = []
        null = (1000000.0, 0.0, 0.0)
        for feature in windows_of.get(number, []):
            start = [float(x) for x in start_logits[starts[feature] : starts[feature + 1]]]
            end = [float(x) for x in end_logits[starts[feature] : starts[feature + 1]]]
            if start[0] + end[0] < null[0]:
                null = (start[0] + end[0], start[0], end[0])
            window = Window(features, vocabulary, feature)
            for first in best_indexes(start, n_best_size):
                for last in best_indexes(end, n_best_size):
                    if window.is_answer(first, last, max_answer_length):
                        candidates.append((window, first, last, start[first], end[last]))
        if v2:
            candidates.append((None, 0, 0, null[1], null[2]))
        candidates.sort(key=lambda candidate: candidate[3] + candidate[4], reverse=True)
        answers = []
        for window, first, last, start_logit, end_logit in candidates:
            if len(answers) == n_best_size:
                break
            text = ""
            if window is not None:
                text = window.text(first, last, words[window.paragraph], vocabulary.lowercase)
            if text not in [answer["text"] for answer in answers]:
                answers.append({"text": text, "start_logit": start_logit, "end_logit": end_logit})
        if v2 and "" not in [answer["text"] for answer in answers]:
            answers.append({"text": "", "start_logit": null[1], "end_logit": null[2]})
        if [answer["text"] for answer in answers] in ([], [""]):
            answers.insert(0, {"text": "empty", "start_logit": 0.0, "end_logit": 0.0})
        sums = [answer["start_logit"] + answer["end_logit"] for answer in answers]
        total = 0.0
        for value in sums:
            total += math.exp(value - max(sums))
        nbest[question.id] = [
            {
                "text": answer["text"],
                "probability": math.exp(value - max(sums)) / total,
                "start_logit": answer["start_logit"],
                "end_logit": answer["end_logit"],
            }
            for answer, value in zip(answers, sums, strict=True)
        ]
        predictions[question.id] = answers[0]["text"]
        if v2:
            best = next(answer for answer in answers if answer["text"])
            odds = null[0] - best["start_logit"] - best["end_logit"]
            null_odds[question.id] = odds
            predictions[question.id] = "" if odds > null_score_diff_threshold else best["text"]
    return predictions, nbest, null_odds if v2 else None


def best_indexes(logits, n):
    return sorted(range(len(logits)), key=lambda index: logits[index], reverse=True)[:n]


class Window:
    """One feature with its tokens spelled out."""

    def __init__(self, features, vocabulary, number):
        batch = features.packed([number])
        self.tokens = [vocabulary.tokens[id_] for id_ in batch.input_ids.tolist()]
        question = int(features.feature_question[number])
        self.paragraph = int(features.question_paragraph[question])
        first_doc = int(features.question_lengths[question]) + 2
        doc_start = int(features.doc_start[number])
        passage = int(features.context_starts[self.paragraph])
        best = range(int(features.max_context_begin[number]), int(features.max_context_end[number]))
        self.token_to_word = {}
        self.is_max_context = {}
        for offset in range(int(features.doc_length[number])):
            piece = doc_start + offset
            self.token_to_word[first_doc + offset] = int(features.context_words[passage + piece])
            self.is_max_context[first_doc + offset] = piece in best

    def is_answer(self, first, last, max_answer_length):
        return (
            first in self.token_to_word
            and last in self.token_to_word
            and self.is_max_context[first]
            and first <= last < first + max_answer_length
        )

    def text(self, first, last, words, lowercase):
        joined = " ".join(self.tokens[first : last + 1]).replace(" ##", "").replace("##", "")
        original = words[self.token_to_word[first] : self.token_to_word[last] + 1]
        return get_final_text(" ".join(joined.split()), " ".join(original), lowercase)
