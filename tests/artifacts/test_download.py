"""Whatever the network does, an artifact is the right bytes, whole, or one clear error."""

import hashlib
import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsquad.artifacts.download import download
from bertsquad.console.errors import UserError
from download_requests import CONTENT, OTHER, leftovers, request

pytestmark = pytest.mark.usefixtures("direct_connections")


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# What comes, comes whole


def test_a_file_is_downloaded_and_nothing_else_is_left(server, tmp_path):
    server.serve("/a.bin", CONTENT)
    download(request(tmp_path / "new/folder/a.bin", f"{server.url}/a.bin", size=len(CONTENT)))
    assert (tmp_path / "new/folder/a.bin").read_bytes() == CONTENT
    assert leftovers(tmp_path / "new/folder") == []


def test_a_verified_file_is_not_downloaded_again(server, tmp_path):
    served = server.serve("/a.bin", CONTENT)
    (tmp_path / "a.bin").write_bytes(CONTENT)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert served.requests == []


def test_a_wrong_file_in_place_is_replaced(server, tmp_path):
    server.serve("/a.bin", CONTENT)
    (tmp_path / "a.bin").write_bytes(OTHER)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_an_empty_file_can_be_an_artifact(server, tmp_path):
    server.serve("/empty", b"")
    sha256 = hashlib.sha256(b"").hexdigest()
    download(request(tmp_path / "empty", f"{server.url}/empty", sha256=sha256))
    assert (tmp_path / "empty").read_bytes() == b""


def test_chunked_answers_have_no_length_and_are_taken(server, tmp_path):
    server.serve("/a.bin", CONTENT, chunked=True)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


# Broken transfers are continued


def test_a_broken_transfer_is_resumed_not_repeated(server, tmp_path):
    served = server.serve("/a.bin", CONTENT, drop_after=[200_000, 60_000])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert len(served.requests) == 3
    assert served.requests[1]["if-range"] == '"v1"'
    assert len(CONTENT) <= served.bytes_sent < len(CONTENT) + 2 * 64 * 1024  # at most a chunk each


def test_last_modified_is_used_where_there_is_no_strong_etag(server, tmp_path):
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    served = server.serve(
        "/a.bin", CONTENT, etag='W/"weak"', last_modified=date, drop_after=[100_000]
    )
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert served.requests[1]["if-range"] == date


def test_a_server_that_ignores_ranges_sends_all_again(server, tmp_path):
    served = server.serve("/a.bin", CONTENT, ranges=False, drop_after=[200_000])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert served.bytes_sent == 200_000 + len(CONTENT)


def test_nothing_is_continued_without_validator_or_checksum(server, tmp_path):
    served = server.serve("/a.bin", CONTENT, etag=None, drop_after=[200_000])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert "range" not in served.requests[1]


def test_a_file_that_changed_between_two_attempts_is_fetched_anew(server, tmp_path):
    first = server.serve("/a.bin", b"old" * 100_000, drop_after=[200_000])
    with pytest.raises(UserError, match="broke after"):
        download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None, retries=0))
    assert leftovers(tmp_path) == [".a.bin.part", ".a.bin.part.json"]
    assert first.bytes_sent >= 200_000
    server.serve("/a.bin", CONTENT, etag='"v2"')
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_server_that_continues_another_version_is_caught(server, tmp_path):
    """If-Range is ignored by some servers: they send the rest of the new file."""
    path = tmp_path / "a.bin"
    server.serve("/a.bin", b"o" * len(CONTENT), drop_after=[200_000])
    with pytest.raises(UserError):
        download(request(path, f"{server.url}/a.bin", sha256=None, retries=0))
    served = server.serve("/a.bin", CONTENT, etag='"v2"')
    served.last_modified = '"v1"'  # so that our If-Range passes
    download(request(path, f"{server.url}/a.bin", sha256=None))
    assert len(served.requests) == 2
    assert path.read_bytes() == CONTENT


def test_a_range_that_was_not_asked_for_is_not_taken(server, tmp_path):
    served = server.serve("/a.bin", CONTENT, range_shift=1, drop_after=[200_000])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", sha256=None))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert ["range" in asked for asked in served.requests] == [False, True, False]


def test_stitched_bytes_with_a_wrong_checksum_are_fetched_once_more_in_one_piece(server, tmp_path):
    path = tmp_path / "a.bin"
    server.serve("/a.bin", b"o" * len(CONTENT), etag=None, drop_after=[200_000])
    with pytest.raises(UserError):
        download(request(path, f"{server.url}/a.bin", retries=0))
    served = server.serve("/a.bin", CONTENT, etag=None)
    download(request(path, f"{server.url}/a.bin"))
    assert path.read_bytes() == CONTENT
    assert len(served.requests) == 2


