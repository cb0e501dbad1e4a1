"""The report: self-contained, well-formed, and it says what the inputs say."""

import json
import re

import pytest

from bertsquad.reporting.page.examples import Example
from bertsquad.reporting.page.render import disturbed
from fake_report import Page, draw, render
from fake_results import (
    CHECKSUMS,
    Results,
    add_cell,
    add_log,
    add_metrics,
    cell,
    config,
    demo,
    engines,
    large,
)

EXAMPLES = [
    Example("T", "Who <wrote> it?", ("Ada", "Ada L."), "Ada", True, 1.0, "By ", "Ada", " & co."),
    Example("T", "When?", ("1843",), "in 1843 or so", False, 0.4, "In ", "1843", "."),
]


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return draw(demo(folder), folder)


@pytest.fixture(scope="module")
def demo_html(figures, tmp_path_factory):
    return render_demo(figures, tmp_path_factory.mktemp("page"))


def render_demo(figures, folder):
    return render(
        demo(folder),
        figures=figures,
        examples=EXAMPLES,
        examples_of="run demo-fp32",
        command="make",
    )


def test_tags_are_balanced_and_ids_unique(demo_html):
    parsed = Page(demo_html)
    assert parsed.broken == []
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert parsed.tags.count("h1") == 1


def test_nothing_is_loaded_from_anywhere(demo_html):
    parsed = Page(demo_html)
    assert all(target.startswith("#") for target in parsed.loads)
    assert {"link", "img", "iframe", "object", "embed"}.isdisjoint(parsed.tags)
    assert "@import" not in demo_html
    assert re.findall(r"url\((?!#)", demo_html) == []
    assert "default-src 'none'" in demo_html


def test_links_lead_into_the_page_or_to_the_sources(demo_html):
    parsed = Page(demo_html)
    inside = {link[1:] for link in parsed.links if link.startswith("#")}
    outside = [link for link in parsed.links if not link.startswith("#")]
    assert inside <= set(parsed.ids)
    assert {link.split(",")[0] for link in outside} == {
        "https://example.org/dev-v1.1.json",
        "data:text/csv;base64",
    }


def test_it_opens_with_the_answers(demo_html):
    opening = Page(demo_html).text.split("Contents")[0]
    assert opening.index("Deploy torch bf16 on this machine") < opening.index("On Example")
    for words in (
        "On Example Processor 9000 (2 cores, 24.0 GiB), 2 runs (demo-bf16 and demo-fp32) fine-tuned"
        " the checkpoint synthetic on the dataset synthetic.",
        "The best run, demo-fp32, gives the exact answer to 86.00 % of 500 questions and reaches an"
        " F1 of 91.40 % (torch fp32).",
        "At its fastest the model answers 439 features per second (torch bf16, real-lengths, batch"
        " 32, 2 threads).",
        "95 % interval 88.4 to 94.4 on other questions on these articles; 85.4 to 97.4 on other "
        "articles",
        "median of one batch, p99 4.30 ms; torch bf16, real-lengths, batch 1, 2 threads",
        "Without fine-tuning here (run untrained) the same questions get an F1 of 6.30 %.",
        "the same in all 6 pairs of cells",
        "Scores no A program wrote passages and questions: on real ones nothing follows.",
        "Times yes Nothing disturbed any of the 12 cells.",
        "Machine with care 1 warning about this machine: read the times with care.",
    ):
        assert words in opening


def test_a_demo_says_so_before_any_number(demo_html):
    text = Page(demo_html).text
    assert text.index("This is a demo on made-up text.") < text.index("86.00")


def test_it_holds_tables_versions_checksums_and_the_command(demo_html):
    text = Page(demo_html).text
    for words in (
        "SHA-256",
        CHECKSUMS["dev-v1.1.json"]["sha256"],
        "CC BY-SA 4.0",
        "Rajpurkar et al. 2016",
        "2.13.0+cpu",
        "not available: no cpufreq in this virtual machine",
        "The processor is shared: load average 3.1 on 2 processors.",
        "learning_rate",
        "3.0e-5",
        "latency_p99_ms",
        "79,002",
        "In every row: run demo-fp32, engine torch, threads 2, repeat 1, batches 400.",
        "make",
    ):
        assert words in text


