"""One work from start to end, with our own processes and a tiny model."""

import json
import sys
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.peers import session
from bertsquad.peers.contenders import PADDED, REAL, TRAINING, Contender, Work, works
from bertsquad.peers.session import Bench, check_environments, compare, disagreeing, measure_work

SMALL = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
CONTEXT = " ".join(f"The leader of the year {year} was John Smith." for year in range(1850, 1900))


@pytest.fixture
def bench(tmp_path: Path, uncased_vocab: Path) -> Bench:
    answer = {"text": "John Smith", "answer_start": CONTEXT.index("John Smith")}
    questions = [
        {"id": str(n), "question": f"Who was the leader in {n}?", "answers": [answer]}
        for n in range(30)
    ]
    document = {
        "version": "1.1",
        "data": [{"title": "", "paragraphs": [{"context": CONTEXT, "qas": questions}]}],
    }
    dataset = tmp_path / "squad.json"
    dataset.write_text(json.dumps(document))
    return Bench(
        folder=tmp_path / "bench",
        squad={"dev-v1.1.json": dataset, "train-v1.1.json": dataset},
        vocab=uncased_vocab,
        rounds=2,
        turn_s=0.0,
        threads=1,
        shape=SMALL,
        python=lambda environment: Path(sys.executable),
    )


def torch_side(variant: str, form: str, precision: str = "fp32") -> Contender:
    return Contender("bertsquad torch", "ours", variant, precision, form, "", 1)


def test_inference_at_real_lengths_and_padded(bench: Bench):
    contenders = (torch_side("torch", REAL), torch_side("torch", PADDED))
    made = measure_work(Work("inference-fp32", "inference", "fp32", contenders), bench)
    assert {s["contender"]: s["features"] for s in made["samples"]} == {
        "ours-torch-fp32-real-layers1": 64,
        "ours-torch-fp32-padded-layers1": 8,
    }
    assert [sample["round"] for sample in made["samples"]] == [1, 1, 2, 2]
    assert all("left_out" not in contender for contender in made["contenders"].values())
    json.dumps(made)


def test_a_training_step_is_timed_and_its_loss_and_gradient_compared(bench: Bench):
    contenders = (torch_side(TRAINING, PADDED),)
    made = measure_work(Work("training-fp32", "training", "fp32", contenders), bench)
    [contender] = made["contenders"].values()
    assert contender["difference"] == 0.0
    assert [sample["features"] for sample in made["samples"]] == [4, 4]


def test_a_precision_that_would_be_emulated_is_left_out_with_the_reason(bench, monkeypatch):
    monkeypatch.setattr(session, "native", lambda precision: precision != "bf16")
    contenders = (torch_side("torch", REAL, "bf16"),)
    made = measure_work(Work("inference-bf16", "inference", "bf16", contenders), bench)
    [contender] = made["contenders"].values()
    assert contender["left_out"].startswith("this processor has no BF16 products")
    assert made["samples"] == []


def test_a_side_that_cannot_start_is_left_out_and_the_others_go_on(bench: Bench):
    contenders = (torch_side("torch", REAL), torch_side("no_such_engine", REAL))
    made = measure_work(Work("inference-fp32", "inference", "fp32", contenders), bench)
    assert (
        "no_such_engine" in made["contenders"]["ours-no_such_engine-fp32-real-layers1"]["left_out"]
    )
    assert len(made["samples"]) == 2


def test_numbers_are_compared_with_ours_of_the_same_form():
    ours, it = torch_side("torch", REAL), Contender("it", "openvino", "graph", "fp32", REAL, "", 1)
    facts = {"ours": {"check": [1.0, 2.0, 3.0]}, "it": {"check": [1.0, 2.0, 4.0]}}
    compare({"it": it, "ours": ours}, facts)
    assert facts["ours"]["difference"] == 0.0
    assert facts["it"]["difference"] == pytest.approx(1 / 2**0.5)


def test_a_missing_environment_says_what_makes_it(bench: Bench):
    bench.python = lambda environment: Path(f"/nowhere/{environment}/bin/python")
    with pytest.raises(UserError, match="no such file; `make bench` makes the environments"):
        check_environments(works(), bench)


def test_every_side_has_a_name_of_its_own_in_its_work():
    for work in works():
        names = [contender.name for contender in work.contenders]
        assert len(set(names)) == len(names)


def test_settings_that_decide_whether_a_work_is_kept_can_be_written_and_read(bench: Bench):
    for work in works():
        settings = bench.settings(work)
        assert json.loads(json.dumps(settings)) == settings


def test_a_side_is_left_out_where_it_differs_by_more_than_the_coarser_precision_explains():
    facts = {
        "a": {"precision": "fp32", "difference": 0.02},
        "b": {"precision": "int8", "difference": None},
    }
    assert disagreeing(facts, "int8") == {"b": "it gives another number of logits"}
    assert disagreeing(facts, "fp32")["a"].startswith("its numbers are 0.02 of their spread away")
