"""Ask a model questions about a text: the best answers, how probable, and where they stand.

Examples:
    bertsquad ask --model models/mine "Who founded it?" --text page.txt
    bertsquad ask --model models/mine --text page.txt     # asks for questions until Ctrl-D
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bertsquad import engines
from bertsquad.console.arguments import command_parser, finite_number, positive
from bertsquad.console.errors import UserError, exit_with, note, one_line
from bertsquad.machine import torch_environment
from bertsquad.machine.threads import take_cores

if TYPE_CHECKING:
    from bertsquad import api

NO_ANSWER = "(no answer in this text)"
AROUND = 60  # characters of the passage shown on either side of an answer
ALL_CORES = 4096
MOST = 1000  # more than there are of one question


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("question", nargs="?", help="left out: questions are read from the terminal, one a line")
    add("--model", required=True, type=Path, metavar="DIR", help="folder with the fine-tuned model")
    add("--text", metavar="FILE", help="UTF-8 text to look in; - is the standard input")
    add(
        "--engine",
        choices=list(engines.PRECISIONS),
        help="what runs the model; default: the first that is installed",
    )
    add("--precision", default="fp32", help="fp32, bf16 or int8, as far as the engine has it")
    add("--quantized", type=Path, metavar="DIR", help="for int8: what quantize made of the model")
    add("--n-best", type=positive, default=3, help="answers to show, of at most 20 (default: 3)")
    add(
        *("--no-answer", "--version-2-with-negative"),
        action="store_true",
        help="the text may hold no answer: for models trained on such questions (SQuAD 2.0)",
    )
    add(
        "--null-score-diff-threshold",
        type=finite_number,
        metavar="X",
        help="the same; it has none where that scores higher than the best answer by more (0.0)",
    )
    add("--json", action="store_true", help="a JSON object a question, for programs")
    return parser.parse_args()


def read_passage(name: str | None, question: str | None) -> str:
    """The text to look in; `UserError` for what is no text."""
    if name is None and (sys.stdin.isatty() or question is None):
        raise UserError("no text to look in; name a file by --text FILE, or - for standard input")
    if name in (None, "-") and question is None:
        raise UserError(
            "--text - takes the standard input, so give the question on the command line"
        )
    where = "standard input" if name in (None, "-") else name
    try:
        data = sys.stdin.buffer.read() if name in (None, "-") else Path(str(name)).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{name}: no such file; expected a text to look in") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where}: not UTF-8 text (byte {error.start}); expected plain text: save a document "
            "or PDF as text first"
        ) from None
    if "\0" in text:
        raise UserError(f"{where}: a binary file (it has NUL bytes); expected plain text")
    if not text.strip():
        raise UserError(f"{where}: empty; expected a text to look in")
    return text


def questions(given: str | None) -> Iterator[str]:
    """The question of the command line, or those of the terminal until Ctrl-D."""
    if given is not None:
        yield given
        return
    asking = sys.stdin.isatty()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # a bad byte spoils its own question alone
    while True:
        if asking:
            print("question (Ctrl-D ends)> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            if asking:
                print(file=sys.stderr)
            return
        if line.strip():
            yield line.strip()


def page(answers: Sequence[api.Answer], n_best: int, threshold: float | None = None) -> str:
    """The best answers, each with its probability and the passage around it; behind them, with a
    threshold, that there is none, wherever it stands."""
    lines = []
    most = max((each.probability for each in answers), default=0.0)
    for number, answer in enumerate(answers, 1):
        if number > n_best and (threshold is None or answer.text):
            continue
        text = one_line(answer.text) or NO_ANSWER
        # A threshold other than 0 may put a less probable one first.
        moved = threshold is not None and number == 1 and answer.probability < most
        why = f", first by the threshold of {threshold:g}" if moved else ""
        lines.append(f"{number}. {text}  ({100 * answer.probability:.1f} %){why}")
        if answer.begin is not None and answer.end is not None:
            before = answer.passage[max(answer.begin - AROUND, 0) : answer.begin]
            after = answer.passage[answer.end : answer.end + AROUND]
            left = "…" if answer.begin > AROUND else ""
            right = "…" if answer.end + AROUND < len(answer.passage) else ""
            found = f"{left}{before}[{answer.text}]{after}{right}"
            lines.append(f"   {one_line(found, sys.maxsize)}")
    return "\n".join(lines)


def as_json(
    question: str, answers: Sequence[api.Answer], n_best: int, threshold: float | None
) -> str:
    """One line for programs; with a threshold also the probability that there is no answer."""
    found: dict[str, object] = {
        "question": question,
        "answers": [
            {"text": a.text, "probability": a.probability, "begin": a.begin, "end": a.end}
            for a in answers[:n_best]
        ],
    }
    if threshold is not None:
        found["no_answer_probability"] = sum(a.probability for a in answers if not a.text)
    return json.dumps(found, ensure_ascii=False)


def main() -> None:
    args = parse_args()
    if args.question is not None and not args.question.strip():
        raise UserError("the question is empty; expected a text")
    threshold = args.null_score_diff_threshold
    if threshold is None and args.no_answer:
        threshold = 0.0  # predict's own
    passage = read_passage(args.text, args.question)
    torch_environment.prepare()
    threads = take_cores(ALL_CORES)
    from bertsquad import api

    model = api.load(
        args.model,
        engine=args.engine,
        precision=args.precision,
        threads=threads,
        quantized=args.quantized,
    )
    with model:
        for question in questions(args.question):
            pieces, most = len(model.vocabulary.encode(question)), api.longest_question(model)
            if pieces > most:
                note(
                    f"warning: the question has {pieces:,} word pieces, of which the model is "
                    f"given the first {most}; shorten it"
                )
            try:
                found = api.answer(
                    model,
                    question,
                    passage,
                    n_best=MOST if threshold is not None else args.n_best,
                    null_score_diff_threshold=threshold,
                )
            except UserError as error:
                if args.question is not None:
                    raise
                note(str(error))
                continue
            if args.json:
                print(as_json(question, found, args.n_best, threshold), flush=True)
            else:
                print(page(found, args.n_best, threshold), flush=True)


def quietly() -> None:
    """Ctrl-C ends it without a word, on a line of its own."""
    try:
        main()
    except KeyboardInterrupt:
        print(file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    exit_with(quietly)
