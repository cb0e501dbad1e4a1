"""certificate/record.py: the file beside a job's log that holds what the job used."""

import hashlib
from pathlib import Path

import pytest

from bertsquad.certificate.record import (
    Places,
    find_records,
    listing_sha256,
    read_record,
    record_beside,
    step_id,
    write_record,
)
from bertsquad.console.errors import UserError
from bertsquad.files import write_json
from made_record import made_record

HERE = Places("results", "results/resources", "scripts")
ELSEWHERE = Places("/data/out", "/big/shared", "../project/scripts")


@pytest.mark.parametrize("places", [HERE, ELSEWHERE])
@pytest.mark.parametrize(
    ("folder", "rest", "name"),
    [
        ("results", "demo/model/config.json", "demo/model/config.json"),
        ("resources", "downloads/dev-v1.1.json", "resources/downloads/dev-v1.1.json"),
        ("scripts", "bertsquad/files.py", "bertsquad/files.py"),
    ],
)
def test_a_file_has_the_same_name_wherever_the_folders_are(places, folder, rest, name):
    assert places.name(f"{getattr(places, folder)}/{rest}") == name


def test_a_file_of_no_folder_of_the_project_is_outside():
    assert HERE.name("/data/squad/train-v1.1.json") == "outside/train-v1.1.json"
    assert HERE.name("resultsX/a.json") == "outside/a.json"


def test_a_folder_may_be_written_in_another_way():
    assert Places("./out/", "out/resources", "s").name("out/demo/a.json") == "demo/a.json"
    assert HERE.is_code("scripts/finetune.py")
    assert not HERE.is_code("results/scripts/finetune.py")


def test_names_lead_back_to_files():
    assert ELSEWHERE.path("demo/model/config.json") == Path("/data/out/demo/model/config.json")
    assert ELSEWHERE.path("resources/demo/a.json") == Path("/big/shared/demo/a.json")
    assert ELSEWHERE.code_path("bertsquad/files.py") == "../project/scripts/bertsquad/files.py"


def test_paths_in_options_are_names():
    assert HERE.named("--model results/demo/model --x=results/resources/features/a") == (
        "--model demo/model --x=resources/features/a"
    )
    assert ELSEWHERE.named("'/big/shared/a b.json'") == "'resources/a b.json'"
    assert HERE.named("my/results/demo of-results/x") == "my/results/demo of-results/x"


def test_a_job_is_called_by_its_rule_and_wildcards():
    assert step_id("finetune", {"run": "demo"}) == "finetune/demo"
    assert step_id("featurize", {"split": "dev", "casing": ""}) == "featurize/dev"
    assert step_id("summarize", {}) == "summarize"


def test_the_number_of_many_files_is_that_of_sha256sum(tmp_path: Path):
    listing = f"{'b' * 64}  a.py\n{'a' * 64}  z.py\n"
    expected = hashlib.sha256(listing.encode()).hexdigest()
    assert listing_sha256({"z.py": "a" * 64, "a.py": "b" * 64}) == expected


def test_a_record_lies_beside_its_log():
    assert record_beside("logs/demo/finetune.log") == Path("logs/demo/finetune.record.json")


def test_a_record_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "demo/finetune.record.json"
    write_record(path, made_record())
    assert read_record(path) == made_record()
    assert find_records(tmp_path) == [path]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "found format None, expected 'bertsquad-record/1'"),
        ({"format": "bertsquad-record/9"}, "found format 'bertsquad-record/9'"),
        ({"format": "bertsquad-record/1"}, "no `host`"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(tmp_path: Path, value, said: str):
    write_json(tmp_path / "x.record.json", value)
    with pytest.raises(UserError, match=r"x\.record\.json") as error:
        read_record(tmp_path / "x.record.json")
    assert said in str(error.value)
