"""Decode start and end logits into predictions.json and nbest_predictions.json.

With --null-odds questions may be without an answer, as in SQuAD 2.0 (run_squad.py's
version_2_with_negative): the prediction is then "".

Example:
    python scripts/predict.py --dataset dev-v1.1.json --vocab results/demo/model/vocab.txt \\
        --features results/resources/features/dev.safetensors \\
        --logits results/demo/torch-fp32/logits.safetensors \\
        --predictions predictions.json --nbest nbest_predictions.json
"""

import argparse
import math
import sys
import time
from pathlib import Path

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="SQuAD 1.1 or 2.0 JSON")
    parser.add_argument("--vocab", type=Path, required=True, help="vocab.txt of the features")
    parser.add_argument("--features", type=Path, required=True, help="features of the dataset")
    parser.add_argument("--logits", type=Path, required=True, help="logits of the features")
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.json to write")
    parser.add_argument("--nbest", type=Path, required=True, help="nbest_predictions.json to write")
    parser.add_argument(
        "--n-best-size",
        type=positive,
        default=20,
        help="answers per question, and starts and ends that are combined per window (default 20)",
    )
    parser.add_argument(
        "--max-answer-length", type=positive, default=30, help="in word pieces (default 30)"
    )
    parser.add_argument(
        "--null-odds", type=Path, help="null_odds.json to write; then no answer is an answer"
    )
    parser.add_argument(
        "--null-score-diff-threshold",
        type=finite,
        metavar="T",
        help='with --null-odds, "" is predicted where its score is above that of the best other '
        "answer by more than this (default 0.0)",
    )
    args = parser.parse_args()
    if args.null_score_diff_threshold is not None and args.null_odds is None:
        parser.error("--null-score-diff-threshold needs --null-odds")
    return args


def finite(text: str) -> float:
    """A number that is not infinite."""
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return number


def main() -> None:
    args = parse_args()
    from bertsquad import files
    from bertsquad.answers import decoding, logits
    from bertsquad.data import squad
    from bertsquad.data.features import Features
    from bertsquad.data.tokenization import Vocabulary
    from bertsquad.model.fit import check_made_from

    features = Features.open(args.features)
    check_made_from(args.features, features.metadata, args.dataset, "dataset")
    check_made_from(args.features, features.metadata, args.vocab, "vocab")
    found = logits.read(args.logits)
    logits.check_features(
        args.logits,
        found,
        features_path=args.features,
        features_sha256=files.sha256(args.features),
        lengths=features.lengths,
    )
    dataset = squad.load(args.dataset)
    vocabulary = Vocabulary(
        args.vocab,
        lowercase=features.metadata["lowercase"],
        strip_accents=features.metadata["strip_accents"],
    )

    begin = time.perf_counter()
    decoded = decoding.decode(
        features,
        dataset,
        vocabulary,
        found.start_logits,
        found.end_logits,
        found.starts,
        n_best_size=args.n_best_size,
        max_answer_length=args.max_answer_length,
        null_score_diff_threshold=(args.null_score_diff_threshold or 0.0)
        if args.null_odds
        else None,
    )
    elapsed_s = time.perf_counter() - begin
    # These first: predictions.json, which the next step reads, then means that all are there.
    if decoded.null_odds is not None:
        files.write_text(args.null_odds, decoding.null_odds_json(decoded.null_odds))
    files.write_text(args.nbest, decoding.nbest_json(decoded.nbest))
    files.write_text(args.predictions, decoding.predictions_json(decoded.predictions))
    print(
        f"{args.predictions}: {len(decoded.predictions)} answers decoded from {len(features)} "
        f"windows in {elapsed_s:.2f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    exit_with(main)
