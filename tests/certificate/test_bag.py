"""The bag: manifests that sha256sum reads, and what is wrong with one that was changed."""

import hashlib
from pathlib import Path

import pytest

from bertsquad.certificate import bag
from bertsquad.certificate.holding import FolderHolding
from bertsquad.console.errors import UserError

A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()


def test_a_manifest_is_sorted_lines_as_sha256sum_writes_them():
    text = bag.manifest({"data/b": B, "data/a": A})
    assert text == f"{A}  data/a\n{B}  data/b\n"
    assert bag.parse_manifest(text, "m") == {"data/a": A, "data/b": B}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{A} data/a\n", "m: line 1: found"),
        (f"{A}  data/a\nnothing\n", "m: line 2: found 'nothing', expected a SHA-256"),
        (f"{A.upper()}  data/a\n", "64 lower-case hex digits"),
        (f"{A}  data/a\n{B}  data/a\n", "m: line 2: data/a is listed twice"),
    ],
)
def test_a_line_that_is_none_is_named(text: str, said: str):
    with pytest.raises(UserError, match=said):
        bag.parse_manifest(text, "m")


@pytest.mark.parametrize("name", ["a\\b", "50%", "a\nb", " a"])
def test_a_name_that_is_written_in_two_ways_is_refused(name: str):
    with pytest.raises(UserError, match="cannot be in a crate"):
        bag.check_name(name)


def test_the_oxum_counts_bytes_and_files():
    assert bag.oxum([3, 4]) == "7.2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bag of two files."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a").write_bytes(b"a")
    (tmp_path / "data/b").write_bytes(b"b")
    tags = {
        bag.DECLARATION: bag.declaration(),
        bag.INFO: bag.info([("Payload-Oxum", "2.2")]),
        bag.MAKEFILE: "verify:\n",
        bag.MANIFEST: bag.manifest({"data/a": A, "data/b": B}),
    }
    for name, text in tags.items():
        (tmp_path / name).write_text(text)
    seal(tmp_path)
    return tmp_path


def seal(folder: Path) -> None:
    hashes = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in bag.TAG_FILES}
    (folder / bag.TAG_MANIFEST).write_text(bag.manifest(hashes))


def check(folder: Path) -> dict[str, str]:
    return bag.check_bag(FolderHolding(folder, bag.PARTS))


def test_a_whole_bag_has_the_hashes_of_its_payload(folder: Path):
    (folder / "again").mkdir()
    (folder / "again/x").write_text("what is made beside it is none of its business")
    assert check(folder) == {"data/a": A, "data/b": B}


def test_each_change_is_named(folder: Path):
    (folder / "data/b").write_bytes(b"c")
    with pytest.raises(UserError, match="data/b was changed: found sha256"):
        check(folder)
    (folder / "data/b").unlink()
    with pytest.raises(UserError, match=r"data/b is listed in manifest-sha256\.txt and missing"):
        check(folder)
    (folder / "data/b").write_bytes(b"b")
    (folder / "data/c").write_bytes(b"c")
    with pytest.raises(UserError, match=r"data/c is not listed in manifest-sha256\.txt"):
        check(folder)


def test_a_manifest_is_held_by_the_one_of_tags(folder: Path):
    (folder / bag.MANIFEST).write_text(bag.manifest({"data/a": A, "data/b": A}))
    with pytest.raises(UserError, match=r"data/b was changed|manifest-sha256\.txt was changed"):
        check(folder)
    (folder / bag.TAG_MANIFEST).unlink()
    with pytest.raises(UserError, match=r"no file tagmanifest-sha256\.txt"):
        check(folder)


def test_another_version_and_a_wrong_count_are_refused(folder: Path):
    (folder / bag.INFO).write_text("Payload-Oxum: 3.2\n")
    seal(folder)
    with pytest.raises(UserError, match=r"does not say 'Payload-Oxum: 2\.2'"):
        check(folder)
    (folder / bag.DECLARATION).write_text("BagIt-Version: 0.97\n")
    with pytest.raises(UserError, match=r"expected BagIt 1\.0"):
        check(folder)
