"""Equal files give equal archives, and no byte of an archive changes unnoticed."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.certificate.crate import fixed_zip
from bertsquad.certificate.crate.fixed_zip import Entry, check_headers, moment_of
from bertsquad.certificate.holding import opened_zip, sha256_of
from bertsquad.console.errors import UserError

COMMITTED = 1_772_366_401  # 2026-03-01 12:00:01


def archive(folder: Path, name: str = "a.zip") -> Path:
    (folder / "x").write_bytes(b"words " * 50)
    path = folder / name
    entries = [
        Entry("data/x", folder / "x"),
        Entry("data/é", b"", executable=True),
        Entry("data/", None),
        Entry("a", b"text\n"),
    ]
    fixed_zip.write(path, entries, COMMITTED)
    return path


def test_the_same_files_give_the_same_bytes_in_order_at_a_fixed_time(tmp_path: Path):
    first, second = archive(tmp_path), archive(tmp_path, "b.zip")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as opened:
        infos = opened.infolist()
        assert [info.filename for info in infos] == ["a", "data/", "data/x", "data/é"]
        assert {info.date_time for info in infos} == {(2026, 3, 1, 12, 0, 0)}
        modes = [oct(info.external_attr >> 16) for info in infos]
        assert modes == ["0o100644", "0o40755", "0o100644", "0o100755"]
        assert opened.testzip() is None
        check_headers(first, opened)


def test_a_time_before_zip_archives_is_their_first():
    assert moment_of(0) == (1980, 1, 1, 0, 0, 0)
    assert moment_of(COMMITTED) == (2026, 3, 1, 12, 0, 0)


def judge(path: Path) -> list[str]:
    """Read everything; the hashes of its files."""
    with opened_zip(path) as held:
        found = [sha256_of(held, name) for name in held.sizes()]
        check_headers(path, held.opened)
        return found


def test_each_flipped_bit_is_noticed(tmp_path: Path):
    """Also one that changes no file: behind the data, or where repeated text can be packed in
    two ways."""
    path = archive(tmp_path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8  # all bits take four seconds
        path.write_bytes(changed)
        with pytest.raises(UserError):
            judge(path)


def test_bytes_between_and_behind_files_are_noticed(tmp_path: Path):
    path = archive(tmp_path)
    whole = path.read_bytes()
    for changed in (b"PK\3\4" + whole, whole + b"x", whole[:-1]):
        path.write_bytes(changed)
        with pytest.raises(UserError):
            judge(path)


def test_an_archive_that_another_program_packed_passes(tmp_path: Path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("a", "text")
    assert len(judge(path)) == 1


@given(st.integers(-(2**40), 2**40))
def test_every_time_is_one_of_zip_archives(seconds: int):
    year, _, _, _, _, second = moment_of(seconds)
    assert 1980 <= year <= 2107
    assert second % 2 == 0
