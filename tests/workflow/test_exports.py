"""`snakemake exports` and `snakemake verify_cells` on a finished run."""

import json

import pytest

from bertsquad.certificate.exports.table import EXPORTS

pytestmark = pytest.mark.slow


def test_exports_are_made_once_and_one_that_is_edited_alone(demo):
    done = demo.snakemake("exports", "--cores", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = demo.folder / "results/exports"
    assert sorted(path.name for path in folder.iterdir()) == sorted(EXPORTS)
    card = (folder / "model_card/demo-fp32/README.md").read_text()
    certificate = json.loads((demo.folder / "results/certificate.json").read_text())
    weights = certificate["files"]["demo-fp32/model/model.safetensors"]["sha256"]
    assert weights in card
    assert certificate["chain_sha256"] in card
    assert "> **A demo.**" in card
    assert len(list(folder.glob("mlperf/demo-fp32/*/*/*/mlperf_log_summary.txt"))) == 10
    assert demo.planned("exports") == {}
    assert demo.planned() == {}
    source = demo.folder / "scripts/bertsquad/certificate/exports/markdown.py"
    text = source.read_text()
    source.write_text(text + "# edited\n")
    assert demo.planned("exports") == {"export_results": 1, "exports": 1}
    source.write_text(text)


def test_cells_of_this_machine_are_measured_again(demo):
    done = demo.snakemake("export_cells", "--cores", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    cells = demo.folder / "their.json"
    cells.write_bytes((demo.folder / "results/cells.json").read_bytes())
    asked = ("verify_cells", "--cores", "all", "--config", "verify=their.json")
    done = demo.snakemake(*asked, "benchmark={quiet_seconds: 0}")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((demo.folder / "results/verified_cells.json").read_text())
    assert len(found["cells"]) == 3
    assert all(0.2 < row["ratio"]["value"] < 5 for row in found["cells"])
    assert found["here"] == json.loads(cells.read_text())["machine"]
    assert f"in all: {found['verdict']}" in done.stdout
    assert demo.planned() == {}
