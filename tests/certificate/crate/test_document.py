"""The metadata: one graph of the run, by the profile's shape, without a network."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bertsquad.certificate.crate.document import Agent
from bertsquad.certificate.crate.graph import iso
from fake_run import MODEL, Run, make_run

# What `git hash-object` says of the command.
FINETUNE = "https://identifiers.org/swh:1:cnt:62f74f72caefce017353a65744a71c09d59a2e54"

Graph = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("run"))


def graph_of(path: Path) -> Graph:
    with zipfile.ZipFile(path) as opened:
        document = json.loads(opened.read("data/ro-crate-metadata.json"))
    assert document["@context"] == [
        "https://w3id.org/ro/crate/1.1/context",
        "https://w3id.org/ro/terms/workflow-run/context",
    ]
    return {entity["@id"]: entity for entity in document["@graph"]}


@pytest.fixture(scope="module")
def graph(run: Run) -> Graph:
    return graph_of(run.crate())


def references(value: Any) -> list[str]:
    """Every id that a property names."""
    if isinstance(value, dict):
        return [value["@id"]] if "@id" in value else []
    return [each for part in value for each in references(part)] if isinstance(value, list) else []


def test_every_reference_leads_to_an_entity_or_the_web(graph: Graph):
    named = {r for entity in graph.values() for v in entity.values() for r in references(v)}
    assert {each for each in named - graph.keys() if not each.startswith("https://")} == set()


def test_no_list_has_one_member_and_no_property_is_empty(graph: Graph):
    for entity in graph.values():
        for value in entity.values():
            assert value not in (None, [], "")
            assert not (isinstance(value, list) and len(value) == 1)


def test_a_job_is_an_action_with_its_command_its_files_and_times(graph: Graph):
    job = next(entity for entity in graph.values() if entity.get("name") == "finetune/small")
    assert job["@id"].startswith("#")
    assert job == {
        "@id": job["@id"],
        "@type": "CreateAction",
        "name": "finetune/small",
        "description": "python scripts/finetune.py --seed 7",
        "instrument": {"@id": FINETUNE},
        "agent": {"@id": "#agent"},
        "object": {"@id": graph_dataset(graph)},
        "result": [
            {"@id": "results/small/model/model.safetensors"},
            {"@id": "results/small/training_log.jsonl"},
        ],
        "startTime": "2026-03-02T10:01:00+00:00",
        "endTime": "2026-03-02T10:01:30+00:00",
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    control = next(e for e in graph.values() if e.get("object") == {"@id": job["@id"]})
    assert (control["@type"], control["instrument"]) == (
        "ControlAction",
        {"@id": "code/Snakefile#finetune"},
    )


def test_a_tool_is_named_by_its_content_and_leads_to_its_file(graph: Graph):
    assert graph[FINETUNE]["url"] == {"@id": "code/scripts/finetune.py"}
    assert graph[FINETUNE]["name"] == "scripts/finetune.py"
    assert graph["code/scripts/finetune.py"]["@type"] == "File"


def graph_dataset(graph: Graph) -> str:
    """The questions, which are in the crate beside the results."""
    (found,) = [key for key in graph if key.startswith("datasets/")]
    assert found.endswith("-dev-v1.1.json")
    return found


def test_the_run_is_an_action_of_the_workflow_by_snakemake(graph: Graph):
    workflow = graph["code/Snakefile"]
    assert [step["@id"] for step in workflow["step"]] == [
        f"code/Snakefile#{rule}"
        for rule in ("download", "finetune", "predict", "evaluate", "report")
    ]
    (whole,) = [e for e in graph.values() if e.get("instrument") == {"@id": "code/Snakefile"}]
    assert whole["description"] == "snakemake --cores all"
    assert (whole["startTime"], whole["endTime"]) == (
        "2026-03-02T10:00:00+00:00",
        "2026-03-02T10:04:30+00:00",
    )
    engine = graph["#engine-run"]
    assert engine["result"] == {"@id": whole["@id"]}
    assert len(engine["object"]) == 5
    assert graph["https://snakemake.github.io"]["softwareVersion"] == "9.27.1"


def test_text_that_results_quote_is_credited_under_its_licence(graph: Graph):
    licence = "https://spdx.org/licenses/CC-BY-SA-4.0"
    assert [each["@id"] for each in graph["./"]["license"]] == [
        "https://spdx.org/licenses/Apache-2.0",
        licence,
    ]
    assert "Rajpurkar et al. 2016" in graph["./"]["description"]
    for name in (f"results/{MODEL}/predictions.json", "results/questions/index.js"):
        assert graph[name]["license"] == {"@id": licence}
        assert graph[name]["isBasedOn"] == {"@id": "#input-dev-v1.1.json"}
    assert "license" not in graph["results/small/model/model.safetensors"]
    source = graph["#input-dev-v1.1.json"]
    assert source["url"] == "https://example.org/dev-v1.1.json"
    assert source["citation"] == {"@id": "https://aclanthology.org/D16-1264"}


def test_an_agent_is_a_person_where_they_say_so(run: Run, tmp_path: Path):
    agent = Agent(
        "Ada Lovelace",
        "https://orcid.org/0000-0002-1825-0097",
        "Analytical Society",
        "https://example.org",
    )
    found = graph_of(run.crate(tmp_path, agent=agent))
    assert found["https://orcid.org/0000-0002-1825-0097"] == {
        "@id": "https://orcid.org/0000-0002-1825-0097",
        "@type": "Person",
        "name": "Ada Lovelace",
        "affiliation": {"@id": "https://example.org"},
    }
    assert found["./"]["author"] == {"@id": "https://orcid.org/0000-0002-1825-0097"}


def test_a_container_is_named_by_its_hash(run: Run, tmp_path: Path):
    before = json.loads((run.results / "certificate.json").read_text())
    image = {"engine": "docker", "image": "registry.example/b:1", "image_id": "sha256:" + "f" * 64}
    try:
        run.certify(environment=before["environment"] | {"container": image})
        found = graph_of(run.crate(tmp_path))
    finally:
        run.certify()
    assert found["#image"]["sha256"] == "f" * 64
    assert found["#image"]["registry"] == "registry.example"
    job = next(entity for entity in found.values() if entity.get("name") == "report")
    assert job["containerImage"] == {"@id": "#image"}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("2026-03-02T10:01:00.250+00:00", "2026-03-02T10:01:00+00:00"),
        ("2026-03-02T10:01:00Z", "2026-03-02T10:01:00+00:00"),
        ("2026-03-02", None),
        (None, None),
    ],
)
def test_times_are_to_the_second_in_utc(given: str | None, made: str | None):
    assert iso(given) == made
