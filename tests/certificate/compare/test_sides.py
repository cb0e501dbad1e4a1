"""sides.py: what may be compared, and one line for what may not."""

import hashlib
import json
import shutil
import zipfile

import pytest

from bertsquad.certificate.compare.questions import trust
from bertsquad.certificate.compare.sides import check_two, opened
from bertsquad.console.errors import UserError
from made_runs import EXAMPLE, MODEL, results


@pytest.fixture
def folder(tmp_path):
    return results(tmp_path / "run/results")


def refused(path, match):
    with pytest.raises(UserError, match=match) as error, opened("A", path):
        pass
    assert "\n" not in str(error.value)


def test_a_folder_its_certificate_and_its_copy_hold_the_same(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    with (
        opened("A", folder) as a,
        opened("B", copy) as b,
        opened("B", copy / "certificate.json") as c,
    ):
        assert a.exact == b.exact == c.exact
        assert a.path(f"{MODEL}/metrics.json") == folder / MODEL / "metrics.json"
        assert c.path(f"{MODEL}/metrics.json") is None
        assert not a.changed


def test_a_folder_without_certificate_gets_one(folder):
    (folder / "certificate.json").unlink()
    with opened("A", folder) as side:
        assert side.made_now
        assert f"{MODEL}/predictions.json" in side.exact
        assert side.facts["config"]["runs"]["demo"]["seed"] == 0


def test_a_file_that_is_not_as_certified_is_known(folder):
    (folder / MODEL / "metrics.json").write_text("{}")
    with opened("A", folder) as side:
        assert side.changed == {f"{MODEL}/metrics.json"}


def test_a_file_that_is_gone_is_as_certified(folder):
    (folder / "demo/model/model.safetensors").unlink()
    with opened("A", folder) as side:
        assert "demo/model/model.safetensors" in side.exact


def test_a_result_that_is_gone_from_the_folder_is_a_doubt(folder, tmp_path):
    """Also one that was renamed. Downloads may lie elsewhere; a certificate may be alone."""
    other = shutil.copytree(folder, tmp_path / "other")
    (other / MODEL / "metrics.json").rename(other / MODEL / "metrics (1).json")
    shutil.rmtree(other / "resources")
    alone = shutil.copy(other / "certificate.json", tmp_path / "c.json")
    with opened("A", folder) as a, opened("B", other) as b, opened("B", alone) as c:
        assert b.gone == {f"{MODEL}/metrics.json"}
        said = f"B: 1 file of its certificate gone, first {MODEL}/metrics.json"
        assert [said in each for each in trust(a, b).evidence] == [True]
        assert trust(a, c).verdict == "clean"


def test_what_does_not_exist_is_one_line(tmp_path):
    refused(tmp_path / "no", "A: .*no: no such file or folder; expected a results folder")


def test_what_is_no_results_folder_is_one_line(tmp_path):
    refused(tmp_path, "not a results folder, it has neither certificate.json nor config.json")


def test_the_project_s_folder_names_the_results_in_it(folder):
    refused(folder.parent, f"; name {folder}$")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "not valid JSON"),
        ("[]", "no certificate"),
        (
            '{"format": "x", "format": "bertsquad-certificate/1"}',
            "the name 'format' is there twice",
        ),
        (json.dumps(EXAMPLE | {"command": "\ud800"}), "half a character"),
        (json.dumps(EXAMPLE | {"scores": {"a/b": {"f1": 10**400}}}), "f1: found 1000.*a number"),
        ('{"format": "bertsquad-certificate/9"}', "bertsquad-certificate/9"),
        (json.dumps(EXAMPLE | {"steps": [{"id": 1}]}), r"steps\[0\].id: found 1, expected a text"),
        (json.dumps(EXAMPLE | {"files": {"../x": {}}}), "the name"),
        (json.dumps(EXAMPLE | {"doubts": 3}), "doubts: found 3, expected a list"),
    ],
)
def test_a_damaged_certificate_is_one_line(tmp_path, text, match):
    path = tmp_path / "certificate.json"
    path.write_text(text)
    refused(path, match)


def test_the_same_twice_is_refused(folder, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(UserError, match="are the same; name two runs"):
        check_two(folder, link)


def bag(folder, target, damaged=False):
    """A crate as make_crate.py packs it, less what is not read here."""
    payload = {
        f"data/results/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "certificate.json"
    }
    payload["data/certificate.json"] = (folder / "certificate.json").read_bytes()
    size = sum(map(len, payload.values()))
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": f"Payload-Oxum: {size}.{len(payload)}\n".encode(),
        "Makefile": b"all:\n",
        "manifest-sha256.txt": manifest(payload),
    }
    if damaged:
        payload[f"data/results/{MODEL}/metrics.json"] = b"{}"
    tags["tagmanifest-sha256.txt"] = manifest(tags)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in sorted((payload | tags).items()):
            archive.writestr(name, content)
    return target


def manifest(files):
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in sorted(files.items())
    ).encode()


def test_a_crate_is_the_folder_that_it_was_packed_from(folder, tmp_path):
    pytest.importorskip("bertsquad.certificate.holding")
    with opened("A", folder) as a, opened("B", bag(folder, tmp_path / "run.zip")) as b:
        assert a.exact == b.exact
        assert b.path(f"{MODEL}/metrics.json").is_file()
        unpacked = b.root
    assert not unpacked.exists()


def test_an_unpacked_crate_and_its_results_are_the_same(folder, tmp_path):
    with zipfile.ZipFile(bag(folder, tmp_path / "run.zip")) as archive:
        archive.extractall(tmp_path / "crate")
    with opened("A", tmp_path / "crate") as a, opened("B", tmp_path / "crate/data/results") as b:
        assert a.exact == b.exact
        assert not b.made_now


def test_a_crate_that_is_not_as_its_manifest_says_is_refused(folder, tmp_path):
    pytest.importorskip("bertsquad.certificate.holding")
    refused(bag(folder, tmp_path / "run.zip", damaged=True), "metrics.json was changed")


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    pytest.importorskip("bertsquad.certificate.holding")
    path = tmp_path / "run.zip"
    path.write_bytes(b"not a zip")
    refused(path, "not a whole zip archive")
