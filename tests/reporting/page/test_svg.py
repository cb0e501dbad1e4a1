"""A figure inside a page: its ids are its own, its colours are the page's."""

import re

import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting import style
from bertsquad.reporting.figures import throughput
from bertsquad.reporting.page import svg
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import demo


@pytest.fixture(scope="module")
def figure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figure")
    results = demo(folder)
    summary = tables.summarize(results.metrics, results.cells, results.logs)
    with style.styled():
        facts = {"section": "speed", "rank": "2", "alt": "features & seconds"}
        facts |= {"headline": "Speed.", "text": 'Up is "better".'}
        drawing = throughput.draw(Summary(summary))
        style.save(drawing, folder / "throughput.svg", "x", facts)
    return folder / "throughput.svg"


def test_it_is_one_labelled_image_that_scales(figure):
    markup = svg.inline(figure).svg
    opening = markup[: markup.index(">")]
    assert opening.startswith("<svg ")
    assert 'role="img"' in opening
    assert 'aria-label="features &amp; seconds"' in opening
    assert "viewBox" in opening
    assert "width" not in opening


def test_it_knows_its_place_and_its_caption(figure):
    found = svg.inline(figure)
    assert (found.section, found.rank) == ("speed", 2)
    assert (found.headline, found.text) == ("Speed.", 'Up is "better".')
    assert "data-" not in found.svg


def test_references_stay_inside_the_figure(figure):
    markup = svg.inline(figure).svg
    ids = re.findall(r' id="([^"]+)"', markup)
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', markup)
    assert set(targets) == set(ids)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("throughput-") for name in ids)


def test_colours_follow_the_page(figure):
    markup = svg.inline(figure).svg
    assert "var(--c-1d4e89)" in markup
    assert not re.search(r"(?:fill|stroke): #", markup)


def test_the_ground_of_a_hatch_follows_the_page_too(tmp_path):
    path = tmp_path / "hatched.svg"
    pattern = '<pattern id="h"><rect width="7" height="7" fill="#ffffff"/></pattern>'
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{pattern}</svg>')
    assert 'style="fill: var(--c-ffffff)"' in svg.inline(path).svg


def test_nothing_points_outside(figure):
    markup = svg.inline(figure).svg
    assert "http" not in markup
    assert "<style" not in markup
    assert "font-family" not in markup


def test_what_is_no_svg_is_named(tmp_path):
    (tmp_path / "bad.svg").write_text("<svg")
    with pytest.raises(UserError, match=r"bad\.svg: not an SVG figure"):
        svg.inline(tmp_path / "bad.svg")
    with pytest.raises(UserError, match="no such file"):
        svg.inline(tmp_path / "none.svg")