def test_a_whole_part_of_a_killed_process_is_verified_without_the_network(server, tmp_path):
    served = server.serve("/a.bin", CONTENT)
    (tmp_path / ".a.bin.part").write_bytes(CONTENT)
    origin = {
        "url": f"{server.url}/a.bin", "size": len(CONTENT), "etag": '"v1"', "last_modified": None
    }  # fmt: skip
    (tmp_path / ".a.bin.part.json").write_text(json.dumps(origin))
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert served.requests == []


@pytest.mark.parametrize("sidecar", ["", "[]", '{"url": 1}', "\0"])
def test_a_damaged_sidecar_means_a_fresh_start(server, tmp_path, sidecar):
    server.serve("/a.bin", CONTENT)
    (tmp_path / ".a.bin.part").write_bytes(b"x" * 1000)
    (tmp_path / ".a.bin.part.json").write_text(sidecar)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    size=st.integers(0, 200_000),
    drops=st.lists(st.integers(0, 150_000), max_size=4),
    ranges=st.booleans(),
    chunked=st.booleans(),
    etag=st.sampled_from(['"v1"', 'W/"v1"', None]),
    checksum=st.booleans(),
)
def test_wherever_it_breaks_the_bytes_are_the_same(
    server, tmp_path_factory, size, drops, ranges, chunked, etag, checksum
):
    content = (CONTENT * 2)[size // 7 : size // 7 + size] or b"x"
    server.serve(
        "/p.bin", content, drop_after=list(drops), ranges=ranges, chunked=chunked, etag=etag
    )
    sha256 = hashlib.sha256(content).hexdigest() if checksum else None
    output = tmp_path_factory.mktemp("property") / "p.bin"
    download(request(output, f"{server.url}/p.bin", sha256=sha256, retries=6))
    assert output.read_bytes() == content
    assert leftovers(output.parent) == []


# Errors that pass are tried again; others are not


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_error_is_tried_again(server, tmp_path, status):
    served = server.serve("/a.bin", CONTENT, statuses=[status, status])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert len(served.requests) == 3


def test_retry_after_is_obeyed(server, tmp_path, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("bertsquad.artifacts.download.time.sleep", waits.append)
    server.serve("/a.bin", CONTENT, statuses=[429], headers={"Retry-After": "7"})
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin"))
    assert waits == [7.0]


def test_waits_double(server, tmp_path, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("bertsquad.artifacts.download.time.sleep", waits.append)
    server.serve("/a.bin", CONTENT, statuses=[500, 500, 500])
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", backoff_s=1.0))
    assert waits == [1.0, 2.0, 4.0]


def test_attempts_that_get_further_do_not_count_as_failures(server, tmp_path):
    server.serve("/a.bin", CONTENT, drop_after=[70_000] * 4)
    download(request(tmp_path / "a.bin", f"{server.url}/a.bin", retries=1))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_missing_file_is_asked_for_once_and_named(server, tmp_path):
    with pytest.raises(UserError) as error:
        download(request(tmp_path / "a.bin", f"{server.url}/missing"))
    assert f"{server.url}/missing: HTTP 404 Not Found" in str(error.value)
    assert str(tmp_path / "drop/a.bin") in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_nobody_listening_is_said_in_plain_words(tmp_path):
    url = f"http://127.0.0.1:{unused_port()}/a.bin"
    with pytest.raises(UserError) as error:
        download(request(tmp_path / "a.bin", url, retries=1))
    assert f"{url}: [Errno 111] Connection refused (2 tries)" in str(error.value)


def test_the_next_mirror_is_asked(server, tmp_path):
    server.serve("/good.bin", CONTENT)
    server.serve("/bad.bin", OTHER)
    server.serve("/page", b"<html>", content_type="text/html")
    mirrors = [f"{server.url}/{name}" for name in ("missing", "bad.bin", "page", "good.bin")]
    download(request(tmp_path / "a.bin", *mirrors))
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_bad_mirror_does_not_cost_what_the_good_one_had_sent(server, tmp_path):
    page = server.serve("/page", b"<html>", content_type="text/html")
    served = server.serve("/a.bin", CONTENT, drop_after=[200_000])
    urls = (f"{server.url}/a.bin", f"{server.url}/page")
    with pytest.raises(UserError):
        download(request(tmp_path / "a.bin", *urls, retries=0))
    assert len(page.requests) == 1
    download(request(tmp_path / "a.bin", *urls, retries=0))
    assert served.bytes_sent < len(CONTENT) + 64 * 1024
