"""Our own SQuAD file to features: what scripts/featurize.py does, file reading included."""

import argparse
import gc

import texts
from bertsquad.data import squad
from bertsquad.data.features import Features
from bertsquad.data.parallel import featurize_in_parallel
from bertsquad.data.tokenization import Vocabulary
from protocol import serve


class ToFeatures:
    def __init__(self, args: argparse.Namespace) -> None:
        gc.disable()  # as scripts/featurize.py does
        self.path, self.processes = args.input, args.threads
        self.vocab = args.model / "vocab.txt"

    def features(self) -> Features:
        return featurize_in_parallel(
            squad.load(self.path, purpose="train"),
            Vocabulary(self.vocab),
            processes=self.processes,
            max_seq_length=texts.MAX_SEQ_LENGTH,
            doc_stride=texts.DOC_STRIDE,
            max_query_length=texts.MAX_QUERY_LENGTH,
            purpose="train",
        )

    def check(self) -> list[float]:
        made = self.features()
        # feature_question ascends, so its first window is where each question first occurs.
        firsts = [int((made.feature_question >= n).argmax()) for n in range(texts.CHECKED)]
        numbers: list[float] = made.packed(firsts).input_ids.astype(float).tolist()
        return numbers

    def run(self) -> int:
        return len(self.features())


if __name__ == "__main__":
    serve(ToFeatures, "tokenizers", "numpy")
