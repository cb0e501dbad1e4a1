"""The logits file: an engine's logits of every feature, without padding, and of which features."""

import os
from dataclasses import dataclass

import numpy as np

from bertsquad import tensorfile
from bertsquad.console.errors import UserError

_TEXTS = ("engine", "precision", "features_sha256", "kernels")


@dataclass(frozen=True, slots=True)
class Logits:
    """Start and end logits of N features, T real tokens, in the order of the features file."""

    start_logits: np.ndarray  # [T], float32
    end_logits: np.ndarray  # [T], float32
    starts: np.ndarray  # [N + 1], int64; feature n holds starts[n]:starts[n + 1]
    engine: str
    precision: str
    features_sha256: str  # of the features file they were computed from
    kernels: str = ""  # what computed them, as the engine says it


def write(path: str | os.PathLike[str], logits: Logits) -> None:
    """Write a logits file, whole or not at all."""
    tensorfile.write_checked(
        path,
        {
            "start_logits": np.asarray(logits.start_logits, np.float32),
            "end_logits": np.asarray(logits.end_logits, np.float32),
            "starts": np.asarray(logits.starts, np.int64),
        },
        {name: getattr(logits, name) for name in _TEXTS},
    )


def read(path: str | os.PathLike[str]) -> Logits:
    """Read a logits file.

    Raises:
        UserError: it is not a logits file, it was changed, or a logit is not a finite number.
    """
    arrays, metadata = tensorfile.read(path)
    try:
        logits = Logits(
            start_logits=arrays["start_logits"],
            end_logits=arrays["end_logits"],
            starts=arrays["starts"],
            engine=metadata["engine"],
            precision=metadata["precision"],
            features_sha256=metadata["features_sha256"],
            kernels=metadata["kernels"],
        )
    except KeyError as error:
        raise UserError(f"{path}: not a logits file: no {error}; compute_logits makes it") from None
    tensorfile.verified(path, arrays, metadata)
    tokens = int(logits.starts[-1])
    if not len(logits.start_logits) == len(logits.end_logits) == tokens:
        raise UserError(
            f"{path}: {len(logits.start_logits)} start and {len(logits.end_logits)} end logits for "
            f"{tokens} tokens; run compute_logits again"
        )
    for name, values in (("start", logits.start_logits), ("end", logits.end_logits)):
        finite = np.isfinite(values)
        if not finite.all():
            token = int(np.argmin(finite))
            feature = int(np.searchsorted(logits.starts, token, side="right")) - 1
            raise UserError(
                f"{path}: the {name} logit of token {token - int(logits.starts[feature])} in "
                f"feature {feature} is {values[token]}; expected finite numbers, so look at the "
                "model that made them"
            )
    return logits


def check_features(
    path: str | os.PathLike[str],
    logits: Logits,
    *,
    features_path: str | os.PathLike[str],
    features_sha256: str,
    lengths: np.ndarray,
) -> None:
    """Raise `UserError` unless the logits of file `path` are those of these features.

    Args:
        lengths: [N] real tokens of each feature.
    """
    features = len(logits.starts) - 1
    if features != len(lengths):
        fault = "are missing" if features < len(lengths) else "are too many"
        raise UserError(
            f"{path}: logits for {features} features, but {features_path} has {len(lengths)}: "
            f"{abs(features - len(lengths))} {fault}; run compute_logits again with that file"
        )
    if logits.features_sha256 != features_sha256:
        raise UserError(
            f"{path}: logits for other features (sha256 {logits.features_sha256[:12]}…, but "
            f"{features_path} has {features_sha256[:12]}…); run compute_logits again with that file"
        )
    wrong = np.flatnonzero(np.diff(logits.starts) != lengths)
    if len(wrong):
        feature = int(wrong[0])
        raise UserError(
            f"{path}: {int(np.diff(logits.starts)[feature])} logits for feature {feature}, which "
            f"has {int(lengths[feature])} tokens in {features_path}; run compute_logits again"
        )
