"""A member is unpacked exactly as its archive declares it, or not at all."""

import contextlib
import io
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsquad.artifacts import archive
from bertsquad.artifacts.archive import extract_member
from bertsquad.console.errors import UserError

WEIGHTS = random.Random(0).randbytes(50_000)
VOCAB = b"[PAD]\n[UNK]\nword\n" * 100
MEMBERS = {"bert/model.ckpt.index": WEIGHTS, "bert/vocab.txt": VOCAB, "bert/empty": b""}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


@pytest.fixture
def bert_zip(tmp_path: Path) -> Path:
    path = tmp_path / "bert.zip"
    path.write_bytes(zipped(MEMBERS))
    return path


def extract(path: Path, member: str = "bert/vocab.txt", **limits: float) -> bytes:
    output = path.parent / "out/member"
    extract_member(path, member, output, **limits)
    return output.read_bytes()


def refuse(path: Path, content: bytes, complaint: str, **options: object) -> None:
    """`content` must be refused with this complaint, and leave nothing."""
    path.write_bytes(content)
    with pytest.raises(UserError, match=complaint) as error:
        extract(path, **options)
    assert str(path) in str(error.value)
    folder = path.parent / "out"
    assert not folder.exists() or list(folder.iterdir()) == []


# What is there is unpacked


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_comes_out_as_it_went_in(tmp_path, method, member):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(MEMBERS, method))
    assert extract(path, member) == MEMBERS[member]


def test_folders_in_the_archive_are_no_obstacle(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"bert/": b"", **MEMBERS}))
    assert extract(path) == VOCAB
    with pytest.raises(UserError, match="no member 'bert/'"):
        extract(path, "bert/")


def test_a_failed_try_leaves_the_old_file(bert_zip, tmp_path):
    assert extract(bert_zip) == VOCAB
    with pytest.raises(UserError):
        extract(bert_zip, "missing")
    assert (tmp_path / "out/member").read_bytes() == VOCAB


def test_the_zip_command_agrees(bert_zip):
    """Python's own reader, in another process, as a second opinion."""
    command = [sys.executable, "-m", "zipfile", "-t", str(bert_zip)]
    assert "Done testing" in subprocess.run(command, capture_output=True, text=True).stdout


# What is missing or broken is said


def test_a_missing_member_is_named_with_near_names(bert_zip):
    with pytest.raises(UserError) as error:
        extract(bert_zip, "bert/vocabs.txt")
    assert str(error.value) == (
        f"{bert_zip}: no member 'bert/vocabs.txt'; did you mean bert/vocab.txt? "
        "known: bert/empty, bert/model.ckpt.index, bert/vocab.txt"
    )


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.zip: no such file"):
        extract(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("kept", [0, 1, 1000, 40_000, -1])
def test_a_truncated_archive_is_said_to_be_truncated(tmp_path, kept):
    whole = zipped(MEMBERS)
    refuse(tmp_path / "a.zip", whole[:kept], "not a whole zip archive .* truncated")


def test_a_web_page_is_no_archive(tmp_path):
    refuse(tmp_path / "a.zip", b"<!DOCTYPE html><html></html>", "not a whole zip archive")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_flipped_bit_fails_the_crc(tmp_path, method):
    content = bytearray(zipped(MEMBERS, method))
    content[20_000] ^= 0x10
    member = "bert/model.ckpt.index"
    refuse(tmp_path / "a.zip", bytes(content), "not a whole zip archive", member=member)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_archive_gives_the_right_bytes_or_one_clear_error(tmp_path, data):
    content = bytearray(zipped({"bert/vocab.txt": VOCAB, "b": b"second" * 9}))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.zip"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(UserError):
        assert extract(path) == VOCAB


# What nobody should trust


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("/etc/passwd", "has an absolute path"),
        ("\\\\server\\share", "has an absolute path"),
        ("C:/windows/x", "has an absolute path"),
        ("c:x", "has an absolute path"),
        ("../x", "leaves the folder"),
        ("bert/../../x", "leaves the folder"),
        ("bert\\..\\..\\x", "leaves the folder"),
        ("bert/..", "leaves the folder"),
    ],
)
def test_a_name_outside_the_folder_condemns_the_archive(tmp_path, name, complaint):
    refuse(tmp_path / "a.zip", zipped({"bert/vocab.txt": VOCAB, name: b"x"}), complaint)


