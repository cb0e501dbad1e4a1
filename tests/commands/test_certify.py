"""certify.py writes the certificate of a results folder and prints it in words."""

import json
import subprocess
import sys

from made_run import made_run
from project import ROOT

ORIGIN = {"version": "0.1.0", "commit": "6" * 40, "changed": [], "unknown": ""}


def certify(folder, *options):
    command = [sys.executable, ROOT / "scripts/certify.py", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def whole(folder, *options):
    return certify(
        folder,
        *("--results", "results", "--output", "results/certificate.json"),
        *("--origin", json.dumps(ORIGIN), *options),
    )


def test_the_certificate_is_written_and_printed(tmp_path):
    made_run(tmp_path)
    done = whole(tmp_path, "--files", "results/summary.csv", "--text", "results/certificate.txt")
    assert done.returncode == 0, done.stderr
    chain = json.loads((tmp_path / "results/certificate.json").read_text())["chain_sha256"]
    assert done.stdout.splitlines() == [
        "Certified: 9 steps, 30 files, commit 666666666666; no doubts; "
        f"chain {chain[:4]} {chain[4:8]}.",
        f"  chain {chain}",
    ]
    assert (tmp_path / "results/certificate.txt").read_text() == done.stdout


def test_the_same_results_give_the_same_bytes(tmp_path):
    made_run(tmp_path)
    contents = []
    for _ in range(2):
        assert whole(tmp_path, "--files", "results/summary.csv").returncode == 0
        contents.append((tmp_path / "results/certificate.json").read_bytes())
    assert contents[0] == contents[1]


def test_an_absolute_folder_has_the_same_number(tmp_path):
    made_run(tmp_path / "a")
    assert whole(tmp_path / "a").returncode == 0
    done = certify(
        tmp_path,
        *("--results", f"{tmp_path}/a/results", "--scripts", f"{tmp_path}/a/scripts"),
        *("--output", "b.json", "--origin", json.dumps(ORIGIN)),
    )
    assert done.returncode == 0, done.stderr
    first = json.loads((tmp_path / "a/results/certificate.json").read_text())
    assert json.loads((tmp_path / "b.json").read_text())["chain_sha256"] == first["chain_sha256"]


def test_an_empty_folder_is_one_line_and_no_file(tmp_path):
    (tmp_path / "results").mkdir()
    done = whole(tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "certify.py: error: results: no results; run the workflow first: snakemake --cores all\n"
    )
    assert list((tmp_path / "results").iterdir()) == []


def test_an_origin_that_is_none_is_one_line(tmp_path):
    done = certify(tmp_path, "--results", "r", "--output", "c.json", "--origin", "[]")
    assert done.returncode == 2
    assert "not an origin as JSON" in done.stderr.splitlines()[-1]
