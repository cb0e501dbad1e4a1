"""manifest.py: which files are exact, and which part of the others."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.certificate.manifest import (
    EXACT_COLUMNS,
    PATTERNS,
    TIMES_OF_A_STEP,
    class_of,
    exact_sha256,
    json_sha256,
    settings,
)
from bertsquad.reporting.gallery import figures
from bertsquad.reporting.summary.columns import NAMES
from services import small_run


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("demo/model/model.safetensors", "exact"),
        ("demo/torch-fp32/predictions.json", "exact"),
        ("demo/torch-fp32/metrics.json", "exact"),
        ("demo/openvino-int8/quantized/model.xml", "exact"),
        ("resources/features/synthetic-dev/a.safetensors", "exact"),
        ("figures/accuracy.svg", "exact"),
        ("figures/throughput.svg", "timed"),
        ("demo/torch-fp32/benchmark/offline/batchauto-threadsall-repeat1.json", "timed"),
        ("demo/torch-fp32/benchmark/server/layout1x1x1-load50-repeat1-samples.npz", "timed"),
        ("summary.csv", "timed"),
        ("machine.json", "timed"),
        ("logs/demo/finetune.log", "log"),
        ("logs/demo/finetune.record.json", "log"),
        ("benchmarks/demo/finetune.jsonl", "timed"),
        ("plan/plan.json", "timed"),
    ],
)
def test_class(name, kind):
    assert class_of(name) == kind


def test_the_small_run_agrees_about_what_is_timed():
    """tests/services/ compares whole runs on hosts, in containers and on Slurm by its own list."""
    for place in small_run.TIMED:
        name = place.removeprefix("results/") + ("x" if place.endswith("/") else "")
        assert class_of(name) != "exact"
    assert class_of(small_run.CELL.removeprefix("results/")) == "timed"
    assert set(TIMES_OF_A_STEP) == small_run.TIMES_OF_A_STEP


def test_each_pattern_has_a_reason_and_is_reached():
    assert all(row.reason for row in PATTERNS)
    assert len({row.pattern for row in PATTERNS}) == len(PATTERNS)


def test_every_figure_drawn_from_measurements_is_timed():
    exact = {name for name in figures() if class_of(f"figures/{name}.svg") == "exact"}
    assert exact == {"accuracy", "lengths", "training_loss"}


def test_exact_columns_are_columns():
    assert set(NAMES) >= EXACT_COLUMNS
    assert not {name for name in EXACT_COLUMNS if name.endswith(("_s", "_ms", "_per_second"))}


def test_a_training_log_is_exact_but_for_its_times(tmp_path: Path):
    log = tmp_path / "training_log.jsonl"

    def part(**changed):
        step = {"step": 1, "loss": 4.5, "elapsed_s": 0.2, "tokens_per_second": 99.0} | changed
        log.write_text(json.dumps(step) + "\n")
        return exact_sha256("demo/training_log.jsonl", log)

    assert part() == part(elapsed_s=7.5, tokens_per_second=1.0)
    assert part() != part(loss=4.25)
    assert part() == json_sha256([{"loss": 4.5, "step": 1}])


def test_a_summary_is_exact_in_its_scores(tmp_path: Path):
    table = tmp_path / "summary.csv"

    def part(text):
        table.write_text(text)
        return exact_sha256("summary.csv", table)

    whole = part("run,f1,wall\na,94.5,1.25\n")
    assert whole == part("run,f1,wall\na,94.5,7.75\n") == part("run,f1\na,94.5\n")
    assert whole != part("run,f1,wall\na,94.6,1.25\n")
    assert whole != part("run,f1,wall\na,94.5,1.25\na,94.5,1.25\n")


def test_a_damaged_file_of_which_no_part_can_be_told_counts_as_a_whole(tmp_path: Path):
    log = tmp_path / "training_log.jsonl"
    log.write_bytes(b'{"step": 1')
    first = exact_sha256("demo/training_log.jsonl", log)
    log.write_bytes(b'{"step": 2')
    assert first != exact_sha256("demo/training_log.jsonl", log)


def test_a_cell_has_no_exact_part(tmp_path: Path):
    assert exact_sha256("demo/torch-fp32/benchmark/a/b.json", tmp_path / "missing") is None


def test_settings_leave_out_where_and_how():
    asked = {
        "runs": {"a": {"epochs": 2}},
        "distributed": {"hosts": ["n1"]},
        "drop_folder": "downloads",
        "offline": True,
        "pathvars": {"results": "elsewhere"},
        "artifacts": {"artifacts": {"a.zip": {"sha256": "12", "urls": ["https://mirror"]}}},
    }
    assert settings(asked) == {
        "runs": {"a": {"epochs": 2}},
        "artifacts": {"artifacts": {"a.zip": {"sha256": "12"}}},
    }


@given(st.binary(max_size=60))
def test_no_content_of_a_file_raises(content):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any"
        path.write_bytes(content)
        for name in ("summary.csv", "a/training_log.jsonl", "config.json", "inputs.json", "a/b"):
            found = exact_sha256(name, path)
            assert found is not None
            assert len(found) == 64
