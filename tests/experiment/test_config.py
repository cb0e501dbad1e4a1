"""config.py: defaults, and one clear line for each mistake."""

import json
from pathlib import Path

import pytest
import yaml

from bertsquad.console.errors import UserError
from bertsquad.experiment.config import check_files, read_schema, resolve, typed

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "config/schemas/config.schema.yaml"


def experiment(text: str = "", **run: object) -> dict:
    """A minimal valid experiment with the given YAML laid over it."""
    base = {"checkpoint": "synthetic", "dataset": "synthetic", "runs": {"a": dict(run)}}
    return base | (yaml.safe_load(text) or {})


def test_absent_keys_get_the_schemas_defaults():
    resolved = resolve(experiment(), SCHEMA, "c.yaml")
    assert resolved["runs"]["a"]["learning_rate"] == 3e-5
    assert resolved["runs"]["a"]["doc_stride"] == 128
    assert resolved["engines"] == {"torch": ["fp32", "bf16"]}
    assert resolved["benchmark"]["batch_sizes"] == [1, 8, 32]
    assert resolved["benchmark"]["scenarios"]["offline"] == {
        **{"mode": "offline", "padding": "none", "count": 1000, "passes": 3}
    }
    assert resolved["decoding"] == {
        **{"n_best_size": 20, "max_answer_length": 30, "null_score_diff_threshold": 0.0}
    }


def test_given_keys_keep_their_values_and_the_input_is_not_changed():
    given = experiment(epochs=1, seed=7)
    resolved = resolve(given, SCHEMA, "c.yaml")
    assert (resolved["runs"]["a"]["epochs"], resolved["runs"]["a"]["seed"]) == (1, 7)
    assert given["runs"]["a"] == {"epochs": 1, "seed": 7}


