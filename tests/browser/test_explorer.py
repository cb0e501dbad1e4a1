"""The question explorer in a real browser: found, filtered, sorted, opened, and never run."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from bertsquad.reporting.page import explorer
from browser.axe import faults
from fake_report import render
from fake_results import config, demo, write

EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
HELD = "window.hacked === undefined"


def dataset_of(folder, paragraphs):
    data = [{"title": title, "paragraphs": [p]} for title, p in paragraphs]
    return write(folder / "dev-v1.1.json", {"version": "1.1", "data": data})


def answered(folder, run, model, given):
    path = write(folder / run / model / "predictions.json", given)
    best = {
        id: [
            {"text": text, "probability": 0.75},
            {"text": f"not {text}", "probability": 0.2451},
        ]
        for id, text in given.items()
    }
    write(folder / run / model / "nbest_predictions.json", best)
    return path


def report_of(folder, dataset, predictions, **settings):
    """A report with these questions in its explorer."""
    asked = explorer.read(dataset, predictions)
    count = explorer.write(folder / "questions", [asked])
    html = render(
        demo(folder),
        questions=count,
        asked_in=[dataset.name],
        settings=config(demo=False) | settings,
    )
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Thirty questions; int8 answers every third one otherwise, every fifth wrongly."""
    folder = tmp_path_factory.mktemp("explorer")
    paragraphs, fp32, int8 = [], {}, {}
    for n in range(30):
        context = f"In Zürich {n} towers stand. The tallest of the {n} towers has {n + 100} steps."
        gold = f"{n + 100} steps"
        asked = {
            "id": f"id-{n}",
            "question": f"How high is tower {n}?",
            "answers": [{"text": gold, "answer_start": context.index(gold)}],
        }
        paragraphs.append((f"Towers_{n % 3}", {"context": context, "qas": [asked]}))
        fp32[f"id-{n}"] = gold if n % 5 else "Zürich"
        int8[f"id-{n}"] = f"{n + 100}" if n % 3 == 0 else fp32[f"id-{n}"]
    dataset = dataset_of(folder, paragraphs)
    models = [
        answered(folder, "run", "torch-fp32", fp32),
        answered(folder, "run", "openvino-int8", int8),
    ]
    return report_of(folder, dataset, models)


def explored(show, report, **options):
    page = show(report, fragment="#questions", **options)
    page.locator("#explorer .found li").first.wait_for()
    return page


def status(page):
    return page.locator("#explorer .status").inner_text()


def test_it_loads_only_when_a_reader_comes_to_it(show, report):
    page = show(report)
    assert page.locator("head script").count() == 0
    page.locator("#explorer").scroll_into_view_if_needed()
    page.locator("#explorer .found li").first.wait_for()
    assert "30 of 30 questions: exact match 80.00 %, F1 80.00 %" in status(page)


def test_a_question_is_found_by_its_words_without_accents(show, report):
    page = explored(show, report)
    page.get_by_label("search questions").fill("tower 17")
    assert page.locator(".found li").count() == 1
    assert "How high is tower 17?" in page.locator(".found li").inner_text()
    page.get_by_label("search questions").fill("ZURICH")  # an answer of six
    assert status(page).startswith("6 of 30")


@pytest.mark.parametrize(
    ("choices", "count"),
    [
        ({"that are": "right"}, 24),
        ({"that are": "wrong"}, 6),
        ({"beside": "run, openvino int8", "where the answer": "changed"}, 10),
        ({"beside": "run, openvino int8", "where the answer": "got better"}, 8),
        ({"beside": "run, openvino int8", "where the answer": "got worse"}, 2),
        ({"beside": "run, openvino int8", "where the answer": "is the same"}, 20),
        ({"beside": "run, openvino int8", "where the answer": "turned right or wrong"}, 8),
        ({"answers of": "run, openvino int8", "that are": "wrong, but overlap"}, 10),
    ],
)
def test_questions_are_filtered(show, report, choices, count):
    page = explored(show, report)
    for label, choice in choices.items():
        page.get_by_label(label, exact=True).select_option(label=choice)
    assert status(page).startswith(f"{count} of 30")


def test_questions_are_filtered_by_f1_and_length(show, report):
    page = explored(show, report)
    page.get_by_label("answers of").select_option(label="run, openvino int8")
    page.get_by_label("F1 from, %").fill("50")
    page.get_by_label("to, %").fill("99")
    assert status(page).startswith("10 of 30")
    assert "F1 66.67 %" in status(page)
    page.get_by_role("button", name="reset").click()
    page.get_by_label("words of the").select_option(label="answer")
    page.get_by_label("from", exact=True).fill("2")
    assert status(page).startswith("24 of 30")


def test_questions_are_ordered_and_turned_page_by_page(show, report):
    page = explored(show, report)
    first = page.locator(".found .question").first
    assert first.inner_text() == "How high is tower 0?"
    page.get_by_label("beside").select_option(label="run, openvino int8")
    page.get_by_label("order").select_option(label="largest loss first")
    assert first.inner_text() == "How high is tower 0?"
    page.get_by_label("order").select_option(label="largest gain first")
    assert first.inner_text() == "How high is tower 3?"
    page.get_by_role("button", name="next").click()
    assert page.locator(".found li").count() == 10
    assert page.locator(".pages span").inner_text() == "page 2 of 2"
    assert page.get_by_role("button", name="next").is_disabled()


