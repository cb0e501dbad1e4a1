"""The benchmark over time, and its repeats in order."""

import json
import re

import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting import style
from bertsquad.reporting.figures import order, timeline
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.series import read_series
from bertsquad.reporting.summary.summary import Summary
from fake_results import Results, add_cell, cell, large, write


def svg(module, data, folder) -> str:
    with style.styled():
        style.save(module.draw(data), folder / "figure.svg", module.TITLE)
    return (folder / "figure.svg").read_text(encoding="utf-8")


def texts(content: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", content)


def timed(minute, batch=8, **changes):
    """A cell that began at this minute, whose batches take 1 ms a token but for the first ten."""
    tokens = [100 + 10 * (place % 7) for place in range(200)]
    samples = [n * (1.4 if place < 10 else 1.0) for place, n in enumerate(tokens)]
    return cell("torch", "bf16", "real-lengths", batch, 10.0) | {
        "started_at": f"2026-01-02T03:{minute:02d}:00+00:00",
        "latency_samples_ms": samples,
        "batch_tokens": tokens,
        "steady": {"class": "warm-up", "dropped": 10},
        "calibration": {"product": "numpy fp32", "before_gflops": 90.0, "after_gflops": 100.0},
        "activity": {"other_cpus": 0.25},
        **changes,
    }


def test_a_series_is_what_a_batch_takes_over_one_of_its_length(tmp_path):
    found = read_series(write(tmp_path / "cell.json", timed(4)))
    assert found.relative[20:] == pytest.approx([found.relative[20]] * 180, rel=0.02)
    assert found.relative[:10].min() > 1.2
    assert (found.dropped, found.products, found.other_cpus) == (10, (90.0, 100.0), 0.25)
    assert found.valid


def test_a_cell_that_was_not_run_has_no_series(tmp_path):
    assert read_series(write(tmp_path / "cell.json", {"refused": "no bf16"})) is None


@pytest.mark.parametrize(
    "damage", [{"latency_samples_ms": [0.0, 1.0]}, {"precision": None, "threads": "x"}]
)
def test_a_damaged_cell_is_named(tmp_path, damage):
    path = write(tmp_path / "cell.json", timed(4) | damage)
    with pytest.raises(UserError, match=r"cell\.json: its samples are not as a cell holds them"):
        read_series(path)


def test_the_timeline_shows_all_three_and_is_the_same_each_time(tmp_path):
    paths = [write(tmp_path / f"{n}.json", timed(n, n)) for n in (1, 5, 9)]
    content = svg(timeline, paths, tmp_path)
    assert {
        "time of a batch, over what one of its length takes",
        "matrix product, over the fastest",
        "processors that others kept busy",
        "minutes since the first cell began",
    } <= set(texts(content))
    assert svg(timeline, paths[::-1], tmp_path) == content


def test_without_cells_the_timeline_says_so(tmp_path):
    assert texts(svg(timeline, [], tmp_path)) == ["No cell tells when it was measured."]


def test_the_strip_has_a_field_for_every_repeat_and_cells_in_their_order(tmp_path):
    results = Results(tmp_path)
    for repeat, (slow, fast) in enumerate(((10.0, 30.0), (11.0, 30.0), (9.0, 30.0)), 1):
        for batch, rate, place in ((1, slow, 2), (8, fast, 1)):
            data = cell("torch", "fp32", "padded", batch, rate, repeat=repeat)
            add_cell(results, "run", data | {"order": {"place": place}})
    summary = Summary(tables.summarize([], results.cells, []))
    shown = texts(svg(order, summary, tmp_path))
    assert [text for text in shown if text.startswith("torch")] == [
        "torch fp32, padded, batch 8, 2 threads",
        "torch fp32, padded, batch 1, 2 threads",
    ]
    assert shown.count("+0.0") == 4
    assert "+10.0" in shown
    assert "\u221210.0" in shown
    assert {"repeat 1", "repeat 2", "repeat 3"} <= set(shown)


def test_disturbed_repeats_are_hatched(tmp_path):
    results = Results(tmp_path)
    for repeat, waited in ((1, 0.0), (2, 0.1)):
        data = cell("torch", "fp32", "padded", 1, 10.0, repeat=repeat, waited=waited)
        add_cell(results, "run", data)
    content = svg(order, Summary(tables.summarize([], results.cells, [])), tmp_path)
    assert content.count("<pattern") == 1


def test_one_repeat_is_nothing_to_compare(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 1, 10.0))
    shown = texts(svg(order, Summary(tables.summarize([], results.cells, [])), tmp_path))
    assert shown == ["Each cell was measured once: there are no repeats to compare."]


def test_a_wide_experiment_fits(tmp_path):
    results = large(tmp_path)
    content = svg(order, Summary(tables.summarize([], results.cells, [])), tmp_path)
    assert len(content) < 400_000
    paths = [path for path in results.cells if "latency_samples_ms" in json.loads(path.read_text())]
    assert len(svg(timeline, paths, tmp_path)) < 1_500_000
