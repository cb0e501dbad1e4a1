"""Archives and folders that nobody vouches for: read as declared, or refused."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from bertsquad.certificate.holding import (
    FolderHolding,
    check_empty,
    opened_zip,
    read,
    read_text,
    sha256_of,
    unpack,
)
from bertsquad.console.errors import UserError


def zipped(path: Path, members: dict[str, bytes], *, mode: int = 0o644) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | mode) << 16
            opened.writestr(info, content)
    path.write_bytes(buffer.getvalue())
    return path


def test_an_archive_is_read_file_by_file(tmp_path: Path):
    path = zipped(tmp_path / "a.zip", {"a": b"text", "d/b": b"\xff"})
    with opened_zip(path) as held:
        assert held.sizes() == {"a": 4, "d/b": 1}
        assert read_text(held, "a") == "text"
        assert sha256_of(held, "a").startswith("982d9e3eb996f559e633f4d194def376")
        with pytest.raises(UserError, match=r"a\.zip: d/b is not UTF-8 text \(byte 0\)"):
            read_text(held, "d/b")
        with pytest.raises(UserError, match="no file c"):
            read(held, "c")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../a"], "leaves the folder"),
        (["/a"], "has an absolute path"),
        (["a", "a/b"], "'a' is a file, and the folder of 'a/b'"),
        (["./a"], "no plain path"),
        (["a//b"], "no plain path"),
        (["a\x1b[2J"], "no plain path"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, names: list[str], said: str):
    path = zipped(tmp_path / "a.zip", dict.fromkeys(names, b"x"))
    with pytest.raises(UserError, match=said), opened_zip(path):
        pass


def test_unpacking_is_whole_or_not_at_all(tmp_path: Path):
    path = zipped(tmp_path / "a.zip", {"d/a": b"text"}, mode=0o755)
    with opened_zip(path) as held:
        unpack(held, tmp_path / "out")
    assert (tmp_path / "out/d/a").read_bytes() == b"text"
    assert (tmp_path / "out/d/a").stat().st_mode & 0o777 == 0o755
    content = bytearray(zipped(tmp_path / "b.zip", {"a": b"text", "b": b"words" * 99}).read_bytes())
    content[content.index(b"b") + 4] ^= 0xFF
    (tmp_path / "b.zip").write_bytes(content)
    with opened_zip(tmp_path / "b.zip") as held, pytest.raises(UserError):
        unpack(held, tmp_path / "other")
    assert sorted(place.name for place in tmp_path.iterdir()) == ["a.zip", "b.zip", "out"]


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path):
    (tmp_path / "out").mkdir()
    check_empty(tmp_path / "out")
    check_empty(tmp_path / "new")
    (tmp_path / "out/mine").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        check_empty(tmp_path / "out")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="not a folder"):
        check_empty(tmp_path / "link")


def test_a_folder_has_plain_files_alone(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a").write_text("text")
    assert FolderHolding(tmp_path, ("data", "missing")).sizes() == {"data/a": 4}
    (tmp_path / "data/b").symlink_to("/etc")
    with pytest.raises(UserError, match="data/b: a link or special file"):
        FolderHolding(tmp_path, ("data",))
