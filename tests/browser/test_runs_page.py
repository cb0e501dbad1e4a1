"""The page of two runs compared, in a real browser: light, dark, narrow, and never run."""

import pytest

from bertsquad.certificate.compare.outcome import Rules, compare
from bertsquad.certificate.compare.page import render
from browser.axe import faults
from made_runs import EXAMPLE, changed, side
from made_runs import speed as cell

EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
FIVE = [100.0, 101.0, 99.0, 100.5, 99.5]


def cells(factor):
    one = cell([factor * each for each in FIVE])
    slow = cell(FIVE, other_cpus=[1.0] * 5)
    return {"demo/torch-fp32/offline/auto/all": one, "demo/torch-int8/offline/auto/all": slow}


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """Another seed, one slower cell, long and hostile names."""

    def change(certificate):
        certificate["config"]["runs"]["demo"]["seed"] = 1
        certificate["config"][EVIL] = EVIL * 3
        step = certificate["steps"][2]
        step |= {"params": {"options": "--epochs 1.4 --seed 1"}, "params_sha256": "0" * 64}
        name = "demo/model/model.safetensors"
        certificate["files"][name]["sha256"] = "1" * 64
        for each in certificate["steps"]:
            for kind in ("inputs", "outputs"):
                if name in each[kind]:
                    each[kind][name] = "1" * 64
        certificate["environment"]["packages"] |= {"torch": "2.12.1", "long" * 60: "1"}
        certificate["speeds"] = cells(0.8)

    outcome = compare(
        side("A", EXAMPLE | {"speeds": cells(1)}), side("B", changed(change)), Rules()
    )
    path = tmp_path_factory.mktemp("runs") / "compare.html"
    path.write_text(render(outcome), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_serious_accessibility_fault(show, page_of, scheme, width):
    page = show(page_of, width=width, color_scheme=scheme)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert faults(page) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_itself_never_scrolls_sideways(show, page_of, width):
    page = show(page_of, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_first_thing_read_is_whether_it_is_reproduced(show, page_of):
    first = show(page_of).locator("body").inner_text().splitlines()[0]
    assert first.startswith("Not reproduced: settings differ")


def test_hostile_names_are_never_run(show, page_of):
    page = show(page_of)
    assert page.evaluate("window.hacked === undefined")
    assert "<script>window.hacked" in page.locator("body").inner_text()
