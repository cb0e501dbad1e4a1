"""Score predictions by exact match and F1 as evaluate-v1.1.py does, with confidence intervals.

Examples:
    python scripts/evaluate.py predictions.json --dataset dev-v1.1.json
    python scripts/evaluate.py --dataset dev-v1.1.json --predictions predictions.json \\
        --official-script evaluate-v1.1.py --output metrics.json
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with, note

if TYPE_CHECKING:
    from bertsquad.answers.metrics import Scores


def check_ids(
    path: Path, predicted: Collection[str], asked: Collection[str], *, missing_is_error: bool
) -> None:
    """Warn of predictions for other questions, which evaluate-v1.1.py ignores; raise `UserError`
    for questions without a prediction where that is an error."""
    unknown = [question_id for question_id in predicted if question_id not in asked]
    if unknown:
        note(
            f"warning: {path}: {len(unknown)} of {len(predicted)} predictions are for questions "
            f"that are not in the dataset, the first for {unknown[0]}; they are ignored"
        )
    missing = [question_id for question_id in asked if question_id not in predicted]
    if missing and missing_is_error:
        raise UserError(
            f"{path}: no prediction for {len(missing)} of {len(asked)} questions, the first is "
            f"{missing[0]}; predict them, or give --missing score-zero to count them as wrong"
        )


def check_against_official_script(
    script: Path, dataset: Path, predictions: Path, ours: dict[str, float]
) -> None:
    """Run evaluate-v1.1.py itself; raise `UserError` unless it prints exactly these figures."""
    run = subprocess.run(
        [sys.executable, str(script), str(dataset), str(predictions)],
        env={**os.environ, "PYTHONUTF8": "1"},  # the script opens files in the locale's encoding
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    try:
        printed = json.loads(run.stdout)
        theirs = {name: printed[name] for name in ours}
    except (ValueError, KeyError, TypeError):
        said = (run.stderr.strip() or run.stdout.strip() or "nothing").splitlines()[-1]
        raise UserError(
            f"{script}: exit status {run.returncode}, and it said: {said}; expected it to print "
            "exact_match and f1"
        ) from None
    for name, value in ours.items():
        if theirs[name] != value:
            raise UserError(
                f"{predictions}: {name} is {value!r}, but {script} says {theirs[name]!r}; "
                "expected the same number to the last digit"
            )


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="SQuAD 1.1 JSON with answers")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "predictions", nargs="?", type=Path, metavar="PREDICTIONS", help="question id to answer"
    )
    where.add_argument(
        "--predictions", type=Path, dest="named", metavar="PREDICTIONS", help="the same by name"
    )
    parser.add_argument("--output", type=Path, help="metrics.json to write; else it is printed")
    parser.add_argument(
        "--official-script", type=Path, help="evaluate-v1.1.py, run too; a difference is an error"
    )
    parser.add_argument(
        "--missing",
        choices=["error", "score-zero"],
        default="error",
        help="questions without a prediction: refuse, or count as wrong like the official script",
    )
    parser.add_argument("--bootstrap-samples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    args = parser.parse_args()
    if args.bootstrap_samples < 1 or args.seed < 0:
        parser.error("--bootstrap-samples must be at least 1 and --seed at least 0")
    args.predictions = args.predictions or args.named
    return args


def page(result: dict[str, Any]) -> str:
    """What the terminal shows, in percent."""
    lines = [f"{result['questions']} questions, {result['unanswered']} without a prediction"]
    for name, key in (("exact match", "exact_match"), ("F1", "f1")):
        low, high = result[f"{key}_interval"]
        line = f"{name}: {result[key]:.2f} ({low:.2f} to {high:.2f} on other questions on these"
        articles = result[f"{key}_interval_articles"]
        line += " articles"
        if articles:
            line += f", {articles[0]:.2f} to {articles[1]:.2f} on other articles"
        lines.append(line + ")")
    lines.append(f"in parentheses: {100 * result['confidence']:.0f} % confidence intervals")
    return "\n".join(lines)


def measured(dataset: Any, scores: "Scores", *, samples: int, seed: int) -> dict[str, Any]:
    """Scores and their intervals in percent, as metrics.json holds them."""
    from bertsquad.answers import intervals, metrics

    found = intervals.of_scores(scores.exact_match, scores.f1, samples=samples, seed=seed)
    articles = intervals.of_articles(
        [scores.exact_match, scores.f1],
        metrics.article_numbers(dataset),
        [found.exact_match, found.f1],
        samples=samples,
        seed=seed,
    )
    match_articles, f1_articles = articles or (None, None)
    return {
        **scores.totals(),
        "questions": len(scores.ids),
        "unanswered": len(scores.unanswered),
        # For other questions on these articles, and for other articles.
        "exact_match_interval": found.exact_match,
        "f1_interval": found.f1,
        "exact_match_interval_articles": match_articles,
        "f1_interval_articles": f1_articles,
        "confidence": intervals.CONFIDENCE,
        "bootstrap_samples": samples,
    }


def main() -> None:
    args = parse_args()
    from bertsquad import files
    from bertsquad.answers import metrics

    dataset = files.read_json(args.dataset)
    predictions = files.read_json(args.predictions)
    if version := metrics.version_note(dataset):
        note(version)
    try:
        scores = metrics.score(dataset, predictions)
    except UserError as error:
        raise UserError(f"{args.predictions} for {args.dataset}: {error}") from None
    check_ids(
        args.predictions,
        predictions,
        dict.fromkeys(scores.ids),
        missing_is_error=args.missing == "error",
    )
    for question_id in scores.unanswered:
        note(f"Unanswered question {question_id} will receive score 0.")
    totals = scores.totals()
    if args.official_script:
        check_against_official_script(args.official_script, args.dataset, args.predictions, totals)
    result = measured(dataset, scores, samples=args.bootstrap_samples, seed=args.seed) | {
        "official_script": "agrees" if args.official_script else "not run"
    }
    if not args.output:
        print(page(result))
        return
    files.write_json(args.output, result)
    print(
        f"{args.output}: exact match {totals['exact_match']:.2f}, F1 {totals['f1']:.2f} "
        f"on {len(scores.ids)} questions",
        file=sys.stderr,
    )


if __name__ == "__main__":
    exit_with(main)
