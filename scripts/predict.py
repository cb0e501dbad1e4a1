"""Decode start and end logits into predictions.json and nbest_predictions.json.

Example:
    python scripts/predict.py --dataset dev-v1.1.json --vocab results/demo/model/vocab.txt \\
        --features results/resources/features/dev.safetensors \\
        --logits results/demo/torch-fp32/logits.safetensors \\
        --predictions predictions.json --nbest nbest_predictions.json
"""

import argparse
import sys
import time
from pathlib import Path

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="SQuAD 1.1 JSON")
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
    return parser.parse_args()


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
    )
    elapsed_s = time.perf_counter() - begin
    # The n best first: predictions.json, which the next step reads, then means both are there.
    files.write_text(args.nbest, decoding.nbest_json(decoded.nbest))
    files.write_text(args.predictions, decoding.predictions_json(decoded.predictions))
    print(
        f"{args.predictions}: {len(decoded.predictions)} answers decoded from {len(features)} "
        f"windows in {elapsed_s:.2f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    exit_with(main)
