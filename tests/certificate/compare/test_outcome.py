"""outcome.py: eight questions on two runs, and the exit status that follows."""

import shutil

import pytest

from bertsquad.certificate.compare.outcome import TITLES, Rules, compare
from bertsquad.certificate.compare.sides import opened
from bertsquad.console.errors import UserError
from bertsquad.files import read_json, write_json
from made_runs import EXACT, MODEL, OTHER, certify, changed, results, side, step_of, timed
from made_runs import speed as cell

VERDICTS = {
    "inputs": "same",
    "settings": "same",
    "code": "same",
    "environment": "same",
    "predictions": "bit-identical",
    "f1": "equal",
    "speed": "can't tell",
    "trust": "clean",
}


@pytest.fixture
def first(tmp_path):
    return results(tmp_path / "a/results")


def copied(first, tmp_path):
    return shutil.copytree(first, tmp_path / "b/results")


def found(first, second, **rules):
    with opened("A", first) as a, opened("B", second) as b:
        return compare(a, b, Rules(**rules))


def verdicts(outcome):
    return {name: each["verdict"] for name, each in outcome["verdicts"].items()}


def test_the_same_run_twice_is_reproduced(first, tmp_path):
    outcome = found(first, copied(first, tmp_path))
    assert verdicts(outcome) == VERDICTS
    assert outcome["exit"] == 0
    assert outcome["first_divergence"] is None
    assert outcome["a"]["chain_sha256"] == outcome["b"]["chain_sha256"]
    assert outcome["sentence"].startswith("Reproduced: 9 of 9 exact files equal; F1 equal")


def test_every_question_has_a_title_and_evidence(first, tmp_path):
    outcome = found(first, copied(first, tmp_path))
    assert list(outcome["verdicts"]) == list(TITLES)
    assert all(each["evidence"] for each in outcome["verdicts"].values())


