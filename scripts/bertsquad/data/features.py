"""The features file: windows over contexts as indices into token arrays that are stored once.

One safetensors file. A context or question is stored once however many features use it, and a
feature is a handful of numbers; whole sequences are put together when a batch is asked for. Readers
map the file into memory (tensorfile.read_checked). With P paragraphs, Q questions, N features:

    context_ids         uint16 | int32 [Tc] word pieces of all contexts, end to end
    context_words       uint16 | int32 [Tc] the white-space word of its context each comes from
    context_starts      int64 [P + 1]       paragraph p is context tokens [p]..[p + 1]
    question_ids        uint16 | int32 [Tq] word pieces of the questions, cut to max_query_length
    question_starts     int64 [Q + 1]
    question_paragraph  int32 [Q]
    feature_question    int32 [N]           ascending: a question's windows follow each other
    doc_start           int32 [N]           first context token of the window, in its context
    doc_length          int32 [N]           context tokens in the window
    max_context_begin   int32 [N]           the context tokens, counted in their context, of which
    max_context_end     int32 [N]           this window sees most; begin == end: none
    start_position      int32 [N]           training only: the answer's first and last token,
    end_position        int32 [N]           counted in the feature; 0 ([CLS]): not in this window

A feature is [CLS] question [SEP] window [SEP]. Paragraphs and questions are numbered as in the
dataset, including those without a feature.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from bertsquad import tensorfile
from bertsquad.console.errors import UserError
from bertsquad.data.batching import PackedBatch, positions_of, starts_of

VERSION = 1  # of the file's format
SPECIAL_TOKENS = 3  # [CLS], and a [SEP] after the question and after the window
TARGETS = ("start_position", "end_position")
ARRAYS = (
    "context_ids",
    "context_words",
    "context_starts",
    "question_ids",
    "question_starts",
    "question_paragraph",
    "feature_question",
    "doc_start",
    "doc_length",
    "max_context_begin",
    "max_context_end",
)


class Features:
    """N features, whose arrays (see above) are attributes, and batches of them.

    `lengths` int32[N] counts real tokens, [CLS] and both [SEP] included; `metadata` is how the
    features were made; `training` whether answers are known.
    """

    context_ids: np.ndarray
    context_words: np.ndarray
    context_starts: np.ndarray
    question_ids: np.ndarray
    question_starts: np.ndarray
    question_paragraph: np.ndarray
    feature_question: np.ndarray
    doc_start: np.ndarray
    doc_length: np.ndarray
    max_context_begin: np.ndarray
    max_context_end: np.ndarray
    start_position: np.ndarray | None
    end_position: np.ndarray | None

    def __init__(self, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> None:
        self.arrays = arrays
        self.metadata = metadata
        for name in ARRAYS:
            setattr(self, name, arrays[name])
        self.start_position, self.end_position = (arrays.get(name) for name in TARGETS)
        self.training = self.start_position is not None
        self.max_seq_length: int = metadata["max_seq_length"]
        self.question_lengths = np.diff(self.question_starts).astype(np.int32)
        self.lengths = self.question_lengths[self.feature_question] + self.doc_length
        self.lengths += SPECIAL_TOKENS

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Features":
        """The features in a file, mapped into memory; its checksum is compared.

        Raises `UserError` where `tensorfile.read_checked` does, and for another kind of file.
        """
        arrays, metadata = tensorfile.read(path)
        if "features" not in metadata or not arrays.keys() >= set(ARRAYS):
            raise UserError(f"{path}: not a features file; make it with featurize.py")
        metadata = tensorfile.verified(path, arrays, metadata)
        facts = json.loads(metadata["features"])
        if facts["version"] != VERSION:
            raise UserError(
                f"{path}: features in format {facts['version']}; expected {VERSION}: make it again "
                "with featurize.py"
            )
        return cls(arrays, facts)

    def __len__(self) -> int:
        return len(self.feature_question)

    def only(self, indices: np.ndarray) -> "Features":
        """These features alone; contexts and questions are still all there."""
        of_features = (*ARRAYS[ARRAYS.index("feature_question") :], *TARGETS)
        chosen = {name: self.arrays[name][indices] for name in of_features if name in self.arrays}
        return Features(self.arrays | chosen, self.metadata)

    def packed(self, indices: Sequence[int] | np.ndarray) -> PackedBatch:
        """These features end to end, without padding."""
        indices = np.asarray(indices, np.int64)
        question = self.feature_question[indices]
        question_lengths = self.question_lengths[question].astype(np.int64)
        doc_lengths = self.doc_length[indices].astype(np.int64)
        doc_begins = (
            self.context_starts[self.question_paragraph[question]] + self.doc_start[indices]
        )
        starts = starts_of(question_lengths + doc_lengths + SPECIAL_TOKENS)
        first, sep = starts[:-1], starts[:-1] + 1 + question_lengths

        input_ids = np.full(starts[-1], self.metadata["sep"], np.int64)
        input_ids[first] = self.metadata["cls"]
        input_ids[ranges(first + 1, question_lengths)] = self.question_ids[
            ranges(self.question_starts[question], question_lengths)
        ]
        input_ids[ranges(sep + 1, doc_lengths)] = self.context_ids[ranges(doc_begins, doc_lengths)]
        segments = np.zeros(starts[-1], np.int64)
        segments[ranges(sep + 1, doc_lengths + 1)] = 1
        return PackedBatch(
            input_ids=input_ids,
            positions=positions_of(starts),
            segments=segments,
            starts=starts,
            indices=indices,
            start_positions=taken(self.start_position, indices),
            end_positions=taken(self.end_position, indices),
        )

    def padded(
        self, indices: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """input_ids, input_mask, segment_ids, each int64[len(indices), max_seq_length], 0 after the
        last [SEP]: what run_squad.py feeds."""
        batch = self.packed(indices)
        rows = np.repeat(np.arange(len(batch)), batch.lengths)
        shape = (len(batch), self.max_seq_length)
        input_ids, input_mask, segment_ids = (np.zeros(shape, np.int64) for _ in range(3))
        input_ids[rows, batch.positions] = batch.input_ids
        input_mask[rows, batch.positions] = 1
        segment_ids[rows, batch.positions] = batch.segments
        return input_ids, input_mask, segment_ids


def write(path: str | os.PathLike[str], features: Features) -> None:
    """Write the features file; equal features give equal bytes."""
    metadata = json.dumps(features.metadata, sort_keys=True)
    tensorfile.write_checked(path, features.arrays, {"features": metadata})


def ranges(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """int64[sum(lengths)]: lengths[0] numbers from begins[0] up, then those of begins[1], ..."""
    numbers: np.ndarray = np.repeat(begins, lengths) + positions_of(starts_of(lengths))
    return numbers


def taken(array: np.ndarray | None, indices: np.ndarray) -> np.ndarray | None:
    return None if array is None else array[indices].astype(np.int64)
