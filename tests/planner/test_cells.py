"""cells.json is read as it was written, and refused in one line where it does not fit."""

import json

import numpy as np
import pytest

from bertsquad.console.errors import UserError
from bertsquad.planner.cells import as_text, check, check_alike, read
from made_cells import cell, cells_data, cells_file


def test_what_is_written_is_what_is_read(tmp_path):
    path = cells_file(tmp_path / "cells.json", cells=[cell(layout="2x3x1")])
    found = read(path)
    assert (found.cpu, found.cores, found.memory_mib) == ("Example Processor 9000", 2, 8192.0)
    assert found.cells[0].name == "demo torch fp32 2x3x1"
    assert found.cells[0].lanes == 6
    assert len(found.cells[0].services.seconds) == 400
    assert found.questions("demo").windows == 100 / 80
    assert found.questions("demo").lengths.tolist() == [100, 300]


def test_the_text_is_json_with_a_line_for_each_cell():
    data = cells_data(cells=[cell(), cell("openvino")])
    text = as_text(data)
    assert json.loads(text) == data
    assert sum(line.startswith('{"disturbed_by"') for line in text.splitlines()) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(schema=2), "schema 2, expected 1; make it again"),
        (lambda data: data.pop("schema"), "not a cells.json"),
        (lambda data: data.update(cells=[]), "cells: "),
        (lambda data: data["cells"][0].update(run="other"), "run 'other' is not among `runs`"),
        (lambda data: data["cells"][0]["lengths"].pop(), "399 lengths for 400 services"),
        (lambda data: data["cells"][0].update(service_ms=[0.0] * 400), "cells.0.service_ms.399"),
        (lambda data: data["cells"][0].update(service_ms=[5e-324] * 400), "cells.0.service_ms.399"),
        (
            lambda data: data["cells"][0].update(service_ms=[10**400] * 400),
            "cells.0.service_ms.399",
        ),
        (lambda data: data["cells"][0].update(lengths=[10**30] * 400), "cells.0.lengths.399"),
        (lambda data: data["cells"][0].update(layout="2"), "cells.0.layout"),
        (lambda data: data["cells"][0].update(layout="99999x1x1"), "cells.0.layout"),
        (lambda data: data["cells"][0].update(f1=-1.0), "cells.0.f1"),
        (
            lambda data: data["cells"].append(data["cells"][0]),
            "cells.1: demo torch fp32 1x1x2 a second time, expected one cell of each",
        ),
        (
            lambda data: data["runs"]["demo"]["questions"].update(questions=101),
            "runs.demo: 101 questions with 100 features, expected at least one each",
        ),
        (lambda data: data["machine"].pop("cores"), "machine: missing key 'cores'"),
        (
            lambda data: data["runs"]["demo"]["questions"].update(features=3),
            "runs.demo: the lengths are not those of all features",
        ),
    ],
)
def test_what_is_no_cells_file_is_refused_in_one_line(change, message):
    data = cells_data()
    change(data)
    with pytest.raises(UserError) as error:
        check(data, "cells.json")
    assert str(error.value).startswith("cells.json: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_machines_with_the_same_model_and_questions_go_together(tmp_path):
    first = read(cells_file(tmp_path / "a.json"))
    check_alike(first, read(cells_file(tmp_path / "b.json", cpu="Another", cores=64)))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"layers": 24}, "another model .*num_hidden_layers 24, not 12"),
        ({"lengths": ((100, 60), (301, 40))}, "other questions"),
    ],
)
def test_another_model_and_other_questions_do_not(tmp_path, other, message):
    first = read(cells_file(tmp_path / "a.json"))
    with pytest.raises(UserError, match=message):
        check_alike(first, read(cells_file(tmp_path / "b.json", **other)))


def test_neither_do_machines_that_measured_different_runs(tmp_path):
    data = cells_data()
    data["runs"]["large"] = data["runs"].pop("demo")
    data["cells"][0]["run"] = "large"
    (tmp_path / "b.json").write_text(json.dumps(data))
    first = read(cells_file(tmp_path / "a.json"))
    with pytest.raises(UserError, match="measure the same run on both machines"):
        check_alike(first, read(tmp_path / "b.json"))


def test_services_at_load_are_longer_and_know_how_processes_differ(tmp_path):
    cells = [cell(inflation=1.2, processes=[0.95, 1.05]), cell("openvino", processes=[1.0, 1.0])]
    loaded, other = read(cells_file(tmp_path / "cells.json", cells=cells)).cells
    np.testing.assert_allclose(loaded.at_load.seconds, 1.2 * loaded.services.seconds)
    np.testing.assert_allclose(other.at_load.seconds, other.services.seconds)
    assert loaded.at_load.spread == other.at_load.spread  # of all cells of the machine
    assert loaded.spread.freedom == 2
    assert loaded.spread.sd == pytest.approx(0.05, rel=0.01)


def test_cells_without_servers_or_repeats_are_as_they_were_measured(tmp_path):
    (only,) = read(cells_file(tmp_path / "cells.json", cells=[cell(inflation=None)])).cells
    np.testing.assert_allclose(only.at_load.seconds, only.services.seconds)
    assert only.spread.freedom == 0
