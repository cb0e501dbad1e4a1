"""A model comes from a hub whole: resumed, locked, offline, or one clear line."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bertsquad.artifacts.hub import HubModel, fetch
from bertsquad.artifacts.locations import FETCHED, SOURCE, hub_url
from bertsquad.artifacts.model_folders import ModelFolder
from bertsquad.checkpoint.given_folder import find_parts
from bertsquad.console.errors import UserError
from bertsquad.files import sha256
from file_server import FileServer, running

CONFIG = b'{"model_type": "bert"}'
VOCABULARY = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n"
WEIGHTS = bytes(range(256)) * 1200
SHARDS = {f"model-0000{n}-of-00002.safetensors": bytes([n]) * 5000 for n in (1, 2)}
INDEX = json.dumps({"weight_map": dict(zip("ab", SHARDS, strict=True))}).encode()
SINGLE = {"config.json": CONFIG, "vocab.txt": VOCABULARY, "model.safetensors": WEIGHTS}
SHARDED = {
    "config.json": CONFIG,
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b'{"do_lower_case": false}',
    "model.safetensors.index.json": INDEX,
    **SHARDS,
}


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def direct_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def serve(server: FileServer, files: dict[str, bytes], revision: str = "main") -> None:
    for name, content in files.items():
        server.serve(f"/org/mine/resolve/{revision}/{name}", content)


def model(server: FileServer, tmp_path: Path, **settings: object) -> HubModel:
    lock = tmp_path / "lock.json"
    given = {"address": server.url, "lock": lock, "backoff_s": 0.001} | settings
    return HubModel("org/mine", "main", **given)


def content(folder: Path) -> dict[str, bytes]:
    marks = (FETCHED, SOURCE)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in marks}


def test_an_address_is_that_of_a_file_of_one_revision():
    url = hub_url("https://huggingface.co/", "org/na me", "refs/pr/1", "vocab.txt")
    assert url == "https://huggingface.co/org/na%20me/resolve/refs%2Fpr%2F1/vocab.txt"


@pytest.mark.parametrize("files", [SINGLE, SHARDED])
def test_a_model_comes_whole_and_only_with_what_conversion_reads(server, tmp_path, files):
    serve(server, files | {"README.md": b"much", "pytorch_model.bin": b"pickled"})
    fetch(model(server, tmp_path), tmp_path / "out")
    assert content(tmp_path / "out") == files
    assert sorted(p.name for p in find_parts(tmp_path / "out").files) == sorted(files)
    listed = json.loads((tmp_path / "out" / FETCHED).read_text())
    assert (listed["hub"], listed["revision"]) == ("org/mine", "main")
    assert listed["files"]["config.json"] == {
        "sha256": sha256(tmp_path / "out/config.json"),
        "bytes": len(CONFIG),
    }
    assert listed["files"].keys() == files.keys()


def test_a_mirror_may_be_a_folder(tmp_path):
    folder = tmp_path / "mirror/org/mine/resolve/main"
    folder.mkdir(parents=True)
    for name, data in SHARDED.items():
        (folder / name).write_bytes(data)
    fetch(HubModel("org/mine", "main", f"file://{tmp_path}/mirror"), tmp_path / "out")
    assert content(tmp_path / "out") == SHARDED


def test_a_broken_transfer_goes_on_where_it_was(server, tmp_path):
    serve(server, SINGLE)
    weights = server.files["/org/mine/resolve/main/model.safetensors"]
    weights.drop_after = [100_000]
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(model(server, tmp_path, retries=0), tmp_path / "out")
    assert not (tmp_path / "out" / FETCHED).exists()
    weights.bytes_sent = 0
    fetch(model(server, tmp_path), tmp_path / "out")
    assert content(tmp_path / "out") == SINGLE
    assert weights.bytes_sent <= len(WEIGHTS) - 60_000


def test_what_the_first_fetch_locked_must_come_again(server, tmp_path):
    serve(server, SINGLE)
    fetch(model(server, tmp_path), tmp_path / "out")
    asked = len(server.files["/org/mine/resolve/main/model.safetensors"].requests)
    fetch(model(server, tmp_path), tmp_path / "out")
    assert len(server.files["/org/mine/resolve/main/model.safetensors"].requests) == asked
    serve(server, SINGLE | {"vocab.txt": VOCABULARY + b"new\n"})
    with pytest.raises(UserError, match=r"vocab\.txt.*expected [0-9a-f]{64} \(.*lock\.json"):
        fetch(model(server, tmp_path), tmp_path / "elsewhere")


def test_of_another_revision_nothing_stays(server, tmp_path):
    serve(server, SINGLE)
    serve(server, SHARDED, revision="v2")
    fetch(model(server, tmp_path), tmp_path / "out")
    fetch(replace(model(server, tmp_path), revision="v2"), tmp_path / "out")
    assert content(tmp_path / "out") == SHARDED


@pytest.mark.parametrize(
    ("settings", "taken"),
    [(None, True), (b'{"model_max_length": 512}', True), (b'{"do_lower_case": true}', False)],
)
def test_what_alone_says_the_casing_comes_too(server, tmp_path, settings, taken):
    beside = {} if settings is None else {"tokenizer_config.json": settings}
    said = b'{"normalizer": {"type": "BertNormalizer", "lowercase": true, "strip_accents": false}}'
    serve(server, {**SINGLE, **beside, "tokenizer.json": said})
    fetch(model(server, tmp_path), tmp_path / "out")
    assert ("tokenizer.json" in content(tmp_path / "out")) is taken


def test_offline_one_model_is_not_taken_for_another(server, tmp_path):
    serve(server, SINGLE)
    out = tmp_path / "out"
    fetch(model(server, tmp_path), out)
    fetch(model(server, tmp_path, offline=True), out)
    before = content(out) | {FETCHED: (out / FETCHED).read_bytes()}
    for other in ({"hub": "org/other"}, {"revision": "v9"}):
        asked = replace(model(server, tmp_path, offline=True), **other)
        with pytest.raises(UserError, match="out: holds org/mine at main, and offline nothing"):
            fetch(asked, out)
    assert content(out) | {FETCHED: (out / FETCHED).read_bytes()} == before


def test_offline_a_workflow_that_removed_the_list_first_is_told_as_well(server, tmp_path):
    """Snakemake removes a rule's outputs before the rule runs."""
    serve(server, SINGLE)
    out = tmp_path / "out"
    fetch(model(server, tmp_path), out)
    (out / FETCHED).unlink()
    offline = model(server, tmp_path, offline=True, drop_folder=tmp_path / "drop")
    with pytest.raises(UserError, match=r"at main, and offline .* org/mine at v9 into .*drop, or"):
        fetch(replace(offline, revision="v9"), out)
    assert content(out) == SINGLE
    (tmp_path / "drop").mkdir()
    newer = SINGLE | {"vocab.txt": VOCABULARY + b"new\n"}
    for name, data in newer.items():
        (tmp_path / "drop" / name).write_bytes(data)
    fetch(replace(offline, revision="v9"), out)
    assert content(out) == newer


