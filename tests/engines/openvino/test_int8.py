"""An INT8 model that cannot be written: the reason, where OpenVINO names none."""

import errno
from pathlib import Path

import pytest

from bertsquad.console.errors import explain
from bertsquad.engines.openvino import int8


def test_a_full_disk_is_called_so(tmp_path: Path):
    (tmp_path / "model.bin").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"model\.bin") as caught:
        int8.raise_why(tmp_path, RuntimeError("basic_ios::clear: iostream error"))
    assert caught.value.errno == errno.ENOSPC
    said = explain(caught.value)
    assert said
    assert said.startswith(f"disk full while writing {tmp_path / 'model.bin'}")


def test_other_errors_keep_their_words(tmp_path: Path):
    (tmp_path / "model.bin").symlink_to("/dev/full")
    int8.raise_why(tmp_path, RuntimeError("no such operation"))
