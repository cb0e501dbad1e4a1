"""Turn a SQuAD file into features: windows over contexts, as BERT reads them.

Example:
    scripts/featurize.py --dataset train-v1.1.json --vocab vocab.txt --training \\
        --max-seq-length 384 --doc-stride 128 --max-query-length 64 --output train.safetensors
"""

import argparse
import gc
from typing import TYPE_CHECKING, Any

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with, one_line

if TYPE_CHECKING:
    from bertsquad.data.features import Features
    from bertsquad.data.squad import Dataset

LOWERCASE = {"vocabulary": None, "cased": False, "uncased": True}


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="JSON", help="SQuAD 1.1 or 2.0 file")
    parser.add_argument(
        "--vocab",
        required=True,
        metavar="TXT",
        help="the checkpoint's vocab.txt",
    )
    parser.add_argument(
        "--casing",
        choices=["vocabulary", "cased", "uncased"],
        default="vocabulary",
        help="how to read text: as the tokenizer_config.json beside the vocabulary says, else as "
        "its capitals suggest, or as do_lower_case would (%(default)s)",
    )
    parser.add_argument(
        "--strip-accents",
        action=argparse.BooleanOptionalAction,
        help="drop combining marks; default: as tokenizer_config.json says, else as lower-casing",
    )
    parser.add_argument("--output", required=True, metavar="FEATURES", help="file to write")
    parser.add_argument(
        "--training", action="store_true", help="find the answers' tokens; skip where there is none"
    )
    parser.add_argument(
        "--version-2-with-negative",
        action="store_true",
        help="train on questions without an answer, too (SQuAD 2.0): they point at [CLS]",
    )
    parser.add_argument(
        "--max-seq-length", type=int, default=384, help="tokens in a feature, at most (%(default)s)"
    )
    parser.add_argument(
        "--doc-stride",
        type=int,
        default=128,
        help="tokens from one window of a long context to the next (%(default)s)",
    )
    parser.add_argument(
        "--max-query-length",
        type=int,
        default=64,
        help="tokens of a question, at most; the rest is cut off (%(default)s)",
    )
    parser.add_argument(
        "--processes",
        type=positive,
        default=1,
        help="at most so many, each for a part of the passages (%(default)s)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.data import features, squad
    from bertsquad.data.casing import find_casing
    from bertsquad.data.casing_check import check_guess
    from bertsquad.data.parallel import featurize_in_parallel
    from bertsquad.data.tokenization import Vocabulary
    from bertsquad.data.vocabulary import repeated_note
    from bertsquad.files import sha256

    # A dataset is hundreds of thousands of objects without a cycle: looking for one again and again
    # takes a tenth of the time.
    gc.disable()
    dataset = squad.load(
        args.dataset,
        purpose="train" if args.training else "predict",
        version_2_with_negative=args.version_2_with_negative,
    )
    if args.training:
        check_labelled(dataset)
    vocabulary = Vocabulary(
        args.vocab, lowercase=LOWERCASE[args.casing], strip_accents=args.strip_accents
    )
    known = find_casing(args.vocab, vocabulary.tokens, strip_accents=args.strip_accents)
    made = featurize_in_parallel(
        dataset,
        vocabulary,
        processes=args.processes,
        max_seq_length=args.max_seq_length,
        doc_stride=args.doc_stride,
        max_query_length=args.max_query_length,
        training=args.training,
    )
    guessed = known.guessed and args.casing == "vocabulary"
    if guessed:
        check_guess(args.vocab, dataset, vocabulary, made)
    made.metadata["dataset_sha256"] = sha256(args.dataset)
    made.metadata["vocab_sha256"] = sha256(args.vocab)
    features.write(args.output, made)
    # Training has skipped them. Predictions and their score do not depend on answer_start.
    misplaced = [] if args.training else squad.misplaced(dataset)
    for line in report(dataset, made, misplaced, guessed=guessed):
        print(one_line(line))
    if vocabulary.lowercase != known.lowercase:
        print(
            f"warning: text is read {args.casing}, but {args.vocab} is not {args.casing}: "
            "a model with this vocabulary was not trained on such text"
        )
    if note := repeated_note(args.vocab, vocabulary.tokens):
        print(one_line(note))


def check_labelled(dataset: "Dataset") -> None:
    """Raise `UserError` where no question has an answer: there is nothing to train on."""
    if not any(question.answers for question in dataset.questions()):
        raise UserError(
            f"{dataset.source}: not one question has an answer; training needs answers: is this a "
            "file to predict?"
        )


def report(
    dataset: "Dataset", features: "Features", misplaced: list[str], *, guessed: bool
) -> list[str]:
    """What was made, and everything that was left out, cut or looks wrong, with the first ids."""
    from bertsquad.data.featurization import IMPOSSIBLE

    metadata = features.metadata
    lines = [
        f"{dataset.source}: {metadata['questions']:,} questions, {len(dataset.paragraphs):,} "
        f"paragraphs, {f'version {dataset.version}' if dataset.version else 'no version'}",
        f"{len(features):,} features of at most {features.lengths.max()} tokens, "
        f"{features.lengths.mean():.1f} on average; "
        f"{'lower-cased' if metadata['lowercase'] else 'cased'}"
        f"{', as the capitals in the vocabulary suggest' if guessed else ''}",
    ]
    if impossible := metadata.get(IMPOSSIBLE):
        lines.append(f"{impossible:,} of the questions have no answer: they point at [CLS]")
    for reason, questions in metadata["skipped"].items():
        lines.append(f"skipped: {listed(questions)}: {reason}")
    if metadata["truncated"]["count"]:
        lines.append(
            f"cut to {metadata['max_query_length']} word pieces: {listed(metadata['truncated'])}"
        )
    if misplaced:
        questions = {"count": len(misplaced), "first": misplaced[:5]}
        lines.append(f"warning: an answer is not at its answer_start: {listed(questions)}")
    return lines


def listed(questions: dict[str, Any]) -> str:
    count, first = questions["count"], questions["first"]
    more = ", ..." if count > len(first) else ""
    return f"{count:,} question{'s' * (count != 1)} ({', '.join(first)}{more})"


if __name__ == "__main__":
    exit_with(main)
