"""divergence.py: one thing changed, and exactly that is named, nothing upstream."""

import pytest

from bertsquad.certificate.compare.divergence import divergences
from made_runs import EXAMPLE, OTHER, changed, side, step_of

TRAINED = "demo/model/model.safetensors"
PREDICTED = "demo/torch-fp32/predictions.json"
SCORED = "demo/torch-fp32/metrics.json"
LOG = "demo/training_log.jsonl"
STEPS = [step["id"] for step in EXAMPLE["steps"]]
AFTER_TRAINING = STEPS[3:]


def made_otherwise(certificate, *names):
    """Other bytes of these files, as they are, and as later steps read them."""
    for name in names:
        file = certificate["files"][name]
        file["sha256"] = OTHER
        if "exact_sha256" in file:
            file["exact_sha256"] = OTHER
        for step in certificate["steps"]:
            for kind in ("inputs", "outputs"):
                if name in step[kind]:
                    step[kind][name] = OTHER


def all_results(certificate):
    made_otherwise(certificate, TRAINED, LOG, PREDICTED, SCORED)


def found(change):
    return divergences(side("A"), side("B", changed(change)))


def seed(certificate):
    certificate["config"]["runs"]["demo"]["seed"] = 1
    step = step_of(certificate, "finetune/demo")
    step |= {"params": {"options": "--epochs 1.4 --seed 1"}, "params_sha256": OTHER}
    all_results(certificate)


def recorded_inputs(certificate, sha256):
    """As if a step had written config.json, with these bytes."""
    step = step_of(certificate, "finetune/demo") | {
        "id": "record_inputs",
        "rule": "record_inputs",
        "params": {},
        "params_sha256": "2" * 64,
        "inputs": {},
        "outputs": {"config.json": sha256},
    }
    certificate["steps"].insert(0, step)
    certificate["files"]["config.json"]["sha256"] = sha256
    certificate["files"]["config.json"]["exact_sha256"] = sha256


def one_key(certificate):
    certificate["config"]["benchmark"]["repeats"] = 3


def module(certificate):
    code = step_of(certificate, "finetune/demo")["code_sha256"]
    certificate["code"][OTHER] = certificate["code"].pop(code) | {
        "bertsquad/training/loop.py": OTHER
    }
    step_of(certificate, "finetune/demo")["code_sha256"] = OTHER
    all_results(certificate)


def package(certificate):
    certificate["environment"]["packages"]["torch"] = "2.12.1"
    all_results(certificate)


def flag(certificate):
    certificate["machines"]["zen4"]["flags"].remove("avx512_bf16")
    all_results(certificate)


def input_byte(certificate):
    certificate["inputs"]["demo-train.json"]["sha256"] = OTHER
    made_otherwise(certificate, "resources/downloads/demo-train.json")
    all_results(certificate)


@pytest.mark.parametrize(
    ("change", "kind", "what", "step", "values"),
    [
        (seed, "settings", "runs.demo.seed", "finetune/demo", (0, 1)),
        (one_key, "settings", "benchmark.repeats", None, (1, 3)),
        (module, "code", "bertsquad/training/loop.py", "finetune/demo", None),
        (package, "environment", "torch", "finetune/demo", ("2.13.0+cpu", "2.12.1")),
        (flag, "environment", "CPU flag avx512_bf16", "finetune/demo", ("yes", "no")),
        (input_byte, "inputs", "demo-train.json", "download/demo-train.json", None),
    ],
)
def test_one_change_is_named_and_nothing_upstream(change, kind, what, step, values):
    (only,) = found(change)
    assert (only.kind, only.what, only.step) == (kind, what, step)
    if values:
        assert (only.first, only.second) == values
    assert what in only.sentence


@pytest.mark.parametrize("change", [seed, module, package, flag])
def test_what_follows_is_listed_under_it(change):
    (only,) = found(change)
    assert only.downstream == AFTER_TRAINING
    assert only.files == [TRAINED, LOG]


def test_equal_runs_part_nowhere():
    assert divergences(side("A"), side("B")) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c["environment"]["packages"].update(torch="2.12.1"), "torch"),
        (lambda c: c["machines"]["zen4"]["flags"].append("amx_tile"), "CPU flag amx_tile"),
        (lambda c: c["environment"].update(container={"image_id": "sha256:1"}), "container"),
    ],
)
def test_another_environment_of_equal_results_is_still_named(change, what):
    (only,) = found(change)
    assert (only.kind, only.what, only.step) == ("environment", what, None)


def moved(certificate, **changes):
    """The second machine of both runs, and predictions made on it."""
    certificate["machines"]["other"] = EXAMPLE["machines"]["zen4"] | {"flags": ["avx2"], **changes}


def test_of_several_machines_those_that_ran_the_step_count():
    def there(certificate):
        moved(certificate)
        step_of(certificate, "predict/demo/torch/fp32")["machine"] = "other"
        made_otherwise(certificate, PREDICTED, SCORED)

    (only,) = divergences(side("A", changed(moved)), side("B", changed(there)))
    assert (only.kind, only.what) == ("environment", "CPU flag avx512_bf16")
    assert only.step == "predict/demo/torch/fp32"