def test_files_of_another_revision_are_announced_as_missing(server, tmp_path):
    serve(server, SINGLE)
    out, drop = tmp_path / "out", tmp_path / "drop"
    fetch(model(server, tmp_path), out)
    mine, newer = (
        ModelFolder("mine", hub="org/mine", revision=revision) for revision in ("main", "v9")
    )
    assert mine.missing(out, drop) == []
    assert [each.name for each in newer.missing(out, drop)] == [
        "mine/config.json",
        "mine/vocab.txt",
        "mine/model.safetensors",
    ]


def test_offline_says_what_to_put_where_and_then_takes_it(tmp_path):
    offline = HubModel(
        *("org/mine", "main", "https://hub.example.org"),
        drop_folder=tmp_path / "drop",
        offline=True,
    )
    wanted = [
        (
            "config.json",
            r"put it at .*/drop/config\.json \(from https://hub\.example\.org/org/mine",
        ),
        ("vocab.txt", "its vocabulary are not here; put vocab.txt or tokenizer.json into"),
        ("model.safetensors", "put model.safetensors or model.safetensors.index.json into"),
    ]
    (tmp_path / "drop").mkdir()
    for name, message in wanted:
        with pytest.raises(UserError, match=message):
            fetch(offline, tmp_path / "out")
        (tmp_path / "drop" / name).write_bytes(SINGLE[name])
    fetch(offline, tmp_path / "out")
    assert content(tmp_path / "out") == SINGLE
    shutil.rmtree(tmp_path / "drop")
    fetch(offline, tmp_path / "out")  # what is there is enough
    assert content(tmp_path / "out") == SINGLE


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("config.json", "config.json: could not be downloaded: .* HTTP 404"),
        ("vocab.txt", "no vocab.txt and no tokenizer.json at http://127"),
        ("model.safetensors", "no model.safetensors and no model.safetensors.index.json at"),
    ],
)
def test_what_a_model_lacks_is_one_line(server, tmp_path, removed, message):
    serve(server, {name: data for name, data in SINGLE.items() if name != removed})
    with pytest.raises(UserError, match=message) as caught:
        fetch(model(server, tmp_path), tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_server_in_trouble_is_not_a_missing_file(server, tmp_path):
    """Else a model of several files would be looked for where one is."""
    serve(server, SINGLE)
    weights = server.files["/org/mine/resolve/main/model.safetensors"]
    weights.statuses = [503] * 9
    with pytest.raises(
        UserError, match=r"model\.safetensors: could not be downloaded: .* HTTP 503"
    ):
        fetch(model(server, tmp_path, retries=1), tmp_path / "out")


def test_a_hub_that_refuses_a_name_gives_the_likely_reasons(server, tmp_path):
    serve(server, SINGLE)
    server.files["/org/mine/resolve/main/config.json"].statuses = [401]
    with pytest.raises(UserError, match="the name is misspelt, or the model is private or gated"):
        fetch(model(server, tmp_path), tmp_path / "out")
