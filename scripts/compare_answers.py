"""Compare an engine's and precision's answers and logits with a reference's, FP32 as a rule.

Example:
    python scripts/compare_answers.py --dataset dev-v1.1.json \\
        --reference-predictions results/demo/torch-fp32/predictions.json \\
        --reference-logits results/demo/torch-fp32/logits.safetensors \\
        --predictions results/demo/openvino-int8/predictions.json \\
        --logits results/demo/openvino-int8/logits.safetensors \\
        --minimum-f1-share 0.99 --output results/demo/openvino-int8/comparison.json
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser, natural, positive
from bertsquad.console.errors import UserError, exit_with


def read_predictions(path: Path) -> dict[str, Any]:
    """The answers by question id."""
    from bertsquad.files import read_json

    predictions = read_json(path)
    if not isinstance(predictions, dict):
        raise UserError(f"{path}: expected an object of question ids and answer texts")
    return predictions


def share(text: str) -> float:
    """A share from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--dataset", type=Path, required=True, help="SQuAD 1.1 or 2.0 JSON with answers")
    for name, whose in (("", ""), ("reference-", " of the reference")):
        add(f"--{name}predictions", type=Path, required=True, help=f"predictions.json{whose}")
        add(f"--{name}logits", type=Path, required=True, help=f"logits.safetensors{whose}")
    add(
        "--minimum-f1-share",
        type=share,
        default=0.99,
        help="less than this share of the reference's F1 fails (default: 0.99)",
    )
    add("--max-answer-length", type=positive, default=30, help="of a span, in tokens (default: 30)")
    add(
        "--version-2-with-negative",
        action="store_true",
        help="score as SQuAD 2.0 even where the dataset does not look like it",
    )
    add("--bootstrap-samples", type=positive, default=1000)
    add("--seed", type=natural, default=0, help="of the bootstrap")
    add("--output", type=Path, required=True, help="comparison.json to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad import files
    from bertsquad.answers import logits
    from bertsquad.answers.comparison import check_same_features, compare_answers, compare_logits

    ours, reference = logits.read(args.logits), logits.read(args.reference_logits)
    check_same_features(args.reference_logits, reference, args.logits, ours)
    try:
        answers = compare_answers(
            files.read_json(args.dataset),
            read_predictions(args.reference_predictions),
            read_predictions(args.predictions),
            minimum_f1_share=args.minimum_f1_share,
            samples=args.bootstrap_samples,
            seed=args.seed,
            version_2_with_negative=args.version_2_with_negative,
        )
    except UserError as error:
        raise UserError(f"{args.predictions} for {args.dataset}: {error}") from None
    result = {
        "engine": ours.engine,
        "precision": ours.precision,
        "reference": f"{reference.engine}-{reference.precision}",
        **answers,
        **compare_logits(reference, ours, max_answer_length=args.max_answer_length),
    }
    files.write_json(args.output, result)
    scores = (
        f"not scored: {result['not_scored']}"
        if "not_scored" in result
        else f"{result['gate']}, F1 {result['f1']:.2f} beside {result['reference_f1']:.2f} of "
        f"{result['reference']}"
    )
    print(
        f"{args.output}: {scores}; "
        f"{result['changed_answers']} of {result['questions']} answers changed",
        file=sys.stderr,
    )


if __name__ == "__main__":
    exit_with(main)