def test_another_machine_that_ran_something_else_explains_nothing():
    def more(certificate):
        moved(certificate, flags=["avx2", "amx_tile"])
        made_otherwise(certificate, PREDICTED, SCORED)

    only = found(more)[0]
    assert (only.kind, only.what) == ("nondeterminism", PREDICTED)


def test_an_edited_module_of_equal_results_is_still_named():
    def comment(certificate):
        module(certificate)
        original = EXAMPLE["files"]
        certificate["files"] = original
        for step, before in zip(certificate["steps"], EXAMPLE["steps"], strict=True):
            step |= {"inputs": before["inputs"], "outputs": before["outputs"]}

    (only,) = found(comment)
    assert (only.kind, only.what, only.step) == (
        "code",
        "bertsquad/training/loop.py",
        "finetune/demo",
    )
    assert only.downstream == []


def test_a_module_of_several_steps_is_one_cause():
    def shared(certificate):
        for step in certificate["steps"]:
            before = step["code_sha256"]
            if before:
                new = before[::-1]
                modules = dict(EXAMPLE["code"][before])
                certificate["code"][new] = modules | {"bertsquad/__init__.py": OTHER}
                step["code_sha256"] = new

    (only,) = found(shared)
    assert (only.what, only.step) == ("bertsquad/__init__.py", "finetune/demo")
    assert only.downstream == AFTER_TRAINING


def test_other_bytes_of_the_same_make_are_nondeterminism():
    (only,) = found(lambda c: made_otherwise(c, PREDICTED, SCORED))
    assert (only.kind, only.what) == ("nondeterminism", PREDICTED)
    assert only.step == "predict/demo/torch/fp32"
    assert only.downstream == ["evaluate/demo/torch/fp32"]
    assert "same code, inputs and settings" in only.sentence


def test_a_file_that_changed_since_is_said_to_have():
    def flipped(certificate):
        step_of(certificate, "predict/demo/torch/fp32")["outputs"][PREDICTED] = OTHER
        certificate["files"][PREDICTED]["sha256"] = OTHER
        certificate["doubts"].append(
            {"kind": "changed-since", "what": "It changed.", "where": PREDICTED}
        )

    (only,) = found(flipped)
    assert (only.kind, only.what) == ("changed-since", PREDICTED)
    assert "is not what its step made (in B)" in only.sentence


def test_independent_causes_are_all_found_the_earlier_first():
    def two(certificate):
        module(certificate)
        step = step_of(certificate, "evaluate/demo/torch/fp32")
        step |= {"params": {"options": "--bootstrap-samples 1000 --seed 3"}, "params_sha256": OTHER}

    first, second = found(two)
    assert first.what == "bertsquad/training/loop.py"
    assert (second.kind, second.step) == ("settings", "evaluate/demo/torch/fp32")


def test_steps_of_one_run_follow_from_other_settings():
    def more(certificate):
        certificate["config"]["engines"]["torch"] = ["fp32", "bf16"]
        certificate["steps"].append(
            step_of(certificate, "evaluate/demo/torch/fp32")
            | {"id": "evaluate/demo/torch/bf16", "outputs": {}}
        )

    (only,) = found(more)
    assert (only.kind, only.what) == ("settings", "engines.torch")
    assert only.downstream == ["evaluate/demo/torch/bf16"]


def test_a_run_that_stopped_early_is_told():
    (only,) = found(lambda c: c["steps"].pop())
    assert only.kind == "missing"
    assert only.sentence == "benchmark_inference/demo/torch/fp32/offline/auto/all/1 in A only"


def test_a_certificate_without_steps_names_the_file():
    def bare(certificate):
        made_otherwise(certificate, PREDICTED)
        certificate["steps"] = []

    first, second = (side(label, changed(lambda c: c.update(steps=[]))) for label in "AB")
    assert divergences(first, second) == []
    (only,) = divergences(first, side("B", changed(bare)))
    assert (only.kind, only.what) == ("nondeterminism", PREDICTED)


def test_a_record_and_a_note_of_snakemake_are_compared_by_what_both_hold():
    def noted(certificate):
        for step in certificate["steps"]:
            step |= {"record": False, "params_sha256": OTHER}
            step["params"] = {"options": step["params"]["options"]} if step["params"] else {}
        certificate["environment"]["packages"] = {"torch": "2.13.0+cpu", "onednn": "3.12.0"}

    assert found(noted) == []


def test_a_file_that_lists_the_settings_is_no_cause_beside_them():
    def other_seed(certificate):
        seed(certificate)
        recorded_inputs(certificate, OTHER)

    before = side("A", changed(lambda certificate: recorded_inputs(certificate, "1" * 64)))
    (only,) = divergences(before, side("B", changed(other_seed)))
    assert (only.kind, only.what, only.step) == ("settings", "runs.demo.seed", "finetune/demo")
