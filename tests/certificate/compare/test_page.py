"""page.py: the comparison as one page; whatever a run is called is text, never markup."""

import pytest

from bertsquad.certificate.compare.outcome import Rules, compare
from bertsquad.certificate.compare.page import render
from fake_report import Page
from made_runs import EXAMPLE, changed, side, timed
from made_runs import speed as cell

EVIL = "<script>window.hacked = 1</script>"
FIVE = [100.0, 101.0, 99.0, 100.5, 99.5]


def of(change):
    return compare(side("A"), side("B", changed(change)), Rules())


def test_the_first_line_is_the_sentence():
    outcome = of(lambda c: c["config"]["runs"]["demo"].update(seed=1))
    page = Page(render(outcome))
    assert not page.broken
    body = page.text.partition("Two runs compared")[2]  # behind the title
    assert body.lstrip().startswith(outcome["sentence"])


def test_eight_questions_each_with_its_verdict():
    outcome = of(lambda c: None)
    text = Page(render(outcome)).text
    for answer in outcome["verdicts"].values():
        assert answer["verdict"] in text
        assert answer["evidence"][0] in text


def test_it_asks_for_nothing_else():
    loads = Page(render(of(lambda c: None))).loads
    assert [each for each in loads if not each.startswith("#")] == []


def test_the_chain_holds_the_step_and_what_follows():
    def other(certificate):
        step = certificate["steps"][2]
        step |= {"params": {"options": "--epochs 1.4 --seed 1"}, "params_sha256": "0" * 64}
        certificate["config"]["runs"]["demo"]["seed"] = 1
        for each in certificate["steps"]:
            for kind in ("inputs", "outputs"):
                if "demo/model/model.safetensors" in each[kind]:
                    each[kind]["demo/model/model.safetensors"] = "1" * 64
        certificate["files"]["demo/model/model.safetensors"]["sha256"] = "1" * 64

    text = Page(render(of(other))).text
    assert "First: settings finetune/demo: the setting runs.demo.seed differs, 0 / 1" in text
    assert "predict/demo/torch/fp32" in text


def test_many_causes_are_folded():
    def rewritten(certificate):
        step = certificate["steps"][2]
        modules = {f"bertsquad/module{n}.py": "0" * 64 for n in range(200)}
        certificate["code"]["0" * 64] = certificate["code"][step["code_sha256"]] | modules
        step["code_sha256"] = "0" * 64

    html = render(of(rewritten))
    assert html.count('<article class="parting">') == 6
    assert "194 more causes" in html


@pytest.fixture
def hostile():
    def change(certificate):
        certificate["config"][EVIL] = EVIL
        certificate["command"] = EVIL
        certificate["doubts"].append({"kind": "disturbed", "what": EVIL, "where": EVIL})
        certificate["environment"]["packages"][EVIL] = EVIL + "\x1b[31m"
        name = f"demo/{EVIL}\x07/metrics.json"
        certificate["files"][name] = {"sha256": "0" * 64, "bytes": 1, "class": "exact"}
        certificate["speeds"] = {f"{EVIL}/x": cell(FIVE)}

    a = side("A", EXAMPLE | {"speeds": {f"{EVIL}/x": cell(FIVE)}})
    return compare(a, side("B", changed(change)), Rules())


def test_hostile_text_is_text(hostile):
    html = render(hostile)
    page = Page(html)
    assert not page.broken
    assert "script" not in page.tags
    assert EVIL in page.text
    assert "\x1b" not in html
    assert "\x07" not in html


def test_cells_are_drawn_as_paired_dots():
    a = timed("A", demo_torch=cell(FIVE))
    b = timed("B", demo_torch=cell([0.8 * each for each in FIVE]))
    html = render(compare(a, b, Rules()))
    assert "<svg" in html
    assert "slower 0.800" in html


def test_runs_without_cells_have_no_figure():
    bare = EXAMPLE | {"speeds": {}}
    html = render(compare(side("A", bare), side("B", bare), Rules()))
    assert "<svg" not in html
    assert "no cell in both runs" in html


def test_the_same_comparison_is_the_same_page(hostile):
    assert render(hostile) == render(hostile)
