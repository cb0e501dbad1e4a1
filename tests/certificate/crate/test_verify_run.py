"""Steps that fit together: what each used was made before it, or is a declared source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertsquad.certificate.crate.verify_run import (
    check_chain,
    check_code,
    check_settings,
    check_steps,
)
from bertsquad.console.errors import UserError
from fake_run import DEV, MODEL, Run, certificate, make_run

Certificate = dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def made(run: Run) -> Certificate:
    return certificate(run.results, run.repository)


def test_an_honest_certificate_passes(made: Certificate):
    assert check_steps(made, "c") == "steps: 5, each on what earlier ones made or on 2 sources"
    assert check_chain(made, "c").startswith("chain: ")


def step(made: Certificate, rule: str) -> Any:
    return next(each for each in made["steps"] if each["rule"] == rule)


def swap(made: Certificate) -> None:
    steps = made["steps"]
    steps[1], steps[2] = steps[2], steps[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap, "used small/model/model.safetensors before it was made"),
        (lambda c: c["steps"].append(c["steps"][0]), "download/dev-v1.1.json is there twice"),
        (
            lambda c: step(c, "predict")["inputs"].update({DEV: "0" * 64}),
            rf"used {DEV} with sha256 000000000000…, and it was made with",
        ),
        (
            lambda c: step(c, "predict")["inputs"].update({"outside/x.json": "0" * 64}),
            "used outside/x.json, which no step made and which is no declared source",
        ),
        (
            lambda c: step(c, "predict")["outputs"].update({f"{MODEL}/predictions.json": "0" * 64}),
            "made small/torch-fp32/predictions.json with sha256 000000000000…, and the file",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    made: Certificate, change: Callable[[Certificate], object], said: str
):
    change(made)
    with pytest.raises(UserError, match=said):
        check_steps(made, "c")


def test_what_the_certificate_doubts_itself_is_told_and_no_forgery(made: Certificate):
    step(made, "predict")["inputs"]["outside/x.json"] = "0" * 64
    made["doubts"] = [{"kind": "untracked-input", "what": "w", "where": "predict/small/torch/fp32"}]
    assert check_steps(made, "c").endswith("; 1 inputs are doubtful, as it says")


def test_code_is_what_its_number_says(made: Certificate, run: Run):
    hashes = {
        f"code/scripts/{name}": digest for m in made["code"].values() for name, digest in m.items()
    }
    assert check_code(made, hashes, "c") == "code: 6 of 6 modules that ran are here as they ran"
    edited = hashes | {"code/scripts/report.py": "0" * 64}
    assert check_code(made, edited, "c").endswith(
        "5 of 6 modules that ran are here as they ran; not report.py"
    )
    next(iter(made["code"].values()))["more.py"] = "0" * 64
    with pytest.raises(UserError, match="is not what it lists"):
        check_code(made, hashes, "c")


def test_a_step_without_its_code_is_refused(made: Certificate):
    del made["code"][step(made, "finetune")["code_sha256"]]
    with pytest.raises(UserError, match="nothing tells the code of finetune/small"):
        check_code(made, {}, "c")


def test_other_settings_than_the_results_are_refused(made: Certificate, tmp_path: Path):
    hashes = {"results/config.json": "0" * 64}
    assert check_settings(made, hashes, lambda _: made["config"], "c").startswith("settings: 4")
    with pytest.raises(UserError, match=r"its config is not that of results/config\.json"):
        check_settings(made, hashes, lambda _: {"seed": 8}, "c")
    told = check_settings(made, {"constraints.txt": "0" * 64}, lambda _: {}, "c")
    assert told.endswith("constraints.txt is another than at the run")


def test_a_step_that_tracks_no_code_is_no_forgery(made: Certificate):
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    step(made, "finetune")["code_sha256"] = nothing
    check_code(made, {}, "c")