MISTAKES = {
    "a misspelt key at the top": ("rums: {}", "unknown key 'rums'; did you mean runs?"),
    "a misspelt key of a run": (
        "runs: {a: {lerning_rate: 0.1}}",
        "runs.a: unknown key 'lerning_rate'; did you mean learning_rate or",
    ),
    "a number that YAML reads as text": (
        "runs: {a: {learning_rate: 3e-5}}",
        "runs.a.learning_rate: found the text '3e-5', expected a number: YAML reads this as text, "
        "write 3.0e-5",
    ),
    "a quoted number": (
        "runs: {a: {batch_size: '24'}}",
        "runs.a.batch_size: found the text '24', expected a whole number: write 24 without quotes",
    ),
    "a fraction where a count belongs": (
        "runs: {a: {batch_size: 1.5}}",
        "runs.a.batch_size: found the number 1.5, expected a whole number",
    ),
    "true where a number belongs": (
        "runs: {a: {epochs: true}}",
        "runs.a.epochs: found true/false True, expected a number",
    ),
    "quoted truth": (
        "offline: 'true'",
        "expected true or false without quotes (on the command line",
    ),
    "an unknown precision": (
        "runs: {a: {precision: fp16}}",
        "runs.a.precision: found 'fp16', expected one of fp32, bf16",
    ),
    "an unknown engine": ("engines: {tensorflow: [fp32]}", "engines: unknown key 'tensorflow'"),
    "no batch": ("benchmark: {batch_sizes: [0]}", "benchmark.batch_sizes.0: "),
    "a negative learning rate": ("runs: {a: {learning_rate: -0.1}}", "runs.a.learning_rate: "),
    "warm-up of everything": (
        "runs: {a: {warmup_proportion: 1}}",
        "runs.a.warmup_proportion: 1 is greater than or equal to the maximum of 1",
    ),
    "no runs": ("runs: {}", "runs: "),
    "a run that is nothing": ("runs: {a: }", "runs.a: found nothing, expected a mapping"),
    "a run that collides with a folder": (
        "runs: {figures: {}}",
        "runs.figures: results/figures is a folder or file of its own; choose another name",
    ),
    "a run name that leaves the folder": ("runs: {../a: {}}", "../a"),
    "a window without room for the passage": (
        "runs: {a: {max_seq_length: 64, max_query_length: 64}}",
        "runs.a: max_seq_length 64 leaves the passage no room",
    ),
    "an unknown mode": (
        "benchmark: {scenarios: {fast: {mode: serve}}}",
        "benchmark.scenarios.fast.mode: found 'serve', expected one of batches, offline, ",
    ),
    "padding where the engine cuts the batches": (
        "benchmark: {scenarios: {all: {mode: offline, padding: max_length}}}",
        "benchmark.scenarios.all: padding max_length has no part in mode offline",
    ),
    "a pass over nothing": ("benchmark: {scenarios: {all: {count: 0}}}", "scenarios.all.count: 0"),
    "emulation that is neither marked nor refused": (
        "benchmark: {emulated: allow}",
        "benchmark.emulated: found 'allow', expected one of mark, refuse",
    ),
    "threads that are neither a number nor all": ("benchmark: {threads: [some]}", "threads"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_that_names_file_and_key(text: str, message: str):
    with pytest.raises(UserError) as error:
        resolve(experiment(text), SCHEMA, "my.yaml")
    assert str(error.value).startswith("my.yaml: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_key_is_named():
    with pytest.raises(UserError, match="missing key 'dataset'"):
        resolve({"checkpoint": "x", "runs": {"a": {}}}, SCHEMA, "c.yaml")


@pytest.mark.parametrize(
    "name", ["config.yaml", "minilm.yaml", "precision.yaml", "guide.yaml", "modelzoo.yaml"]
)
def test_the_shipped_configs_are_valid(name: str):
    text = (ROOT / "config" / name).read_text(encoding="utf-8")
    resolve(yaml.safe_load(text), SCHEMA, name)


@pytest.mark.parametrize("name", ["config.yaml", "minilm.yaml", "guide.yaml"])
def test_a_resolved_configuration_is_a_configuration_and_resolves_to_itself(name: str):
    text = (ROOT / "config" / name).read_text(encoding="utf-8")
    resolved = resolve(yaml.safe_load(text), SCHEMA, name)
    written = json.loads(json.dumps(resolved))
    again = resolve(written, SCHEMA, "again.json")
    assert again == resolved
    assert list(again["runs"]) == list(resolved["runs"])


def test_every_key_of_the_schema_is_explained_in_the_readme():
    readme = (ROOT / "config/README.md").read_text(encoding="utf-8")
    headings = [line for line in readme.splitlines() if line.startswith("#")]
    assert len(set(headings)) == len(headings)
    schema = read_schema(SCHEMA)

    def keys(part: dict) -> set[str]:
        found = set()
        for key, value in part.get("properties", {}).items():
            assert "description" in value or "$ref" in value, key
            found |= {key} | keys(value)
        return found

    scenario = schema["properties"]["benchmark"]["properties"]["scenarios"]["additionalProperties"]
    parts = [schema, scenario, *(schema["$defs"][name] for name in ("run", "comparison", "side"))]
    for key in set().union(*map(keys, parts)):
        assert f"`{key}`" in readme, key


def test_numbers_nested_in_config_options_are_numbers():
    given = {
        "title": "2024",
        "offline": "True",
        "runs": {"a": {"epochs": "0.2", "seed": "7", "precision": "fp32", "minimum": "null"}},
        "benchmark": {"batch_sizes": ["1", "8"], "scenarios": {"x": {"padding": "none"}}},
    }
    assert typed(given, SCHEMA) == {
        "title": "2024",
        "offline": True,
        "runs": {"a": {"epochs": 0.2, "seed": 7, "precision": "fp32", "minimum": None}},
        "benchmark": {"batch_sizes": [1, 8], "scenarios": {"x": {"padding": "none"}}},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs: {2024: {}}", "runs: the key 2024 is not text; write it in quotes, as '2024'"),
        ("runs: {on: {}}", "runs: the key True is not text"),
        ("runs: {2024-01-31: {}}", "not text; write it in quotes, as '2024-01-31'"),
        ("runs: {a: {batch_size: 16.0}}", "runs.a.batch_size: found the number 16.0, expected a "
         "whole number: write 16 without a point"),
        ("benchmark: {repeats: 2.0}", "benchmark.repeats: found the number 2.0"),
        ("runs: {a: {epochs: .nan}}", "runs.a.epochs: found the number nan, expected a number"),
        ("runs: {a: {epochs: .inf}}", "runs.a.epochs: found the number inf, expected a number"),
    ],
)  # fmt: skip
def test_what_yaml_makes_of_names_and_numbers_is_refused_before_any_job(text: str, message: str):
    with pytest.raises(UserError) as caught:
        resolve(experiment(text), SCHEMA, "c.yaml")
    assert message in str(caught.value)


def test_all_missing_keys_are_named_at_once():
    with pytest.raises(UserError) as caught:
        resolve({"runs": {"a": {}}}, SCHEMA, "c.yaml")
    assert str(caught.value).startswith("c.yaml: missing keys checkpoint, dataset; add them")


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path):
    path = tmp_path / "c.yaml"
    path.write_text("runs:\n  a: {epochs: 1}\n  b: {epochs: 1, epochs: 2}\n")
    with pytest.raises(UserError, match=r"c\.yaml: runs\.b\.epochs is there again on line 3"):
        check_files([path])
    path.write_text("base: &b {x: 1}\nruns:\n  a: {<<: *b}\n  b: {<<: *b}\n")
    check_files([path])
    path.write_text("{% template %}\n")
    check_files([path, tmp_path / "none.yaml"])