def test_an_opened_question_shows_passage_answers_and_n_best(show, report):
    page = explored(show, report)
    page.get_by_role("button", name="How high is tower 3?").click()
    detail = page.locator(".detail:visible")
    detail.locator(".passage").wait_for()
    assert "In Zürich 3 towers stand." in detail.locator(".passage").inner_text()
    assert detail.locator("mark.gold:not(.legend mark)").all_inner_texts() == ["103", " steps"]
    best = detail.locator("details").first.locator("li")
    assert best.all_inner_texts()[0].split() == ["103", "steps", "75.00", "%"]
    assert detail.locator("details").count() == 2
    assert detail.locator("details summary").all_inner_texts()[1] == (
        "run, openvino int8: 103 ✗ wrong, F1 66.67 %"
    )


def test_the_folder_is_asked_for_where_the_page_stands_alone(browser, report, tmp_path):
    alone = tmp_path / "report.html"
    alone.write_bytes(report.read_bytes())
    page = browser.new_page()
    page.goto(alone.as_uri() + "#questions")
    page.get_by_text("questions/index.js is not beside this page").wait_for()
    page.close()


def test_the_folder_of_another_report_is_refused(show, report, tmp_path):
    page_of_31 = tmp_path / "report.html"
    html = report.read_text(encoding="utf-8").replace('data-count="30"', 'data-count="31"')
    page_of_31.write_text(html, encoding="utf-8")
    (tmp_path / "questions").symlink_to(report.parent / "questions")
    page = show(page_of_31, fragment="#questions")
    page.get_by_text("holds the questions of another report").wait_for()


def test_texts_are_never_run(show, tmp_path):
    asked = {"id": EVIL, "question": EVIL, "answers": [{"text": EVIL, "answer_start": 0}]}
    dataset = dataset_of(tmp_path, [(EVIL, {"context": f"{EVIL} and so on", "qas": [asked]})])
    models = [answered(tmp_path, "run", "torch-fp32", {EVIL: EVIL})]
    page = explored(show, report_of(tmp_path, dataset, models, title=EVIL))
    page.locator(".found .question").click()
    page.locator(".detail .passage").wait_for()
    assert page.locator(".found .question").inner_text() == EVIL
    assert page.locator(".passage mark").first.inner_text() == EVIL
    assert page.locator("img").count() == 0
    assert page.evaluate(HELD)


def test_the_text_is_credited_with_its_licence(show, report):
    page = explored(show, report)
    credit = page.locator("#questions").inner_text()
    assert "Rajpurkar et al. 2016" in credit
    assert "CC BY-SA 4.0" in credit


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_fits_the_screen(show, report, scheme, width):
    page = explored(show, report, width=width, color_scheme=scheme)
    page.get_by_label("beside").select_option(label="run, openvino int8")
    page.get_by_role("button", name="How high is tower 3?").click()
    page.locator(".detail .passage").wait_for()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def real_or_made_up(folder):
    """SQuAD's 10,570 questions where they are at hand, else as many made-up ones."""
    real = Path(os.environ.get("SQUAD_DIR", "")) / "dev-v1.1.json"
    if os.environ.get("SQUAD_DIR") and real.is_file():
        return real
    paragraphs = []
    for n in range(2114):
        context = " ".join(f"word{(n * 7 + k) % 997}" for k in range(120))
        qas = [
            {
                "id": f"{n}-{k}",
                "question": f"What is question {k} on passage {n}?",
                "answers": [{"text": context[:20], "answer_start": 0}],
            }
            for k in range(5)
        ]
        paragraphs.append((f"Article_{n // 44}", {"context": context, "qas": qas}))
    return dataset_of(folder, paragraphs)


def test_it_opens_at_once_with_10570_questions(show, tmp_path):
    dataset = real_or_made_up(tmp_path)
    drawn = random.Random(0)
    read = json.loads(dataset.read_text(encoding="utf-8"))
    gold = {
        question["id"]: question["answers"][0]["text"]
        for article in read["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    assert len(gold) == 10570
    models = []
    for number in range(6):
        given = {id: text if drawn.random() < 0.8 else text[:-2] for id, text in gold.items()}
        models.append(answered(tmp_path, "run", f"torch-p{number}", given))
    report = report_of(tmp_path, dataset, models)
    assert report.stat().st_size < 1_000_000
    started = time.monotonic()
    page = show(report)
    opened = time.monotonic() - started
    page.evaluate("location.hash = '#questions'")
    page.locator("#explorer .found li").first.wait_for()
    ready = time.monotonic() - started
    search = "document.querySelector('#explorer input[type=search]')"
    page.evaluate(f"{search}.value = 'what is'")
    typed = page.evaluate(
        f"(() => {{ const t = performance.now(); {search}.dispatchEvent(new Event('input'));"
        " return performance.now() - t; })()"
    )
    print(f"opened {opened:.2f} s, explorer ready {ready:.2f} s, a search {typed:.0f} ms")
    assert "of 10,570 questions" in status(page)
    assert opened < 3
    assert ready < 10
    assert typed < 2000
