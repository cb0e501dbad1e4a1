"""The report in a real browser: as it opens, in the dark, on a telephone, on paper."""

import pytest

from bertsquad.planner.explored import Explored
from browser.axe import faults
from fake_report import draw, render
from fake_results import config, demo, engines
from made_race import race_data

DARK = "rgb(21, 25, 29)"  # the palette's dark ground


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a demo with figures and a race of layouts."""
    folder = tmp_path_factory.mktemp("report")
    path = folder / "report.html"
    race = Explored("results/explore/demo.json", race_data())
    html = render(demo(folder), figures=draw(demo(folder), folder), explored=[race])
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def engines_report(tmp_path_factory):
    """Three engines, of which some fail, some are emulated and some are not run."""
    folder = tmp_path_factory.mktemp("engines")
    results = engines(folder, bf16=False)
    settings = config(demo=False, runs=("guide",))
    html = render(results, figures=draw(results, folder), settings=settings)
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_serious_accessibility_fault(show, report, engines_report, scheme, width):
    for path in (report, engines_report):
        page = show(path, width=width, color_scheme=scheme)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert faults(page) == []


def test_a_dark_screen_gets_a_dark_page(show, report):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert show(report, color_scheme="dark").evaluate(ground) == DARK
    assert show(report, color_scheme="light").evaluate(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_the_page_itself_never_scrolls_sideways(show, engines_report, width):
    page = show(engines_report, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 1280])
def test_a_race_of_layouts_is_a_section_that_the_contents_lead_to(show, report, width):
    page = show(report, width=width)
    page.get_by_role("link", name="Which layout").click()
    section = page.locator("#explored")
    assert section.get_by_role("heading", name="Which layout").is_visible()
    assert section.locator("table").count() == 2
    first = section.locator("tbody tr").first.locator("td")
    assert first.first.inner_text() == "torch bf16 2x1x1"
    assert first.last.inner_text() == "kept for the plan"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_it_round(show, report):
    page = show(report)
    table = page.locator("#accuracy table")
    scores = table.locator("tbody tr td:nth-child(3)")  # exact match
    assert scores.first.inner_text() == "85.20"
    heading = table.get_by_role("button", name="exact match")
    heading.click()
    assert [float(each) for each in scores.all_inner_texts()] == [0.4, 85.0, 85.2, 85.8, 86.0]
    heading.click()
    assert [float(each) for each in scores.all_inner_texts()] == [86.0, 85.8, 85.2, 85.0, 0.4]


def test_a_table_shows_the_rows_that_hold_all_words(show, engines_report):
    page = show(engines_report)
    box = page.locator("#cells").get_by_role("searchbox")
    box.fill("openvino INT8 padded")
    shown = page.locator("#cells tbody tr:visible")
    assert shown.count() == 3
    assert all("openvino" in row and "int8" in row for row in shown.all_inner_texts())
    assert "3 of 56 rows" in page.locator("#cells").inner_text()
    box.fill("")
    assert shown.count() == 56


def test_tables_use_the_screen_and_say_where_they_scroll(show, engines_report):
    wide = show(engines_report, width=1920)
    cells = wide.locator("#cells .scroll")
    assert cells.evaluate("(each) => each.scrollWidth <= each.clientWidth + 1")
    assert wide.locator(".hint:visible").count() == 0
    assert cells.bounding_box()["width"] > wide.locator("main").bounding_box()["width"]
    narrow = show(engines_report, width=500)
    assert "scrolls sideways" in narrow.locator("#cells .hint").inner_text()
    assert narrow.locator("#cells .scroll").get_attribute("tabindex") == "0"
    narrow.set_viewport_size({"width": 1920, "height": 900})
    narrow.locator("#cells .hint").wait_for(state="hidden")
    assert narrow.locator("#cells .scroll").get_attribute("tabindex") is None


def test_the_machine_is_read_without_its_raw_keys(show, report):
    page = show(report)
    assert "Example Processor 9000" in page.locator("#machine").inner_text()
    assert not page.get_by_text("CPU caches L1d").is_visible()
    page.get_by_text("Every key of machine.json").click()
    assert page.get_by_text("CPU caches L1d").is_visible()


@pytest.mark.parametrize("background", [True, False])
def test_on_paper_everything_is_unfolded_and_less_than_2_mb(show, engines_report, background):
    page = show(engines_report, color_scheme="dark")
    paper = page.pdf(format="A4", print_background=background)
    assert paper.startswith(b"%PDF")
    assert len(paper) < 2_000_000
    assert page.evaluate("[...document.querySelectorAll('details')].every((each) => each.open)")
    page.emulate_media(media="print")
    ground = "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"
    assert page.evaluate(ground) == "#ffffff"
