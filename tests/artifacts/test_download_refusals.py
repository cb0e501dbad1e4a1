"""What is not the artifact is refused; files, locks, offline, full disks, two processes."""

import errno
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bertsquad.artifacts.download import download
from bertsquad.console.errors import UserError
from download_requests import CONTENT, NOWHERE, OTHER, SHA256, request

pytestmark = pytest.mark.usefixtures("direct_connections")


# What is not the artifact is refused


def test_a_wrong_checksum_names_file_found_expected_and_leaves_nothing(server, tmp_path):
    server.serve("/a.bin", OTHER)
    with pytest.raises(UserError) as error:
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    message = str(error.value)
    assert str(tmp_path / "a.bin") in message
    assert hashlib.sha256(OTHER).hexdigest() in message
    assert SHA256 in message
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_size_is_refused_before_the_transfer(server, tmp_path):
    served = server.serve("/a.bin", CONTENT)
    with pytest.raises(UserError, match="found 307,200 bytes, expected 1,000"):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", size=1000))
    assert len(served.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_endless_answer_is_cut_at_the_expected_size(server, tmp_path):
    server.serve("/a.bin", CONTENT, chunked=True)
    with pytest.raises(UserError, match="more than the 1,000 bytes expected"):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", size=1000))


def test_fewer_bytes_than_the_server_claims_are_no_file(server, tmp_path):
    server.serve("/a.bin", CONTENT, claimed_length=400_000, ranges=False)
    with pytest.raises(UserError, match=r"the connection broke after [\d,]+ bytes \(\d tries\)"):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None, retries=1))
    assert not (tmp_path / "a.bin").exists()


def test_an_answer_that_cannot_be_told_from_a_part_is_refused(server, tmp_path):
    server.serve("/a.bin", CONTENT, length=False)
    with pytest.raises(UserError, match="does not say how long the file is"):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None))
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None, size=len(CONTENT)))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_cut_answer_without_a_length_is_tried_again(server, tmp_path):
    server.serve("/a.bin", CONTENT, length=False, drop_after=[200_000])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", size=len(CONTENT)))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"import json\n", "text/html; charset=utf-8"),
        (b"<!DOCTYPE html>\n<html>", "text/plain"),
        (b"\n\n  <!doctype HTML>", "application/octet-stream"),
        (b"\xef\xbb\xbf<html lang=en>", "text/plain"),
    ],
)
def test_a_web_page_is_no_artifact(server, tmp_path, body, content_type):
    server.serve("/a.py", body, content_type=content_type)
    with pytest.raises(UserError, match=r"found a web page.*expected the file itself"):
        download(request(tmp_path / "a.py", f"{server.url}/a.py", sha256=None))
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_can_be_asked_for(server, tmp_path):
    server.serve("/a.html", b"<!DOCTYPE html>", content_type="text/html")
    download(request(tmp_path / "a.html", f"{server.url}/a.html", sha256=None))
    assert (tmp_path / "a.html").read_bytes() == b"<!DOCTYPE html>"


def test_a_zip_cut_short_before_it_was_served_is_refused_even_unpinned(server, tmp_path):
    server.serve("/a.zip", b"PK\x03\x04" + CONTENT)
    with pytest.raises(UserError, match="without a zip archive's end"):
        download(request(tmp_path / "a.zip", f"{server.url}/a.zip", sha256=None))
    assert list(tmp_path.iterdir()) == []


# file: addresses


def test_a_file_address_is_copied(tmp_path):
    source = tmp_path / "a file#1.bin"
    source.write_bytes(CONTENT)
    download(request(tmp_path / "out/a.bin", source.as_uri(), offline=True))
    assert (tmp_path / "out/a.bin").read_bytes() == CONTENT


def test_a_relative_file_address_is_seen_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("made").mkdir()
    Path("made/a.bin").write_bytes(CONTENT)
    download(request(tmp_path / "out/a.bin", "file:made/a.bin"))
    assert (tmp_path / "out/a.bin").read_bytes() == CONTENT


def test_what_the_workflow_makes_may_change(tmp_path, monkeypatch):
    """No lock: the demo's generator may be edited."""
    monkeypatch.chdir(tmp_path)
    lock = tmp_path / "lock.json"
    for content in (CONTENT, OTHER):
        Path("made.bin").write_bytes(content)
        download(request(tmp_path / "out/a.bin", "file:made.bin", sha256=None, lock=lock))
        assert (tmp_path / "out/a.bin").read_bytes() == content
    assert not lock.exists()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("file:///nowhere/a.bin", "no file at /nowhere/a.bin"),
        ("file:///", "is a folder, expected a file"),
        ("file://elsewhere/a.bin", "machine named 'elsewhere'"),
        ("ftp://example.org/a.bin", "not an address of the kind"),
        ("/data/a.bin", "not an address of the kind"),
    ],
)
def test_a_file_address_that_means_nothing_is_named(tmp_path, url, complaint):
    with pytest.raises(UserError, match=complaint):
        download(request(tmp_path / "a.bin", url))


# The lock


