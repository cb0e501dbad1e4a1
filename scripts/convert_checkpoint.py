"""Convert a BERT checkpoint to a folder that transformers loads.

Example:
    python scripts/convert_checkpoint.py --origin google --weights wwm/bert_model.ckpt
        --config wwm/bert_config.json --vocab wwm/vocab.txt --output checkpoints/wwm
    python scripts/convert_checkpoint.py --model downloads/my-model --output checkpoints/mine
"""

import argparse
import sys
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with, note

_PARTS = ("origin", "weights", "config", "vocab")  # options that --model stands for


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="folder with config.json, vocab.txt or tokenizer.json, and weights in safetensors, as "
        "transformers writes it; in place of the next four options",
    )
    parser.add_argument(
        "--origin",
        choices=["google", "intel", "huggingface"],
        help="whose names the tensors have, and whose LayerNorm epsilon and GELU the model needs",
    )
    parser.add_argument(
        "--weights",
        help="prefix or index of a TensorFlow checkpoint; for huggingface, a safetensors file, "
        "model.safetensors.index.json, or the folder that has one of them",
    )
    parser.add_argument("--config", type=Path, help="bert_config.json, config.json")
    parser.add_argument("--vocab", type=Path, help="vocab.txt, one token a line, or tokenizer.json")
    parser.add_argument(
        "--layer-norm-eps",
        type=epsilon,
        help="default: the configuration's, else google 1e-12, intel 1e-3, huggingface 1e-12",
    )
    parser.add_argument(
        "--gelu",
        choices=["erf", "tanh"],
        help="form of GELU; default: google tanh, intel erf, huggingface as its configuration says",
    )
    parser.add_argument(
        "--casing",
        choices=["cased", "uncased"],
        help="how the checkpoint's texts are read; default: as the tokenizer_config.json beside "
        "the vocabulary says, else as its capitals suggest",
    )
    parser.add_argument(
        "--strip-accents",
        action=argparse.BooleanOptionalAction,
        help="whether texts lose their accents; default: as tokenizer_config.json says, else where "
        "they are lower-cased",
    )
    parser.add_argument("--output", required=True, type=Path, help="folder for the four files")
    args = parser.parse_args()
    missing = [name for name in _PARTS if getattr(args, name) is None]
    if args.model is None and missing:
        options = ", ".join(f"--{name}" for name in missing)
        parser.error(f"the following arguments are required: {options} (or --model)")
    if args.model is not None and len(missing) < len(_PARTS):
        given = ", ".join(f"--{name}" for name in _PARTS if name not in missing)
        parser.error(f"--model names the whole folder: leave out {given}")
    return args


def epsilon(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def main() -> None:
    args = parse_args()
    from bertsquad.checkpoint.conversion import convert
    from bertsquad.checkpoint.given_folder import find_parts

    if args.model is not None:
        parts = find_parts(args.model)
        args.origin, args.weights = "huggingface", parts.weights[0]
        args.config, args.vocab = parts.config, parts.vocabulary
    done = convert(
        args.weights,
        args.config,
        args.vocab,
        args.output,
        origin=args.origin,
        layer_norm_eps=args.layer_norm_eps,
        gelu=args.gelu,
        casing=args.casing,
        strip_accents=args.strip_accents,
    )
    for said in done.notes:
        note(said)
    if done.left_out:
        shown = ", ".join(done.left_out[:5]) + (", ..." if len(done.left_out) > 5 else "")
        note(
            f"{args.weights}: {len(done.left_out):,} tensors that BERT does not need are left out: "
            f"{shown}"
        )
    print(
        f"{args.output}: {done.architecture}, {done.parameters:,} parameters in {done.tensors} "
        f"tensors ({done.dropped} others dropped), {'uncased' if done.lowercase else 'cased'}, "
        f"LayerNorm epsilon {done.layer_norm_eps:g}, {done.hidden_act}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    exit_with(main)
