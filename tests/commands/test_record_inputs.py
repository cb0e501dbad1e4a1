"""record_inputs.py: the resolved configuration and every input's checksum."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/record_inputs.py"


def test_both_files_are_written(tmp_path: Path):
    (tmp_path / "dev.json").write_text("{}")
    command = [sys.executable, str(SCRIPT), "--config", '{"dataset": "squad-1.1"}']
    command += ["--catalogue", '{"dev.json": {"license": "CC-BY-SA-4.0"}}']
    command += ["--artifacts", "dev.json", "--config-output", "c.json", "--inputs-output", "i.json"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert json.loads((tmp_path / "c.json").read_text()) == {"dataset": "squad-1.1"}
    assert json.loads((tmp_path / "i.json").read_text())["dev.json"]["bytes"] == 2


def test_a_missing_input_is_one_line_and_status_2(tmp_path: Path):
    command = [sys.executable, str(SCRIPT), "--config", "{}", "--catalogue", '{"dev.json": {}}']
    command += ["--artifacts", "dev.json", "--config-output", "c.json", "--inputs-output", "i.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "record_inputs.py: error: dev.json: No such file or directory\n"
    assert not (tmp_path / "c.json").exists()
