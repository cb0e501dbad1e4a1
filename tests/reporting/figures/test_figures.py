"""Figures: well-formed, the same bytes for the same data, and something to see for any data."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from bertsquad import tensorfile
from bertsquad.console.errors import UserError
from bertsquad.reporting import style
from bertsquad.reporting.figures import (
    accuracy,
    latency,
    lengths,
    offline,
    throughput,
    tradeoff,
    training_loss,
)
from bertsquad.reporting.figures.panels import fitted
from bertsquad.reporting.summary import tables, training_log
from bertsquad.reporting.summary.summary import Summary
from fake_results import (
    Results,
    add_cell,
    add_features,
    add_log,
    add_metrics,
    cell,
    demo,
    engines,
    large,
    whole_set_cell,
)


def test_titles_are_broken_all_alike_where_one_would_run_into_the_next_plots():
    titles = ["a on half: padded (to 128 tokens)", "a on half: real-lengths"]
    assert fitted(titles, 2) == titles
    assert fitted(titles, 3) == ["a on half:\npadded (to 128 tokens)", "a on half:\nreal-lengths"]
    assert fitted([], 1) == []


OF_SUMMARY = (accuracy, offline, throughput, latency, tradeoff)


def summary_of(results):
    table = tables.summarize(
        results.metrics, results.cells, results.logs, comparisons=results.comparisons
    )
    return Summary(table)


def logs_of(results):
    return {
        training_log.run_of_log(path): training_log.read_training_log(path) for path in results.logs
    }


def svg(figure_module, data, path) -> bytes:
    with style.styled():
        style.save(figure_module.draw(data), path / "figure.svg", figure_module.TITLE)
    return (path / "figure.svg").read_bytes()


def texts(content: bytes) -> list[str]:
    root = ET.fromstring(content)
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def demo_summary(tmp_path_factory):
    return summary_of(demo(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="module")
def drawn(demo_summary, tmp_path_factory):
    """The demo's figures."""
    folder = tmp_path_factory.mktemp("drawn")
    return {module: svg(module, demo_summary, folder) for module in OF_SUMMARY}


@pytest.mark.parametrize("module", OF_SUMMARY)
def test_the_same_data_give_the_same_bytes(demo_summary, drawn, tmp_path, module):
    assert svg(module, Summary(demo_summary.table.copy()), tmp_path) == drawn[module]
    assert b"<dc:date>" not in drawn[module]
    assert b"<script" not in drawn[module]


def test_accuracy_names_every_run_and_score(drawn):
    shown = texts(drawn[accuracy])
    assert {"demo-bf16", "demo-fp32", "untrained", "86.00", "91.40"} <= set(shown)
    assert {"\u2190 0.40", "\u2190 6.30"} <= set(shown)
    assert {"exact match, %", "F1, %"} <= set(shown)


def test_throughput_has_a_panel_per_scenario_and_labels_lines_with_their_last_value(
    drawn,
):
    shown = texts(drawn[throughput])
    assert {"padded (to 384 tokens)", "real-lengths", "features per second"} <= set(shown)
    assert {"fp32\u2002110", "bf16\u2002209", "fp32\u2002231", "bf16\u2002439"} <= set(shown)


def test_latency_gives_median_and_p99_in_numbers(drawn):
    shown = texts(drawn[latency])
    assert {"batch 1", "batch 8", "batch 32", "7.52 to 9.02", "291 to 349"} <= set(shown)


def test_emulated_precisions_say_so(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "bf16", "padded", 8, 4.0, native=False))
    summary = summary_of(results)
    assert "bf16 (emulated)\u20024.00" in texts(svg(throughput, summary, tmp_path))
    assert "bf16 (emulated)" in texts(svg(latency, summary, tmp_path))


def test_several_engines_runs_and_thread_counts_are_told_apart(tmp_path):
    results = Results(tmp_path)
    for run in ("a", "b"):
        for threads in (1, 2):
            for engine in ("openvino", "torch"):
                add_cell(results, run, cell(engine, "fp32", "padded", 1, 4.0, threads=threads))
    shown = texts(svg(throughput, summary_of(results), tmp_path))
    assert "a: 1 thread, padded (to 384 tokens)" in shown
    assert "b: 2 threads, padded (to 384 tokens)" in shown
    assert (shown.count("torch"), shown.count("openvino")) == (4, 4)
    assert shown.count("fp32\u20024.00") == 8