def test_examples_show_question_answers_and_verdict(demo_html):
    text = Page(demo_html).text
    assert "2 questions, answered by run demo-fp32" in text
    assert "Who <wrote> it? By Ada & co. predictedAda expectedAda / Ada L." in text
    assert "✓ right" in text
    assert "✗ wrong, F1 40 %" in text


def test_quoted_passages_are_credited_unless_they_are_made_up(tmp_path):
    options = {"examples": EXAMPLES, "quoted_from": "dev-v1.1.json"}
    real = render(demo(tmp_path), settings=config(demo=False), **options)
    made_up = render(demo(tmp_path), **options)
    words = "Questions and passages are quoted from dev-v1.1.json: Rajpurkar et al. 2016"
    assert words in Page(real).text
    assert "This is a demo" not in Page(real).text
    assert words not in Page(made_up).text


def test_figures_have_labels_captions_and_no_colours_of_their_own(demo_html):
    assert demo_html.count("<svg ") == 6
    assert demo_html.count('role="img" aria-label="') == 6
    assert demo_html.count("<figcaption>") == 6
    assert demo_html.count("<table") == demo_html.count("<caption>")
    drawing = demo_html[demo_html.index("<svg") : demo_html.rindex("</svg>")]
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]+", drawing) == []


def test_the_same_inputs_give_the_same_page(demo_html, figures, tmp_path):
    assert render_demo(figures, tmp_path) == demo_html


def test_text_from_the_inputs_is_escaped(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "only", "torch-fp32", 50.0, 60.0)
    settings = config(runs=("only",)) | {"title": "<script>alert(1)</script>"}
    html = render(results, settings=settings)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_scores_without_benchmark(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "only", "torch-fp32", 50.0, 60.0)
    add_log(results, "only", 5)
    html = render(results, settings=config(runs=("only",), demo=False))
    text = Page(html).text
    assert "run only fine-tuned the checkpoint synthetic" in text
    assert "Run only gives the exact answer to 50.00 % of 500 questions" in text
    assert "No inference benchmark was run, so there are no times in this report." in text
    assert Page(html).broken == []
    assert 'id="speed"' not in html
    assert 'id="cells"' not in html


def test_benchmark_without_scores(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "only", cell("torch", "fp32", "padded", 8, 10.0))
    html = render(results, settings=config(runs=("only",)))
    text = Page(html).text
    assert "was used without fine-tuning" in text
    assert "No predictions were scored." in text
    assert "answers 10.0 features per second (torch fp32, padded, batch 8, 2 threads)" in text
    assert 'id="accuracy"' not in html


def test_nothing_at_all(tmp_path):
    html = render(Results(tmp_path), settings=config(runs=()), machine={})
    parsed = Page(html)
    assert parsed.broken == []
    assert "No predictions were scored." in parsed.text


def test_emulated_precision_is_said_at_the_top(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "only", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "only", cell("torch", "bf16", "padded", 8, 4.0, native=False))
    opening = Page(render(results)).text.split("Contents")[0]
    assert "torch bf16 is emulated here: this processor has no instructions for bf16" in opening
    assert "bf16 over fp32" not in opening
    assert "At its fastest the model answers 10.0 features per second (torch fp32" in opening


@pytest.fixture(scope="module")
def engines_text(tmp_path_factory):
    """Three engines on a processor without BF16."""
    results = engines(tmp_path_factory.mktemp("engines"), bf16=False)
    settings = config(demo=False, runs=("guide",))
    return Page(render(results, settings=settings, quoted_from="dev-v1.1.json")).text


def test_whole_sets_give_the_first_answer_about_speed(engines_text):
    opening = engines_text.split("Contents")[0]
    assert "6.27 questions per second, texts in, answers out, with openvino int8" in opening
    assert "tokenising and decoding cost 1.0 % on top of the model" in opening
    assert "The engine alone answers up to 6.40 features per second" in opening


def test_noise_is_no_gain_from_tokenising(tmp_path):
    results = engines(tmp_path, bf16=False)
    for path in results.cells:
        data = json.loads(path.read_text())
        if "overhead_share" in data:
            path.write_text(json.dumps(data | {"overhead_share": -0.03}))
    text = Page(render(results, settings=config(demo=False, runs=("guide",)))).text
    assert text.count("tokenising and decoding cost no time that shows") == 2
    assert "cost -3.0" not in text