@pytest.mark.parametrize("certified", [True, False], ids=["certified", "without certificate"])
@pytest.mark.parametrize("name", EXACT)
def test_a_flipped_byte_is_named(first, tmp_path, name, certified):
    second = copied(first, tmp_path)
    if not certified:
        for folder in (first, second):
            (folder / "certificate.json").unlink()
    content = bytearray((second / name).read_bytes())
    content[len(content) // 2] ^= 1
    (second / name).write_bytes(content)
    outcome = found(first, second)
    assert outcome["exit"] == 1
    divergence = outcome["first_divergence"]
    assert divergence["what"] == name
    assert divergence["kind"] == ("changed-since" if certified else "nondeterminism")
    assert outcome["files"]["differing"] == [name]
    assert name in outcome["sentence"]


def test_a_flipped_byte_of_times_is_not_compared(first, tmp_path):
    second = copied(first, tmp_path)
    cell_file = second / MODEL / "benchmark/offline/batchauto-threadsall-repeat1.json"
    write_json(cell_file, {"features_per_second": 1})
    assert found(first, second)["exit"] == 0


def other_torch(folder):
    made = read_json(folder / "certificate.json")
    made["environment"]["packages"]["torch"] = "2.12.1"
    write_json(folder / "certificate.json", made)


def test_rounding_on_another_machine_is_reproduced_where_f1_is(first, tmp_path):
    second = results(tmp_path / "b", noise=3e-5)
    other_torch(second)
    outcome = found(first, second)
    assert verdicts(outcome)["predictions"] == "within rounding"
    assert verdicts(outcome)["environment"] == "differ"
    assert outcome["exit"] == 0
    assert outcome["first_divergence"]["what"] == "torch"
    assert "logits differ by up to 3" in outcome["verdicts"]["predictions"]["evidence"][0]


def test_rounding_that_nothing_accounts_for_is_not(first, tmp_path):
    outcome = found(first, results(tmp_path / "b", noise=3e-5))
    assert verdicts(outcome)["predictions"] == "within rounding"
    assert outcome["exit"] == 1


def test_larger_differences_of_logits_are_no_rounding(first, tmp_path):
    outcome = found(first, results(tmp_path / "b", noise=0.5))
    assert verdicts(outcome)["predictions"] == "differ"


def test_another_f1_on_another_machine_differs(first, tmp_path):
    second = results(tmp_path / "b", wrong=range(40))
    other_torch(second)
    outcome = found(first, second)
    assert verdicts(outcome)["f1"] == "differs"
    assert outcome["exit"] == 1


def test_an_f1_that_cannot_be_told_is_three(first, tmp_path):
    second = results(tmp_path / "b", wrong=(0, 1, 3))
    other_torch(second)
    outcome = found(first, second)
    assert verdicts(outcome)["f1"] == "can't tell"
    assert outcome["exit"] == 3


def code_changed(certificate):
    step = step_of(certificate, "predict/demo/torch/fp32")
    modules = certificate["code"][step["code_sha256"]]
    certificate["code"][OTHER] = modules | {"bertsquad/answers/decoding.py": OTHER}
    step["code_sha256"] = OTHER


def of(change, **rules):
    return compare(side("A"), side("B", changed(change)), Rules(**rules))


def test_require_leaves_out_what_does_not_count():
    assert of(code_changed)["exit"] == 1
    assert of(code_changed, require=("inputs", "settings", "predictions", "f1"))["exit"] == 0


def test_code_of_a_dirty_tree_is_doubtful():
    outcome = of(lambda c: c["project"].update(dirty=["scripts/finetune.py"]))
    assert verdicts(outcome)["code"] == "doubtful"
    assert outcome["exit"] == 3


def test_code_edited_while_it_ran_is_doubtful():
    doubt = {"kind": "edited-while-running", "what": "loop.py changed.", "where": "finetune/demo"}
    assert verdicts(of(lambda c: c["doubts"].append(doubt)))["code"] == "doubtful"


def test_a_folder_without_git_has_no_doubtful_code():
    def crate(certificate):
        certificate["project"] |= {"commit": None, "note": "these files are not a git repository"}
        certificate["doubts"].append({"kind": "dirty-tree", "what": "No git.", "where": ""})

    assert verdicts(of(crate))["code"] == "same"


@pytest.mark.parametrize(
    ("key", "question"),
    [
        ("inputs", "inputs"),
        ("config", "settings"),
        ("environment", "environment"),
        ("doubts", "trust"),
        ("speeds", "speed"),
    ],
)
def test_what_another_version_lacks_cannot_be_told(key, question):
    def older(certificate):
        del certificate[key]
        if key == "inputs":
            for step in certificate["steps"]:
                step["inputs"] = {}

    assert verdicts(of(older))[question] == "can't tell"


def test_steps_of_another_version_may_lack_code_and_options():
    def older(certificate):
        for step in certificate["steps"]:
            for key in ("code_sha256", "params", "params_sha256", "machine", "record"):
                del step[key]

    outcome = of(older)
    assert verdicts(outcome)["code"] == "can't tell"
    assert outcome["exit"] == 3


def test_a_missing_input_is_missing():
    outcome = of(lambda c: c["inputs"].pop("demo-train.json"))
    assert verdicts(outcome)["inputs"] in ("same", "missing")  # the step's own checksum is there
    other = {"sha256": OTHER, "bytes": 1, "license": None, "url": None}
    assert verdicts(of(lambda c: c["inputs"].update({"more.json": other})))["inputs"] == "missing"


FIVE = [100.0, 101.0, 99.0, 100.5, 99.5]


def timed_runs(factor, **rules):
    a = timed("A", demo_torch=cell(FIVE))
    b = timed("B", demo_torch=cell([factor * each for each in FIVE]))
    return compare(a, b, Rules(**rules))


@pytest.mark.parametrize(
    ("factor", "verdict", "status"),
    [(0.8, "slower", 1), (1.0, "within band", 0), (1.2, "faster", 0)],
)
def test_a_slower_cell_is_no_reproduction(factor, verdict, status):
    outcome = timed_runs(factor)
    assert (verdicts(outcome)["speed"], outcome["exit"]) == (verdict, status)


def test_speed_left_out_does_not_count():
    outcome = timed_runs(0.8, require=("inputs", "predictions", "f1"))
    assert outcome["exit"] == 0
    assert "1 cell slower" in outcome["sentence"]


def test_speed_that_is_asked_for_must_be_known():
    assert of(lambda c: None)["exit"] == 0
    assert of(lambda c: None, require=("speed",), explicit=True)["exit"] == 3


def test_runs_with_nothing_in_common_are_refused():
    def another(certificate):
        certificate["steps"] = []
        certificate["files"] = {
            "other/x.json": {"sha256": OTHER, "bytes": 1, "class": "exact"},
        }

    with pytest.raises(UserError, match="nothing in common"):
        of(another)


def test_an_exact_file_of_one_run_only_is_told(first, tmp_path):
    second = copied(first, tmp_path)
    made = read_json(second / "certificate.json")
    del made["files"][f"{MODEL}/metrics.json"]
    write_json(second / "certificate.json", made)
    outcome = found(first, second)
    assert outcome["files"]["missing"] == [f"{MODEL}/metrics.json"]
    assert verdicts(outcome)["predictions"] == "can't tell"
    assert outcome["exit"] == 3


def test_a_setting_is_named_with_both_values(first, tmp_path):
    second = copied(first, tmp_path)
    config = read_json(second / "config.json")
    config["runs"]["demo"]["epochs"] = 2
    write_json(second / "config.json", config)
    certify(second)
    outcome = found(first, second)
    assert outcome["verdicts"]["settings"]["evidence"] == ["runs.demo.epochs: 1.4 / 2."]
    assert outcome["first_divergence"]["what"] == "runs.demo.epochs"
    assert outcome["exit"] == 1
