"""A crate whose manifests fit and whose content does not: each kind of change is named."""

import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertsquad.certificate import bag
from bertsquad.certificate.crate.fixed_zip import Entry, write
from bertsquad.certificate.holding import opened_zip
from bertsquad.certificate.verify import verify
from bertsquad.console.errors import UserError
from fake_run import DATASET, DEV, MODEL, Run, make_run

Files = dict[str, bytes]
CERTIFICATE = "data/certificate.json"
METRICS = f"data/results/{MODEL}/metrics.json"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def files(run: Run) -> Files:
    with zipfile.ZipFile(run.crate()) as opened:
        return {n: opened.read(n) for n in opened.namelist() if not n.endswith("/")}


def sealed(path: Path, files: Files) -> Path:
    """An archive of these files with manifests that fit them: what a forger writes."""
    payload = {n: c for n, c in files.items() if n.startswith("data/")}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in payload.items()}
    tags = {n: files[n] for n in (bag.DECLARATION, bag.MAKEFILE)}
    tags[bag.INFO] = f"Payload-Oxum: {bag.oxum(map(len, payload.values()))}\n".encode()
    tags[bag.MANIFEST] = bag.manifest(hashes).encode()
    of_tags = {name: hashlib.sha256(content).hexdigest() for name, content in tags.items()}
    tags[bag.TAG_MANIFEST] = bag.manifest(of_tags).encode()
    write(path, [Entry(n, c) for n, c in {**payload, **tags}.items()], 0)
    return path


def verified(path: Path, **options: Any) -> list[str]:
    with opened_zip(path) as held:
        return verify(held, **{"datasets": [], "scores": True} | options)


def test_an_honest_crate_is_verified_line_by_line(run: Run):
    lines = verified(run.crate())
    assert [line.partition(":")[0] for line in lines] == [
        "files",
        "certificate",
        "chain",
        "steps",
        "code",
        "settings",
        "scores",
        "metadata",
        "attestation",
        "doubts",
    ]
    assert lines[1] == "certificate: 9 files here as it says"
    assert lines[4] == "code: 6 of 6 modules that ran are here as they ran"
    assert lines[6] == "scores: 1 computed again and equal, 1 as in metrics.json"


def edit(name: str, change: Callable[[Any], object]) -> Callable[[Files], None]:
    """Change a JSON file in place."""

    def edited(files: Files) -> None:
        value = json.loads(files[name])
        change(value)
        files[name] = json.dumps(value).encode()

    return edited


def both(change: Callable[[Any], object]) -> Callable[[Files], None]:
    """Change the certificate, and its copy among the results."""

    def edited(files: Files) -> None:
        edit(CERTIFICATE, change)(files)
        files["data/results/certificate.json"] = files[CERTIFICATE]

    return edited


def put(name: str, content: bytes | None) -> Callable[[Files], None]:
    def edited(files: Files) -> None:
        if content is None:
            del files[name]
        else:
            files[name] = content

    return edited


def better(value: Any) -> None:
    value["scores"][MODEL]["f1"] = 99.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put(METRICS, b"{}"), f"results/{MODEL}/metrics.json has sha256"),
        (put(METRICS, None), "neither here nor said to be left out"),
        (put(CERTIFICATE, b"{}"), "no certificate; expected `format`"),
        (put(CERTIFICATE, b"\xff"), "not valid JSON|not UTF-8"),
        (both(better), f"{MODEL}/metrics.json: f1 is 55.5"),
        (both(lambda c: c.update(chain_sha256="0" * 64)), "its chain is"),
        (both(lambda c: c["steps"].pop(1)), "its chain is|which no step made"),
        (both(lambda c: c.update(config={})), "its config is not what config_sha256 says"),
        (both(lambda c: c["files"][DEV].update(bytes=1)), "neither here nor|sha256|bytes"),
        (edit(CERTIFICATE, lambda c: c.update(command="x")), "certificate.json beside it says"),
        (both(lambda c: c["project"].update(commit="c" * 40)), "metadata.json says|predicate"),
        (put("data/ro-crate-metadata.json", b"[]"), "no @graph"),
        (put("data/attestation.json", b"{}"), "no in-toto Statement"),
        (put("data/results/more.txt", b"x"), "its subjects are not the files"),
        (put("data/README.md", b"x"), "data|README.md has sha256"),
        (put("data/code/scripts/finetune.py", b"x"), "code/scripts/finetune.py has sha256"),
        (put("data/code/envs/constraints.txt", b"x"), "its subjects are not the files"),
    ],
)
def test_a_change_with_manifests_that_fit_is_named(
    files: Files, tmp_path: Path, change: Callable[[Files], None], said: str
):
    changed = dict(files)
    change(changed)
    path = sealed(tmp_path / "a.zip", changed)
    with pytest.raises(UserError, match=said) as refused:
        verified(path)
    assert str(path) in str(refused.value)


ODD = (None, True, -1, 1e400, "", "x" * 70, "../x", [], {}, [[]], {"@id": 3}, 10**30)
JSON_FILES = (
    CERTIFICATE,
    "data/ro-crate-metadata.json",
    "data/attestation.json",
    METRICS,
    f"data/results/{MODEL}/predictions.json",
    "data/results/config.json",
    "data/results/small/training_log.jsonl",
)


def damaged(value: Any, chance: random.Random) -> Any:
    """The value with one part of it replaced, removed or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(sorted(value))
        if chance.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: damaged(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        if chance.random() < 0.1:
            return value[:place] + value[place + 1 :]
        return [*value[:place], damaged(value[place], chance), *value[place + 1 :]]
    return chance.choice(ODD)


@pytest.mark.parametrize("name", JSON_FILES)
def test_whatever_a_file_holds_a_change_is_refused_in_one_line(
    files: Files, tmp_path: Path, name: str
):
    """Manifests fit, so the content itself is judged."""
    chance = random.Random(name)
    for _ in range(40):
        before = json.loads(files[name])
        value = damaged(before, chance)
        if value == before:
            continue
        changed = files | {name: json.dumps(value).encode()}
        if name == CERTIFICATE:
            changed["data/results/certificate.json"] = changed[name]
        with pytest.raises(UserError) as refused:
            verified(sealed(tmp_path / "a.zip", changed))
        assert "\n" not in str(refused.value)


def test_scores_that_no_prediction_gives_are_found(run: Run, tmp_path: Path):
    """All but the predictions agree, as where somebody made all of it up."""
    forged = make_run(tmp_path)
    place = forged.results / MODEL / "metrics.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"f1": 99.0}))
    forged.certify()
    with pytest.raises(UserError, match=rf"{MODEL}: f1 is 55\.5\d* by .*, and 99\.0 by"):
        verified(forged.crate())


def test_questions_of_ones_own_do_where_the_crate_lacks_them(tmp_path: Path):
    run = make_run(tmp_path)
    own = tmp_path / "own.json"
    own.write_bytes((run.results / DEV).read_bytes())
    path = run.crate(max_file=350)
    with pytest.raises(UserError, match=r"dev-v1\.1\.json is not here: give it by --dataset"):
        verified(path)
    assert "1 not computed" in verified(path, scores=False)[6]
    assert verified(path, datasets=[own])[6].startswith("scores: 1 computed again")
    own.write_text(json.dumps(DATASET, indent=1))
    with pytest.raises(UserError, match="--dataset"):
        verified(path, datasets=[own])