def test_a_name_hidden_behind_a_null_is_refused(tmp_path):
    content = zipped({"bert/vocab.txt": VOCAB, "bert/xQevil": b"x"}).replace(b"xQe", b"x\0e")
    refuse(tmp_path / "a.zip", content, "has no usable name")


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (stat.S_IFLNK, "is a symbolic link"),
        (stat.S_IFIFO, "special file"),
        (stat.S_IFCHR, "special file"),
    ],
)
def test_links_and_devices_are_refused(tmp_path, kind, complaint):
    buffer = io.BytesIO(zipped({"bert/vocab.txt": VOCAB}))
    with zipfile.ZipFile(buffer, "a") as opened:
        info = zipfile.ZipInfo("bert/link")
        info.external_attr = (kind | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    refuse(tmp_path / "a.zip", buffer.getvalue(), complaint)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["bert/vocab.txt", "./bert//vocab.txt"])
def test_a_second_member_of_one_name_is_refused(tmp_path, name):
    buffer = io.BytesIO(zipped({"bert/vocab.txt": VOCAB}))
    with zipfile.ZipFile(buffer, "a") as opened:
        opened.writestr(name, b"another vocabulary")
    refuse(tmp_path / "a.zip", buffer.getvalue(), "is there twice")


def patched(content: bytes, offset: int, form: str, value: int, member: int = 0) -> bytes:
    """Change a field of the n-th entry of the central directory (APPNOTE.TXT 4.3.12)."""
    changed, start = bytearray(content), -1
    for _ in range(member + 1):
        start = content.index(b"PK\x01\x02", start + 1)
    struct.pack_into(form, changed, start + offset, value)
    return bytes(changed)


def test_an_encrypted_member_is_refused(tmp_path):
    refuse(tmp_path / "a.zip", patched(zipped(MEMBERS), 8, "<H", 1), "is encrypted")


@pytest.mark.parametrize("method", [12, 14, 93])
def test_other_compression_is_refused(tmp_path, method):
    content = patched(zipped(MEMBERS), 10, "<H", method)
    refuse(tmp_path / "a.zip", content, f"compression method {method}; stored and deflated are")


def test_members_that_share_bytes_are_refused(tmp_path):
    """The overlapping-files zip bomb (Fifield 2019)."""
    content = patched(zipped(MEMBERS), 42, "<I", 10, member=1)
    refuse(tmp_path / "a.zip", content, "shares bytes with another")


# Zip bombs: the declared size is limited, and the real one is the declared one


def test_more_than_max_size_is_refused_before_unpacking(tmp_path):
    content = zipped({"bert/vocab.txt": VOCAB, "huge": bytes(2_000_000)})
    refuse(tmp_path / "a.zip", content, "declares 2 MB, more than --max-size 1 MB", max_size=10**6)


def test_an_unbelievable_ratio_is_refused(tmp_path):
    content = zipped({"bert/vocab.txt": VOCAB, "huge": bytes(3_000_000)})
    refuse(tmp_path / "a.zip", content, "times its own size, more than --max-ratio 200")
    (tmp_path / "a.zip").write_bytes(content)
    assert extract(tmp_path / "a.zip", max_ratio=2000) == VOCAB


def test_a_small_file_may_compress_well(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"zeros": bytes(900_000)}))
    assert extract(tmp_path / "a.zip", "zeros") == bytes(900_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_more_bytes_than_declared_stop_the_unpacking(tmp_path, monkeypatch, method):
    """Up to 100 MB that declare 1000 bytes: nothing is written."""
    real = 100_000_000 if method == zipfile.ZIP_DEFLATED else 100_000
    content = patched(zipped({"bert/vocab.txt": bytes(real)}, method), 24, "<I", 1000)
    written: list[int] = []
    monkeypatch.setattr(archive.Progress, "update", lambda _, count: written.append(count))
    refuse(tmp_path / "a.zip", content, "holds more than the 1,000 bytes it declares")
    assert written == []


def test_fewer_bytes_than_declared_are_an_error(tmp_path):
    content = patched(zipped({"bert/vocab.txt": VOCAB}), 24, "<I", len(VOCAB) + 1)
    refuse(tmp_path / "a.zip", content, "found 1,700 bytes, 1,701 are declared")


# The disk


def test_a_disk_without_room_is_noticed_before_unpacking(bert_zip, monkeypatch):
    """The double: shutil.disk_usage reports 1000 free bytes."""
    usage = shutil.disk_usage(bert_zip.parent)._replace(free=1000)
    monkeypatch.setattr("bertsquad.artifacts.space.shutil.disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"needs 1\.7 kB more, 1 kB are free in .*: disk full"):
        extract(bert_zip)


def test_an_unreadable_output_folder_is_named(bert_zip, tmp_path):
    if os.geteuid() == 0:
        (tmp_path / "out").write_text("a file where a folder should be")
    else:
        (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(OSError, match="out") as error:
        extract(bert_zip)
    assert error.value.filename is not None