@pytest.mark.parametrize("module", OF_SUMMARY)
def test_a_legend_says_what_grey_means(tmp_path, module):
    shown = texts(svg(module, summary_of(engines(tmp_path, bf16=False)), tmp_path))
    assert "failed: below 99\u00a0% of FP32’s F1" in shown
    assert ("emulated here" in shown) == (module is not accuracy)


@pytest.mark.parametrize("module", OF_SUMMARY)
def test_there_is_no_legend_where_all_are_results(drawn, module):
    shown = texts(drawn[module])
    assert not [text for text in shown if text.startswith(("failed", "emulated"))]


def test_many_questions_at_hand_are_a_bar_per_model_from_texts_and_of_the_engine_alone(tmp_path):
    shown = texts(svg(offline, summary_of(engines(tmp_path, bf16=False)), tmp_path))
    for words in (
        *("texts in, answers out", "questions per second", "engine alone", "features per second"),
        *("torch bf16 (emulated)", "onnxruntime int8 (failed)", "openvino int8", "6.27", "6.40"),
    ):
        assert words in shown
    assert "openvino bf16" not in shown  # refused: not measured


def test_runs_and_thread_counts_of_the_bars_are_told_apart(tmp_path):
    results = Results(tmp_path)
    for run in ("a", "b"):
        for threads in (1, 2):
            data = whole_set_cell("torch", "fp32", "offline", 5.0, threads=threads)
            add_cell(results, run, data)
    shown = texts(svg(offline, summary_of(results), tmp_path))
    assert {"a, 1 thread, fp32", "b, 2 threads, fp32"} <= set(shown)


@pytest.mark.parametrize("module", OF_SUMMARY)
def test_a_large_experiment_is_drawn(tmp_path, module):
    assert texts(svg(module, summary_of(large(tmp_path)), tmp_path))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (accuracy, "No predictions were scored."),
        (offline, "No offline throughput was measured."),
        (throughput, "No benchmark cell was measured."),
        (latency, "No latency was measured."),
    ],
)
def test_an_empty_summary_gives_a_figure_that_says_so(tmp_path, module, words):
    assert texts(svg(module, Summary(tables.summarize([], [], [])), tmp_path)) == [words]


@pytest.mark.parametrize("module", OF_SUMMARY)
def test_one_cell_and_one_score_are_enough(tmp_path, module):
    results = Results(tmp_path)
    add_metrics(results, "only", "torch-fp32", 100.0, 100.0, width=0.0)
    add_cell(results, "only", cell("torch", "fp32", "real", 1, 0.003))
    assert texts(svg(module, summary_of(results), tmp_path))


def test_scores_without_intervals_are_drawn(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "only", "torch-fp32", 55.0, 66.0)
    summary = summary_of(results)
    for name in ("exact_match_low", "exact_match_high", "f1_low", "f1_high"):
        summary.table[name] = pd.NA
    assert {"55.00", "66.00"} <= set(texts(svg(accuracy, summary, tmp_path)))


def test_a_baseline_without_training_does_not_stretch_the_axis(demo_summary):
    with style.styled():
        left, right = accuracy.draw(demo_summary).axes[1].get_xlim()  # F1, the lowest end is 87.8
    assert 85 < left < 87.8
    assert 94.4 < right <= 100


def test_where_nothing_was_trained_all_scores_are_on_the_axis(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "published", "torch-fp32", 86.0, 92.0)
    add_metrics(results, "poor", "torch-fp32", 5.0, 9.0)
    shown = texts(svg(accuracy, summary_of(results), tmp_path))
    assert {"92.00", "9.00"} <= set(shown)


def test_training_loss_labels_each_run_with_the_final_loss_of_the_table(tmp_path):
    results = Results(tmp_path)
    add_log(results, "long", 1000, seed=1)
    add_log(results, "untrained", 0)
    content = svg(training_loss, logs_of(results), tmp_path)
    assert svg(training_loss, logs_of(results), tmp_path) == content
    shown = texts(content)
    assert [text for text in shown if text.startswith("long")] == ["long\u20020.586"]
    totals = training_log.training_totals(results.logs[0])
    assert f"{totals['train_final_loss']:.3f}" == "0.586"
    assert not [text for text in shown if text.startswith("untrained")]
    assert len(content) < 60_000  # 1,000 steps are thinned out


