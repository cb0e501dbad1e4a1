"""A waterfall in words, from its measurement to the page."""

from bertsquad.benchmark.waterfall import Factor
from bertsquad.reporting import style
from bertsquad.reporting.waterfall.chains import best_served, gate_of, shown
from bertsquad.reporting.waterfall.drawing import draw
from bertsquad.reporting.waterfall.words import as_json, as_text, change
from waterfalls import measured

NAMES = {"run": "demo", "engine": "torch", "precision": "bf16", "tokens": 18_000}
SERVED = {
    "search": {"status": "confirmed", "rate_confident": 256.5},
    "slo": {"ms": 100.0},
    "validity": {"verdict": "valid"},
}


def test_the_page_has_a_line_a_step_and_names_the_greatest_loss():
    page = as_text([shown(NAMES | measured(), {"passed": True}, [SERVED])]).splitlines()
    assert page[0] == (
        "demo torch bf16, 2 threads: 90 questions, 100 features of 180 tokens on average"
    )
    assert page[1].split() == ["peak", "of", "2", "cores,", "each", "alone", "1,000", "features/s"]
    assert page[4].startswith("  attention, glue, one thread")
    assert "−20 % (−20 to −20)" in page[4]
    assert "720 features/s  another engine" in page[4]
    assert page[10] == "  delivered: 208 questions/s, 21 % of the peak"
    assert page[11] == (
        "  the greatest loss: queueing, p99 within 100 ms; without it 2.00 times as many"
    )


def test_what_was_not_measured_says_why():
    refused = NAMES | {"refused": "this processor has no bf16 and would emulate it"}
    found = [shown(refused, None, [])]
    assert as_text(found) == (
        "demo torch bf16\n  no waterfall: this processor has no bf16 and would emulate it\n"
    )
    assert as_json(found)[0]["chain"] is None


def test_losses_gains_and_what_is_neither():
    assert change(Factor(0.452, 0.43, 0.48)) == "−55 % (−57 to −52)"
    assert change(Factor(1.2)) == "+20 %"
    assert change(Factor(0.9991)) == "0 %"


def test_of_a_server_the_best_confirmed_and_undisturbed_rate_counts():
    better = SERVED | {"search": {"status": "unconfirmed", "rate_confident": 400.0}}
    noisy = SERVED | {
        "search": {"status": "confirmed", "rate_confident": 500.0},
        "validity": {"verdict": "disturbed"},
    }
    assert best_served([better, SERVED, noisy, {"mode": "saturated"}]) == {
        "arrival_rate": 256.5,
        "slo_ms": 100.0,
    }
    assert best_served([]) is None


def test_words_of_the_gate():
    found = [gate_of(one) for one in (None, {"passed": True}, {"passed": False}, {"passed": None})]
    assert found == ["", "passed", "failed", "cannot tell"]


def test_the_figure_has_a_panel_for_each_chain_and_a_sentence_without_any():
    good = shown(NAMES | measured(), {"passed": True}, [])
    bad = shown(NAMES | {"refused": "why not"}, None, [])
    with style.styled():
        figure = draw([good, bad, good])
        assert len(figure.axes) == 2
        labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert labels[0] == "peak of 2 cores"
        assert labels[-1] == "windows of a question"
        assert "demo torch bf16: 416 questions/s, 42 % of the peak" in (
            figure.axes[0].get_title(loc="left")
        )
        assert draw([bad]) is not None
