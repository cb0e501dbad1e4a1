"""The masked CRC-32C that TensorFlow's files carry."""

import google_crc32c
import numpy as np

_MASK_DELTA = 0xA282EAD8  # leveldb, util/crc32c.h


def masked_crc32c(*parts: bytes | np.ndarray) -> int:
    """The masked CRC-32C of the parts joined; an array must be contiguous."""
    crc = 0
    for part in parts:
        # The extension takes a buffer as it is, arrays included: no copy of a large tensor.
        crc = google_crc32c.extend(crc, part)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFF_FFFF
