"""certificate/known_hashes.py: large files are read once."""

import json
import os
from pathlib import Path

import pytest

from bertsquad.certificate import known_hashes
from bertsquad.certificate.known_hashes import FILE, KnownHashes

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ABD = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which files are read; all count as large."""
    found: list[Path] = []
    monkeypatch.setattr(known_hashes, "_LARGE", 0)
    real = known_hashes.sha256
    monkeypatch.setattr(known_hashes, "sha256", lambda path: found.append(path) or real(path))
    return found


def test_a_large_file_is_read_once_by_all_jobs(tmp_path: Path, reads: list[Path]):
    model = tmp_path / "model"
    model.write_bytes(b"abc")
    first, second = KnownHashes(tmp_path), KnownHashes(tmp_path)
    assert first.sha256(model) == ABC
    assert first.sha256(model) == ABC
    first.save()
    assert second.sha256(model) == ABC
    assert reads == [model]
    assert list(json.loads((tmp_path / FILE).read_text())) == ["model"]


@pytest.mark.parametrize("keep_time", [False, True])
def test_a_file_that_was_replaced_is_read_again(tmp_path: Path, reads: list[Path], keep_time: bool):
    model = tmp_path / "model"
    model.write_bytes(b"abc")
    hashes = KnownHashes(tmp_path)
    hashes.sha256(model)
    hashes.save()
    before = model.stat()
    (tmp_path / "other").write_bytes(b"abd")
    (tmp_path / "other").replace(model)
    if keep_time:  # another inode all the same
        os.utime(model, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert KnownHashes(tmp_path).sha256(model) == ABD


def test_small_files_are_not_kept(tmp_path: Path):
    (tmp_path / "vocab.txt").write_bytes(b"abc")
    hashes = KnownHashes(tmp_path)
    assert hashes.sha256(tmp_path / "vocab.txt") == ABC
    hashes.save()
    assert not (tmp_path / FILE).exists()


def test_of_files_that_are_gone_nothing_is_kept(tmp_path: Path, reads: list[Path]):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"abc")
        hashes = KnownHashes(tmp_path)
        hashes.sha256(tmp_path / name)
        if name == "b":
            (tmp_path / "a").unlink()
        hashes.save()
    assert list(json.loads((tmp_path / FILE).read_text())) == ["b"]


@pytest.mark.parametrize("damage", ["", "[1, 2]", '{"model": 3}', "{"])
def test_a_damaged_cache_is_no_cache(tmp_path: Path, reads: list[Path], damage: str):
    (tmp_path / "model").write_bytes(b"abc")
    (tmp_path / FILE).write_text(damage)
    assert KnownHashes(tmp_path).sha256(tmp_path / "model") == ABC


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path, reads: list[Path]):
    (tmp_path / "model").write_bytes(b"abc")
    (tmp_path / FILE).mkdir()
    hashes = KnownHashes(tmp_path)
    assert hashes.sha256(tmp_path / "model") == ABC
    hashes.save()