def test_what_is_no_result_is_said_with_the_reason_and_counts_for_nothing(engines_text):
    opening = engines_text.split("Contents")[0]
    for words in (
        "onnxruntime int8 failed: it keeps less than 99 % of FP32’s F1: 97.20 %.",
        "torch bf16 is emulated here: this processor has no instructions for bf16",
        "openvino bf16 was not timed: this processor emulates bf16.",
        "int8 over fp323.68 ×",
    ):
        assert words in opening


def test_each_engine_and_precision_passes_or_fails_in_words(tmp_path):
    html = render(engines(tmp_path, bf16=False), settings=config(runs=("guide",)))
    assert "<tr><td>torch</td><td>fp32</td><td>reference</td>" in html
    assert "<tr><td>openvino</td><td>int8</td><td>passed</td>" in html
    failed = "<td>onnxruntime</td><td>int8</td><td>failed: below 99\u00a0%</td>"
    assert f'<tr class="failed">{failed}' in html


def test_cells_that_are_no_result_stay_in_the_table_with_a_note(tmp_path):
    html = render(engines(tmp_path, bf16=False), settings=config(runs=("guide",)))
    cells = html[html.index('<section id="cells">') :]
    assert cells.count('<tr class="failed">') == 8
    assert cells.count('<tr class="emulated">') == 8
    assert cells.count('<tr class="refused">') == 8
    assert "<td>not run: this processor emulates bf16</td>" in cells


def test_changed_answers_are_shown_folded_and_credited(engines_text):
    section = engines_text.split("What changes against FP32")[1].split("Speed")[0]
    for words in (
        "guide, onnxruntime int8: 112 of 500 answers",
        "questionWho took the 1. place?",
        "torch-fp32the old mayor, F1 100 %",
        "onnxruntime-int8mayor of Ulm, F1 50 %",
        "Questions and answers are quoted from dev-v1.1.json: Rajpurkar et al. 2016",
        "Licence: CC BY-SA 4.0.",
    ):
        assert words in section
    assert "guide, openvino fp32:" not in section


def test_without_fp32_the_page_says_that_nothing_was_compared(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "only", "torch-bf16", 50.0, 60.0)
    add_metrics(results, "only", "openvino-int8", 50.0, 60.0)
    html = render(results, settings=config(runs=("only",)))
    assert "No engine runs FP32, so nothing here says what" in Page(html).text
    assert 'id="changes"' not in html


def test_nothing_but_emulated_cells_is_no_answer(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "only", cell("torch", "bf16", "padded", 8, 4.0, native=False))
    text = Page(render(results)).text
    assert "Nothing that was timed here counts as a result." in text
    assert "Best throughput" not in text


def test_cells_from_another_processor_are_pointed_out(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 8, 10.0)
    add_cell(results, "only", data | {"cpu": "Other 1"})
    assert "The cells were measured on Other 1" in Page(render(results)).text
    add_cell(results, "only", cell("torch", "fp32", "padded", 1, 10.0))
    words = "measured on different processors (Example Processor 9000 and Other 1)"
    assert words in Page(render(results)).text


def test_a_large_experiment(tmp_path):
    html = render(large(tmp_path), settings=config(demo=False, runs=("guide-bf16",)))
    parsed = Page(html)
    assert parsed.broken == []
    assert "int8 answers 3.74 times as many features per second as fp32" in parsed.text
    assert "<details>\n<summary>The table" in html  # 120 rows start folded
    assert len(html) < 1_000_000


def test_features_alone_have_a_section(figures, tmp_path):
    results = Results(tmp_path)
    html = render(results, figures={"lengths": figures["lengths"]})
    assert "How long the features are." in Page(html).text


def test_cells_measured_on_a_busy_machine_are_warned_of():
    cells = [{"other_cpus": None}, {"other_cpus": 0.2}, {"other_cpus": 0.9}, {"other_cpus": 1.84}]
    [warning] = disturbed(cells)
    assert warning.startswith("2 of 4 benchmark cells were measured while other programs kept 0.5")
    assert "up to 1.8" in warning
    assert disturbed(cells[:2]) == []