def test_seeds_of_one_run_are_one_line_with_their_range(tmp_path):
    results = Results(tmp_path)
    for seed in range(3):
        add_log(results, f"bf16-seed{seed}", 400, seed=seed)
    add_log(results, "fp32-seed0", 400)
    shown = texts(svg(training_loss, logs_of(results), tmp_path))
    names = sorted(text.split("\u2002")[0] for text in shown if "seed" in text)
    assert names == ["bf16 (3 seeds)", "fp32-seed0"]
    figure = training_loss.draw(logs_of(results))
    (axes,) = figure.axes
    assert len(axes.collections) == 2  # the range of the seeds, and of the single run's steps
    assert len(axes.lines) == 2


@pytest.mark.parametrize("steps", [1, 2])
def test_a_run_of_few_steps_is_drawn(tmp_path, steps):
    results = Results(tmp_path)
    add_log(results, "short", steps)
    assert any(
        text.startswith("short") for text in texts(svg(training_loss, logs_of(results), tmp_path))
    )


def test_no_trained_run_gives_a_figure_that_says_so(tmp_path):
    assert texts(svg(training_loss, {}, tmp_path)) == ["No run was trained."]


def test_running_mean_is_centred_and_cut_at_the_ends():
    mean = training_loss.running_mean(np.array([0.0, 1.0, 2.0, 3.0, 10.0]))
    assert mean.tolist() == [1.0, 1.5, 3.2, 4.0, 5.0]


def test_lengths_count_question_window_and_special_tokens(tmp_path):
    arrays = {
        "question_starts": np.array([0, 5, 12], np.int64),
        "feature_question": np.array([0, 0, 1], np.int32),
        "doc_length": np.array([100, 20, 30], np.int32),
    }
    path = tmp_path / "squad-dev" / "tiny.safetensors"
    path.parent.mkdir()
    tensorfile.write_checked(path, arrays, {"features": '{"version": 1, "max_seq_length": 128}'})
    read = lengths.read(path)
    assert read.lengths.tolist() == [108, 28, 40]
    assert (read.name, read.max_seq_length) == ("squad-dev", 128)
    assert read.padding_share == pytest.approx(1 - 176 / (3 * 128))


def test_lengths_states_mean_median_and_padding(tmp_path):
    results = Results(tmp_path)
    add_features(results, "demo-dev", 500, 128)
    file = lengths.read(results.features[0])
    content = svg(lengths, results.features, tmp_path)
    assert svg(lengths, results.features, tmp_path) == content
    shown = texts(content)
    share = 100 * file.padding_share
    assert f"demo-dev: 500 features, {share:.0f} % padding at 128 tokens" in shown
    assert f"mean {file.lengths.mean():.0f}" in shown
    assert f"median {np.median(file.lengths):.0f}" in shown


def test_every_feature_is_in_one_bar():
    edges = np.linspace(0, 384, lengths.BINS + 1) + 0.5
    counts, _ = np.histogram(np.arange(1, 385), bins=edges)
    assert counts.tolist() == [12] * 32


def test_two_files_of_one_dataset_are_told_apart_by_their_recipe(tmp_path):
    results = Results(tmp_path)
    add_features(results, "dev", 2, 128)
    [file] = results.features
    other = file.with_name("cased.safetensors")
    other.write_bytes(file.read_bytes())
    share = 100 * lengths.read(file).padding_share
    shown = texts(svg(lengths, [file, other], tmp_path))
    assert f"dev, cased: 2 features, {share:.0f} % padding at 128 tokens" in shown


def test_no_features_give_a_figure_that_says_so(tmp_path):
    assert texts(svg(lengths, [], tmp_path)) == ["There are no features."]


def test_another_safetensors_file_is_no_features_file(tmp_path):
    tensorfile.write(tmp_path / "x.safetensors", {"a": np.zeros(1)}, {})
    with pytest.raises(UserError, match="not a features file"):
        lengths.read(tmp_path / "x.safetensors")


def test_lengths_are_those_of_the_features_module(golden, tmp_path):
    """The histogram reads three arrays by itself; it must agree with the module that owns them."""
    from bertsquad.data import features

    names = features.ARRAYS
    arrays = {name: np.array([0], np.int64) for name in names} | {
        "question_starts": np.array([0, 4, 9], np.int64),
        "feature_question": np.array([0, 1, 1], np.int32),
        "doc_length": np.array([7, 90, 8], np.int32),
    }
    made = features.Features(arrays, {"version": features.VERSION, "max_seq_length": 128})
    features.write(tmp_path / "f.safetensors", made)
    assert lengths.read(tmp_path / "f.safetensors").lengths.tolist() == made.lengths.tolist()
