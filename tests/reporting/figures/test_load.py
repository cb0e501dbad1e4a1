"""Latency under load: a panel for each layout, p99 beside the twin's, the capacity, the limit."""

import xml.etree.ElementTree as ET

from bertsquad.reporting import style
from bertsquad.reporting.figures import load
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import Results, add_cell, cell
from reporting.summary.test_under_load import add, served


def summary_of(*paths):
    return Summary(tables.summarize([], list(paths), []))


def drawn(summary, folder) -> list[str]:
    with style.styled():
        style.save(load.draw(summary), folder / "figure.svg", load.TITLE)
    root = ET.fromstring((folder / "figure.svg").read_bytes())
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_panel_for_each_layout_with_its_runs(tmp_path):
    one = served("share0.5", arrivals={"kind": "poisson", "rate": 6.0, "share": 0.5})
    two = served("share0.7")
    other = served("share0.7", "auto")
    other["layout"] = {"instances": 1, "streams": 1, "threads": 2}
    paths = [add(tmp_path, one), add(tmp_path, two), add(tmp_path, other, "auto")]
    words = drawn(summary_of(*paths), tmp_path)
    assert {"torch fp32, 2x1x1", "torch fp32, 1x1x2", "requests a second"} <= set(words)
    with style.styled():
        figure = load.draw(summary_of(*paths))
    panel = next(a for a in figure.axes if a.get_title(loc="left") == "torch fp32, 2x1x1")
    twin = panel.lines[0]
    assert list(twin.get_xdata()) == [6.0, 8.4]
    assert list(twin.get_ydata()) == [512.5, 512.5]
    assert [12.0, 12.0] in [list(line.get_xdata()) for line in panel.lines]  # the capacity


def test_the_limit_is_drawn_where_there_is_one(tmp_path):
    slo = {"slo": {"ms": 300, "met": True}, "search": {"status": "confirmed", "rate": 9.0}}
    summary = summary_of(add(tmp_path, served("slo300", **slo)))
    lines = load.draw(summary).axes[0].lines
    assert [300.0, 300.0] in [list(line.get_ydata()) for line in lines]
    assert "Horizontal" in load.caption(summary)[1]


def test_without_a_server_it_says_so(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run-a", cell("torch", "fp32", "padded", 8, 100.0))
    assert drawn(summary_of(*results.cells), tmp_path) == ["Nothing was measured under load."]
