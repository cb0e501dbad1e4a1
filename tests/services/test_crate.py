"""What others say of a crate: rocrate-validator without a network, bagit, runcrate.

They are in an environment of their own, `.venv-validators`, which `make test-services` installs.
"""

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bertsquad.certificate.crate.document import Agent
from fake_run import STEPS, make_run
from project import ROOT

PROGRAMS = ROOT / ".venv-validators/bin"
CONTEXTS = ROOT / "tests/data/contexts"
ADDRESSES = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate-1.1.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": "workflow-run.jsonld",
}
ADA = Agent(
    "Ada Lovelace",
    "https://orcid.org/0000-0002-1825-0097",
    "Analytical Society",
    "https://example.org/",
)
MOST_RECOMMENDED = 5


def program(name: str) -> str:
    path = PROGRAMS / name
    if not path.is_file():
        pytest.skip(f"{name} is not installed: make test-services installs envs/validators.txt")
    return str(path)


def call(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rocrate-validator's cache with the two contexts."""
    path = tmp_path_factory.mktemp("cache") / "contexts"
    pairs = [each for url, name in ADDRESSES.items() for each in (url, CONTEXTS / name)]
    done = call(program("python"), ROOT / "tests/services/seed_contexts.py", path, *pairs)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module", params=["unnamed", "named"])
def crate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crate whose author gives no name, and one whose author does."""
    run = make_run(tmp_path_factory.mktemp("run"))
    return run.crate(agent=ADA if request.param == "named" else Agent())


@pytest.fixture(scope="module")
def folder(crate: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(crate) as opened:
        opened.extractall(path)
    return path


def findings(crate: Path, cache: Path, severity: str) -> list[dict[str, Any]]:
    """What rocrate-validator finds, up to a severity."""
    done = call(
        program("python"), ROOT / "tests/services/validate_crate.py", crate, cache, severity
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_that_the_profile_requires_is_missing(crate: Path, cache: Path):
    assert findings(crate, cache, "REQUIRED") == []


def test_what_the_profile_recommends_is_there(crate: Path, cache: Path):
    found = findings(crate, cache, "RECOMMENDED")
    assert len(found) <= MOST_RECOMMENDED, json.dumps(found, indent=1)


def test_a_broken_crate_is_found_out(folder: Path, cache: Path):
    """The validator does look: without its workflow the crate is refused."""
    place = folder / "data/ro-crate-metadata.json"
    before = place.read_text()
    document = json.loads(before)
    root = next(entity for entity in document["@graph"] if entity["@id"] == "./")
    del root["mainEntity"], root["license"]
    place.write_text(json.dumps(document))
    try:
        assert len(findings(folder, cache, "REQUIRED")) >= 2
    finally:
        place.write_text(before)


def test_bagit_says_it_is_valid(folder: Path):
    done = call(program("bagit.py"), "--validate", folder)
    assert done.returncode == 0, done.stderr
    more = folder / "data/more.txt"
    more.write_text("x")
    try:
        assert call(program("bagit.py"), "--validate", folder).returncode == 1
    finally:
        more.unlink()


def test_runcrate_reports_every_job(folder: Path):
    done = call(program("runcrate"), "report", folder / "data")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("action: ") == 1 + len(STEPS)
    assert done.stdout.count("instrument: https://identifiers.org/swh:1:cnt:") == len(STEPS)
    for rule in ("finetune", "predict", "evaluate"):
        assert f"step: code/Snakefile#{rule}" in done.stdout