def test_the_first_download_is_pinned_and_later_ones_must_match(server, tmp_path):
    lock = tmp_path / "artifacts.lock.json"
    server.serve("/a.bin", CONTENT)
    unpinned = request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None, lock=lock)
    download(unpinned)
    entry = {"sha256": SHA256, "size": len(CONTENT), "url": f"{server.url}/a.bin"}
    assert json.loads(lock.read_text()) == {"a.bin": entry}

    (tmp_path / "a.bin").unlink()
    download(unpinned)

    (tmp_path / "a.bin").unlink()
    server.serve("/a.bin", OTHER)
    with pytest.raises(UserError) as error:
        download(unpinned)
    assert f"expected {SHA256} ({lock}, from the first download" in str(error.value)
    assert not (tmp_path / "a.bin").exists()


def test_an_unpinned_file_in_place_is_not_trusted_online(server, tmp_path):
    served = server.serve("/a.bin", CONTENT)
    (tmp_path / "a.bin").write_bytes(CONTENT[:1000])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None))
    assert len(served.requests) == 1
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_pinned_artifact_needs_no_lock(server, tmp_path):
    server.serve("/a.bin", CONTENT)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", lock=tmp_path / "lock.json"))
    assert not (tmp_path / "lock.json").exists()


# Offline, and the drop folder


def test_offline_says_which_file_to_put_where(server, tmp_path):
    served = server.serve("/a.bin", CONTENT)
    with pytest.raises(UserError) as error:
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", size=307_200, offline=True))
    assert str(error.value) == (
        "a.bin: not here, and offline mode forbids fetching it; "
        f"put it at {tmp_path}/drop/a.bin (from {server.url}/a.bin, 307,200 bytes, "
        f"sha256 {SHA256}) and run again"
    )
    assert served.requests == []
    assert list(tmp_path.iterdir()) == []


def test_offline_accepts_a_verified_file_in_place(tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    download(request(tmp_path / "a.bin", NOWHERE, offline=True))


@pytest.mark.parametrize("offline", [True, False])
def test_a_dropped_file_is_used_instead_of_the_network(server, tmp_path, offline):
    served = server.serve("/a.bin", CONTENT)
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/a.bin").write_bytes(CONTENT)
    asked = request(tmp_path / "out/a.bin", f"{server.url}/a.bin", drop_folder=tmp_path / "drop")
    download(replace(asked, offline=offline))
    assert (tmp_path / "out/a.bin").read_bytes() == CONTENT
    assert (tmp_path / "drop/a.bin").read_bytes() == CONTENT
    assert served.requests == []


def test_a_wrong_dropped_file_is_named_and_kept(tmp_path):
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/a.bin").write_bytes(OTHER)
    wrong = replace(
        request(tmp_path / "out/a.bin", "http://127.0.0.1:1/"), drop_folder=tmp_path / "drop"
    )
    with pytest.raises(UserError) as error:
        download(wrong)
    assert str(error.value).startswith(f"{tmp_path}/drop/a.bin: found sha256")
    assert (tmp_path / "drop/a.bin").read_bytes() == OTHER
    assert list((tmp_path / "out").iterdir()) == []


def test_a_dropped_file_is_pinned_like_a_download(tmp_path):
    lock = tmp_path / "lock.json"
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/a.bin").write_bytes(CONTENT)
    asked = request(tmp_path / "a.bin", NOWHERE, sha256=None, lock=lock, offline=True)
    download(asked)
    assert json.loads(lock.read_text())["a.bin"]["sha256"] == SHA256


# The disk


def test_a_disk_without_room_is_noticed_before_the_transfer(server, tmp_path, monkeypatch):
    """The double: shutil.disk_usage reports 1000 free bytes."""
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("bertsquad.artifacts.space.shutil.disk_usage", lambda _: usage)
    server.serve("/a.bin", CONTENT)
    with pytest.raises(UserError, match=r"needs 307 kB more, 1 kB are free in .*: disk full"):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert not (tmp_path / "a.bin").exists()


def test_only_the_missing_rest_must_fit(server, tmp_path, monkeypatch):
    served = server.serve("/a.bin", CONTENT, drop_after=[250_000])
    with pytest.raises(UserError):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", retries=0))
    usage = shutil.disk_usage(tmp_path)._replace(free=120_000)
    monkeypatch.setattr("bertsquad.artifacts.space.shutil.disk_usage", lambda _: usage)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert served.requests[1]["range"]


def test_a_disk_that_fills_up_on_the_way_keeps_the_part(server, small_disk, monkeypatch):
    """The server tells no length, so the shortage cannot be foreseen."""
    server.serve("/a.bin", CONTENT, chunked=True)
    with pytest.raises(OSError, match="No space left") as error:
        download(request(small_disk / "a.bin", f"{server.url}/a.bin"))
    assert error.value.errno == errno.ENOSPC
    assert error.value.filename == str(small_disk / "a.bin")
    assert not (small_disk / "a.bin").exists()
    assert (small_disk / ".a.bin.part").stat().st_size > 100_000


# Other processes


def test_two_processes_do_not_fill_one_file(server, tmp_path):
    from bertsquad.artifacts.part import PartialFile

    server.serve("/a.bin", CONTENT)
    with (
        PartialFile(tmp_path / "a.bin"),
        pytest.raises(UserError, match="another process is downloading this file"),
    ):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
