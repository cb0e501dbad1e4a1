"""Compare two files of predictions for one dataset: the difference, how sure it is, what changed.

Example:
    python scripts/compare.py A.json B.json --dataset dev-v1.1.json
"""

import argparse
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser, natural, positive
from bertsquad.console.errors import UserError, exit_with, note, shown

NOTHING = "(no answer)"


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("first", type=Path, metavar="A.json", help="predictions: question id to answer")
    add("second", type=Path, metavar="B.json", help="predictions that are compared with A's")
    add("--dataset", type=Path, required=True, help="SQuAD 1.1 or 2.0 JSON with answers")
    add("--changes", type=natural, default=10, help="changed answers to show (default: 10)")
    add(
        "--version-2-with-negative",
        action="store_true",
        help="score as SQuAD 2.0 even where the dataset does not look like it",
    )
    add("--bootstrap-samples", type=positive, default=1000)
    add("--seed", type=natural, default=0, help="of the bootstrap")
    add("--output", type=Path, help="JSON to write: differences, intervals, every changed answer")
    return parser.parse_args()


def read_predictions(path: Path) -> dict[str, str]:
    """The answers by question id; raises `UserError` for what is no such file."""
    from bertsquad.files import read_json

    predictions = read_json(path)
    if not isinstance(predictions, dict):
        raise UserError(f"{path}: expected an object of question ids and answer texts")
    for question_id, answer in predictions.items():
        if not isinstance(answer, str):
            raise UserError(
                f"{path}: question {question_id}: its prediction is {answer!r:.80}; expected text"
            )
    return predictions


def warn_of_ids(path: Path, predicted: dict[str, str], asked: list[str]) -> None:
    """Say which questions lack a prediction, which scores 0, and which predictions are ignored."""
    missing = [question_id for question_id in asked if question_id not in predicted]
    unknown = predicted.keys() - set(asked)
    if len(missing) == len(asked):
        raise UserError(f"{path}: no prediction for any of the {len(asked)} questions of --dataset")
    if missing:
        note(
            f"warning: {path}: no prediction for {len(missing)} of {len(asked)} questions, the "
            f"first is {missing[0]}; each scores 0"
        )
    if unknown:
        note(f"warning: {path}: {len(unknown)} predictions for other questions are ignored")


def page(result: dict[str, Any], first: Path, second: Path, changes: int) -> str:
    """What the terminal shows: scores, also of one question, in percent, differences in points."""
    lines = [f"{result['questions']} questions; A is {first}, B is {second}"]
    for name, key in (("exact match", "exact_match"), ("F1", "f1")):
        low, high = result[f"{key}_difference_interval"]
        lines.append(
            f"{name}: A {result[f'reference_{key}']:.2f}, B {result[key]:.2f}, difference "
            f"{result[f'{key}_difference']:+.2f} ({low:+.2f} to {high:+.2f}), "
            f"sign test p = {result[f'{key}_sign_test']:.2g}"
        )
    others = result["f1_difference_interval_articles"]
    if others:
        lines.append(f"F1 difference on other articles: {others[0]:+.2f} to {others[1]:+.2f}")
    lines.append(
        f"changed answers: {result['changed_answers']}, of which B is better in "
        f"{result['better']}, worse in {result['worse']}, equal in {result['equal']}"
    )
    if result["examples"][:changes]:
        lines.append("F1 of each, in percent:")
    for change in result["examples"][:changes]:
        lines += [
            "",
            f"{change['id']}: {change['question']}",
            f"  A {100 * change['reference_f1']:.2f}: {change['reference_answer'] or NOTHING}",
            f"  B {100 * change['f1']:.2f}: {change['answer'] or NOTHING}",
            f"  gold: {' | '.join(change['gold_answers']) or NOTHING}",
        ]
    return "\n".join(map(shown, lines))


def main() -> None:
    args = parse_args()
    from bertsquad import files
    from bertsquad.answers import metrics, metrics_v2
    from bertsquad.answers.comparison import compare_answers

    dataset = files.read_json(args.dataset)
    first, second = read_predictions(args.first), read_predictions(args.second)
    try:
        asked = [question["id"] for question in metrics.questions(dataset)]
    except UserError as error:
        raise UserError(f"{args.dataset}: {error}") from None
    if asked and not metrics_v2.is_labelled(dataset):
        raise UserError(
            f"{args.dataset}: not one of {len(asked)} questions has an answer; expected some to "
            "score the two against"
        )
    for path, predictions in ((args.first, first), (args.second, second)):
        warn_of_ids(path, predictions, asked)
    try:
        result = compare_answers(
            dataset,
            first,
            second,
            minimum_f1_share=0.0,
            samples=args.bootstrap_samples,
            seed=args.seed,
            version_2_with_negative=args.version_2_with_negative,
            examples=len(asked),
        )
    except UserError as error:
        raise UserError(f"{args.dataset}: {error}") from None
    for key in ("minimum_f1_share", "gate", "passed"):  # neither of the two is the one to reach
        del result[key]
    if args.output:
        files.write_json(args.output, result)
    print(page(result, args.first, args.second, args.changes))


if __name__ == "__main__":
    exit_with(main)
