"""What a race found: which of it a plan takes, what is refused, and how it reads."""

import json
from pathlib import Path

import pytest

import fake_results
from bertsquad.console.errors import UserError
from bertsquad.planner.explored import as_text, read_explored
from bertsquad.planner.export import Run, describe_machine, describe_run, export
from made_cells import FinishedRun, cell
from made_race import race_data


@pytest.fixture
def run(tmp_path) -> FinishedRun:
    return FinishedRun(tmp_path)


def run_of(run: FinishedRun) -> Run:
    return Run("tiny", "made-up", run.features, run.model)


def written(run: FinishedRun, **changes) -> Path:
    """A file of a race of the run."""
    data = race_data(
        machine=describe_machine(fake_results.MACHINE, "machine.json"),
        described=describe_run(run_of(run)),
        cells=[cell(layout="2x1x1"), cell(layout="1x1x2", f1=12.0)],
    )
    path = run.machine.with_name("demo.json")
    path.write_text(json.dumps(data | changes))
    return path


def exported(run: FinishedRun, explored: Path, cells=None):
    return export(
        run.results.cells if cells is None else cells,
        runs={"demo": run_of(run)},
        metrics=run.results.metrics,
        comparisons=run.results.comparisons,
        machine=fake_results.MACHINE,
        source="machine.json",
        explored=[explored],
    )


def test_what_won_takes_the_place_of_a_cell_of_the_same_layout(run):
    found = exported(run, written(run))
    names = [(each["engine"], each["layout"], each["f1"]) for each in found["cells"]]
    assert names == [
        ("openvino", "1x1x2", 88.0),
        ("torch", "2x1x1", 88.0),
        ("torch", "1x1x2", 12.0),
    ]


def test_without_any_other_cell_there_is_a_file(run):
    assert len(exported(run, written(run), cells=[])["cells"]) == 2


def test_what_was_explored_elsewhere_or_with_another_model_is_refused(run):
    machine = describe_machine(fake_results.MACHINE, "machine.json")
    other = written(run, machine=machine | {"fingerprint": "0" * 16, "cpu": "Other 1"})
    with pytest.raises(UserError, match=r"explored on another machine \(Other 1, "):
        exported(run, other)
    described = describe_run(run_of(run))
    for key, word in (("weights_sha256", "weights"), ("questions", "questions")):
        path = written(run, described=described | {key: "another"})
        with pytest.raises(UserError, match=f"run demo was explored with another {word} than"):
            exported(run, path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": 7}'])
def test_another_file_is_one_line(tmp_path, text):
    path = tmp_path / "demo.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"not what this version's explore\.py writes"):
        read_explored(path)


def test_every_cell_has_its_number_and_why_it_was_dropped(run):
    lines = as_text(json.loads(written(run).read_text())).splitlines()
    assert lines[0] == "demo: 3 cells raced for 151 of 600 s: one is left"
    assert lines[1].startswith("questions/s with p99 within 130 ms;")
    first, second, third = (" ".join(line.split()) for line in lines[4:7])
    assert first == "torch bf16 2x1x1 41.5 40 43 3 70 s kept"
    assert second.endswith("1 10 s dropped after 10 s: at most 21/s, best at least 40")
    assert third == "openvino int8 1x1x2 - 0 0 s the processor has no int8"
    assert lines[-2:] == [
        "kept for the plan: torch bf16 2x1x1",
        "torch bf16 2x1x1 confirmed: as a server at 50 requests/s it had p99 118 ms of 1,012 "
        "requests (predicted 100 to 128), within the SLO of 130 ms",
    ]


def test_a_file_of_before_winners_were_confirmed_is_read_all_the_same():
    data = race_data()
    for name in ("history", "confirmed", "f1"):
        del data[name]
    assert as_text(data).splitlines()[-1] == "kept for the plan: torch bf16 2x1x1"
