"""Score predictions by exact match and F1 as evaluate-v1.1.py does, with confidence intervals.

SQuAD 2.0 is scored as evaluate-v2.0.py does: a file of version v2.0 or with a question that
is_impossible. A file in which no question has an answer is not scored.

Examples:
    python scripts/evaluate.py predictions.json --dataset dev-v1.1.json
    python scripts/evaluate.py predictions.json --dataset dev-v2.0.json \\
        --na-prob-file null_odds.json
    python scripts/evaluate.py --dataset dev-v1.1.json --predictions predictions.json \\
        --official-script evaluate-v1.1.py --output metrics.json
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with, note

if TYPE_CHECKING:
    from typing import TypeGuard

    from bertsquad.answers.metrics import Scores
    from bertsquad.answers.metrics_v2 import ScoresV2


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
    if missing and missing_is_error and len(missing) == len(asked) and predicted:
        raise UserError(
            f"{path}: predictions for other questions: none of {len(predicted)} is for one of the "
            f"{len(asked)} of the dataset; give the file that was made for it, or --missing "
            "score-zero to count every question as wrong"
        )
    if missing and missing_is_error:
        raise UserError(
            f"{path}: no prediction for {len(missing)} of {len(asked)} questions, the first is "
            f"{missing[0]}; predict them, or give --missing score-zero to count them as wrong"
        )


def check_against_official_script(
    script: Path, dataset: Path, predictions: Path, ours: dict[str, float], options: Sequence[str]
) -> None:
    """Run the official script itself with these options; raise `UserError` unless it prints exactly
    these figures."""
    run = subprocess.run(
        [sys.executable, str(script), str(dataset), str(predictions), *options],
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
            f"{' and '.join(list(ours)[:2])}"
        ) from None
    for name, value in ours.items():
        if theirs[name] != value:
            raise UserError(
                f"{predictions}: {name} is {value!r}, but {script} says {theirs[name]!r}; "
                "expected the same number to the last digit"
            )


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="SQuAD 1.1 or 2.0 JSON")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "predictions", nargs="?", type=Path, metavar="PREDICTIONS", help="question id to answer"
    )
    where.add_argument(
        "--predictions", type=Path, dest="named", metavar="PREDICTIONS", help="the same by name"
    )
    parser.add_argument("--output", type=Path, help="metrics.json to write; else it is printed")
    parser.add_argument(
        "--official-script",
        type=Path,
        help="evaluate-v1.1.py or evaluate-v2.0.py, run too; a difference is an error",
    )
    parser.add_argument(
        "--version-2-with-negative",
        action="store_true",
        help="score as SQuAD 2.0 even where the dataset does not look like it",
    )
    parser.add_argument(
        "--na-prob-file",
        type=Path,
        metavar="NULL_ODDS",
        help="SQuAD 2.0: how unanswerable each question looks (null_odds.json); finds the best "
        "thresholds",
    )
    parser.add_argument(
        "--na-prob-thresh",
        type=float,
        metavar="T",
        help="SQuAD 2.0: a question above this counts as unanswerable (default: 1.0)",
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
    if args.na_prob_thresh is not None and args.na_prob_file is None:
        parser.error("--na-prob-thresh needs the --na-prob-file that it is a threshold of")
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
    for prefix, what in (("HasAns", "answerable"), ("NoAns", "unanswerable")):
        if f"{prefix}_total" in result:
            low, high = result[f"{prefix}_f1_interval"]
            lines.append(
                f"{result[f'{prefix}_total']} {what} questions: exact match "
                f"{result[f'{prefix}_exact']:.2f}, F1 {result[f'{prefix}_f1']:.2f} "
                f"({low:.2f} to {high:.2f})"
            )
    if "best_f1" in result:
        lines.append(
            "best F1 of thresholds up to the predictions' own: "
            f"{result['best_f1']:.2f} at {result['best_f1_thresh']}; "
            f"best exact match: {result['best_exact']:.2f} at {result['best_exact_thresh']}"
        )
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
        **(measured_v2(scores, samples=samples, seed=seed) if is_v2(scores) else {}),
    }


def is_v2(scores: "Scores") -> "TypeGuard[ScoresV2]":
    """Whether these are scores of SQuAD 2.0."""
    from bertsquad.answers.metrics_v2 import ScoresV2

    return isinstance(scores, ScoresV2)


def measured_v2(scores: "ScoresV2", *, samples: int, seed: int) -> dict[str, Any]:
    """What evaluate-v2.0.py prints, and intervals for other questions of both kinds."""
    from bertsquad.answers import intervals

    result: dict[str, Any] = dict(scores.official)
    for prefix, mask in (("HasAns", scores.has_answer), ("NoAns", ~scores.has_answer)):
        if mask.any():
            found = intervals.of_scores(
                scores.exact_match[mask], scores.f1[mask], samples=samples, seed=seed
            )
            result[f"{prefix}_exact_interval"] = found.exact_match
            result[f"{prefix}_f1_interval"] = found.f1
    return result


def not_scored(asked: Collection[str], predicted: Collection[str]) -> dict[str, Any]:
    """metrics.json of questions without any answers."""
    from bertsquad.answers.metrics_v2 import NOT_SCORED

    return {
        "questions": len(asked),
        "unanswered": sum(question_id not in predicted for question_id in asked),
        "exact_match": None,
        "f1": None,
        "not_scored": NOT_SCORED,
        "official_script": "not run",
    }


def read_scores(args: argparse.Namespace, dataset: Any, predictions: Any) -> "Scores":
    """The scores of the predictions, as this dataset is scored."""
    from bertsquad import files
    from bertsquad.answers import metrics, metrics_v2

    na_probs = files.read_json(args.na_prob_file) if args.na_prob_file else None
    try:
        scored = metrics_v2.scorer(dataset, version_2_with_negative=args.version_2_with_negative)
        if scored is metrics.score and na_probs is not None:
            raise UserError("--na-prob-file goes with SQuAD 2.0; this dataset is SQuAD 1.1")
        if scored is metrics.score:
            if version := metrics.version_note(dataset):
                note(version)
            return metrics.score(dataset, predictions)
        threshold = args.na_prob_thresh
        if threshold is None:
            threshold = metrics_v2.NA_PROB_THRESHOLD
        return metrics_v2.score(dataset, predictions, na_probs, threshold)
    except UserError as error:
        raise UserError(f"{args.predictions} for {args.dataset}: {error}") from None


def check_scores(args: argparse.Namespace, scores: "Scores") -> None:
    """Hold the figures against the official script, with the same options."""
    given = [("--na-prob-file", args.na_prob_file), ("--na-prob-thresh", args.na_prob_thresh)]
    check_against_official_script(
        args.official_script,
        args.dataset,
        args.predictions,
        scores.official if is_v2(scores) else scores.totals(),
        [f"{name}={value}" for name, value in given if value is not None],
    )


def main() -> None:
    args = parse_args()
    from bertsquad import files
    from bertsquad.answers import metrics, metrics_v2

    dataset = files.read_json(args.dataset)
    predictions = files.read_json(args.predictions)
    try:
        asked = dict.fromkeys(question["id"] for question in metrics.questions(dataset))
        labelled = not asked or metrics_v2.is_labelled(dataset)
    except UserError as error:
        raise UserError(f"{args.dataset}: {error}") from None
    if not labelled and isinstance(predictions, dict):
        result = not_scored(asked, predictions)
        note(f"{args.dataset}: not scored: not one of {len(asked)} questions has an answer")
        if args.output:
            files.write_json(args.output, result)
        return
    scores = read_scores(args, dataset, predictions)
    check_ids(args.predictions, predictions, asked, missing_is_error=args.missing == "error")
    for question_id in scores.unanswered:
        note(f"Unanswered question {question_id} will receive score 0.")
    if args.official_script:
        check_scores(args, scores)
    result = measured(dataset, scores, samples=args.bootstrap_samples, seed=args.seed) | {
        "official_script": "agrees" if args.official_script else "not run"
    }
    if not args.output:
        print(page(result))
        return
    files.write_json(args.output, result)
    print(
        f"{args.output}: exact match {result['exact_match']:.2f}, F1 {result['f1']:.2f} "
        f"on {len(scores.ids)} questions",
        file=sys.stderr,
    )


if __name__ == "__main__":
    exit_with(main)
