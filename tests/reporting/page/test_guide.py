"""The Model Zoo's figures beside ours, and nowhere else."""

import pytest

from bertsquad.reporting.page.findings import findings
from bertsquad.reporting.page.guide import comparisons, guide_table
from bertsquad.reporting.page.render import render as render_page
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import (
    CHECKSUMS,
    MACHINE,
    Results,
    add_cell,
    add_log,
    add_metrics,
    cell,
    config,
    write,
)

STEPS = {
    "train": {"mode": "training"},
    "benchmark": {"mode": "benchmark", "checkpoint": "published"},
    "accuracy": {"mode": "accuracy", "checkpoint": "published"},
    "answers": {"mode": "accuracy", "weights_from": "train"},
}
SCORES = {"exact_match": 86.0, "f1": 92.0, "questions": 500}
BENCHMARK = {
    **{"engine": "modelzoo", "mode": "benchmark", "precision": "bf16", "scenario": "guide"},
    **{"padding": "max_length", "batch_size": 32, "max_seq_length": 384, "threads": 28},
    **{"features_per_second": 1.2, "printed_features_per_second": 1.25, "repeat": 1},
    **{"observed_features_per_second": 1.3, "latency_ms": {}},
}


@pytest.fixture
def results(tmp_path) -> Results:
    """One run trained in bf16, one kept as published; two cells; four steps of the Model Zoo."""
    results = Results(tmp_path)
    add_log(results, "ours", 100)
    add_metrics(results, "ours", "torch-bf16", 85.0, 91.0)
    add_metrics(results, "published", "torch-bf16", 86.5, 92.5)
    for scenario, speed in {"padded": 2.4, "real-lengths": 4.8}.items():
        add_cell(results, "ours", cell("torch", "bf16", scenario, 32, speed))
    return results


def zoo(results: Results) -> list:
    common = {"engine": "modelzoo", "precision": "bf16", "batch_size": 24}
    paths = []
    for step, data in {
        "train": {**common, "mode": "training", "examples_per_second": 5.0, "steps": 1824},
        "benchmark": BENCHMARK,
        "accuracy": {**common, "mode": "accuracy"},
        "answers": {**common, "mode": "accuracy"},
    }.items():
        paths.append(write(results.root / "modelzoo" / step / "result.json", data))
        if step != "benchmark":
            paths.append(write(results.root / "modelzoo" / step / "metrics.json", SCORES))
    return paths


def settings() -> dict:
    given = config(demo=False, runs=("ours", "published"))
    given["runs"]["published"] |= {"checkpoint": "published", "epochs": 0}
    given["runs"]["ours"]["precision"] = "bf16"
    return given | {"modelzoo": {"image": None, "steps": STEPS}}


def summarize(results, steps=()):
    table = tables.summarize(results.metrics, results.cells, results.logs, settings(), steps)
    return Summary(table)


@pytest.fixture
def summary(results):
    return summarize(results, zoo(results))


def test_every_step_has_a_row_that_can_be_no_runs(summary):
    rows = summary.steps
    assert list(rows["run"]) == [f"modelzoo:{step}" for step in sorted(STEPS)]
    assert set(rows["engine"]) == {"modelzoo"}
    train = rows[rows["run"] == "modelzoo:train"].iloc[0]
    assert (train["f1"], train["train_examples_per_second"], train["train_steps"]) == (92, 5, 1824)


def test_ours_stay_among_ourselves(summary, results):
    without = summarize(results)
    assert summary.medians().equals(without.medians())
    for part in ("cells", "scored", "runs"):
        assert getattr(summary, part).equals(getattr(without, part))
    assert findings(summary) == findings(without)


def test_speeds_stand_beside_the_same_precision_padding_and_batch(summary):
    found = [each for each in comparisons(summary) if each.unit == "features/s"]
    assert [(each.as_run, each.as_meant, each.ours) for each in found] == [
        (1.25, 1.2, 2.4),
        (1.25, 1.2, 4.8),
        (1.25, 1.3, None),
    ]
    assert found[0].difference == "2.00 ×"
    assert found[0].which == "ours, padded, batch 32"
    assert found[1].which == "ours, at real lengths, batch 32"
    assert found[2].difference == "–"


def test_training_stands_beside_our_training_in_examples(summary):
    first = comparisons(summary)[0]
    assert (first.step, first.unit, first.as_run, first.as_meant) == (
        "train",
        "examples/s",
        None,
        5,
    )
    assert first.ours == pytest.approx(2400 / 5.0)
    assert first.which == "ours"


def test_scores_stand_beside_the_same_checkpoint_trained_or_not(summary):
    f1 = {each.step: each for each in comparisons(summary) if each.what == "F1"}
    assert f1.keys() == {"train", "accuracy", "answers"}
    assert f1["train"].ours == f1["answers"].ours == 91.0
    assert f1["accuracy"].ours == 92.5
    assert f1["accuracy"].which == "published, torch bf16"
    assert f1["accuracy"].as_run is None
    assert f1["accuracy"].difference == "+0.50 points"
    assert f1["train"].difference == "−1.00 points"


def test_a_length_that_we_did_not_time_has_nothing_beside_it(results):
    steps = zoo(results)
    write(steps[2], BENCHMARK | {"max_seq_length": 128})
    summary = summarize(results, steps)
    found = [each for each in comparisons(summary) if each.unit == "features/s"]
    assert [each.ours for each in found] == [None, None]


def test_the_table_has_a_row_for_each(summary):
    table = guide_table(comparisons(summary))
    assert len(table.rows) == 10
    assert [cell.text for cell in table.rows[3]] == [
        *("benchmark", "bf16, batch 32, features/s", "1.25", "1.20", "2.40", "2.00 ×"),
        "ours, padded, batch 32",
    ]


def render(summary, **more) -> str:
    return render_page(
        summary, figures={}, machine=MACHINE, config=settings() | more, inputs=CHECKSUMS
    )


def test_the_page_has_the_section_only_with_steps(summary, results):
    html = render(summary)
    assert '<section id="guide">' in html
    assert "on this machine" in html
    assert "1.25" in html
    without = summarize(results)
    assert '<section id="guide">' not in render(without)


def test_the_page_names_the_image(summary):
    zoo_of = {"image": "sysstacks/dlrs:v0.7.0", "steps": STEPS}
    assert "in the image sysstacks/dlrs:v0.7.0" in render(summary, modelzoo=zoo_of)


def test_the_summary_is_read_as_it_was_written(summary, tmp_path):
    path = tmp_path / "summary.csv"
    summary.table.to_csv(path, index=False)
    assert comparisons(Summary.read(path)) == comparisons(summary)
