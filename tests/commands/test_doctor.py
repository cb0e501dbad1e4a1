"""doctor.py prints a page about this machine and the experiment, and makes nothing."""

import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.dry_run import planned_time
from bertsquad.machine import cores
from bertsquad.machine.cores import Cores
from doctor import (
    configured,
    missing_packages,
    spelled_out,
    training,
    training_places,
    wants_colour,
)


def run(root, folder, *arguments, **environment):
    command = [sys.executable, str(root / "scripts/doctor.py"), *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"COLUMNS": "80"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_page_of_80_columns_and_no_file(pytestconfig, tmp_path):
    done = run(pytestconfig.rootpath, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "This machine"
    headings = [line for line in lines if line and not line.startswith(" ")]
    for heading in ("Computes natively", "Defaults", "The experiment", "Verdict"):
        assert heading in headings
    assert "The bertsquad demo" in done.stdout
    assert lines[-1].startswith("  A run is possible")
    assert max(map(len, lines)) <= 80
    assert "\033" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_offline_without_the_files_a_run_is_impossible(pytestconfig, tmp_path):
    config = (pytestconfig.rootpath / "config/minilm.yaml").read_text() + "\noffline: true\n"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(config)
    done = run(pytestconfig.rootpath, tmp_path)
    assert done.returncode == 1
    assert "STOP  Offline, and 6 of the files needed are not here" in done.stdout
    assert done.stdout.splitlines()[-1] == "  A run is not possible here."


def test_the_time_is_that_of_a_dry_run(pytestconfig, tmp_path):
    shutil.copy(pytestconfig.rootpath / "config/config.yaml", tmp_path / "my.yaml")
    done = run(pytestconfig.rootpath, tmp_path, "--configfile", "my.yaml")
    snakefile = pytestconfig.rootpath / "Snakefile"
    planned = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "-n", "-q", "--snakefile", snakefile),
            *("--configfile", "my.yaml"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (head,) = re.findall(r"^bertsquad: (\S+ steps to do, .*)$", planned.stderr, re.M)
    assert f" time {head}; " in " ".join(done.stdout.split())


def test_where_nothing_can_be_planned_no_time_is_known(pytestconfig, tmp_path):
    (tmp_path / "my.yaml").write_text("checkpoit: minilm\n")
    with planned_time(pytestconfig.rootpath / "Snakefile", tmp_path / "my.yaml") as words:
        assert words() == "unknown, since no run can be planned: `snakemake -n` says why"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "my.yaml: empty; expected keys such as checkpoint"),
        ("[1]", "my.yaml: a list at the top level; expected keys"),
        ("a: [", "my.yaml: not valid YAML: line 1, column 5: "),
    ],
)
def test_what_is_no_configuration_is_an_obstacle(tmp_path, text, said):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=re.escape(said)):
        configured(None, path)


def test_a_mistake_in_the_config_does_not_hide_the_machine(pytestconfig, tmp_path):
    (tmp_path / "my.yaml").write_text("checkpoit: minilm\n")
    done = run(pytestconfig.rootpath, tmp_path, "--configfile", "my.yaml")
    assert done.returncode == 1
    assert done.stdout.startswith("This machine\n")
    assert "STOP  The configuration cannot be read: my.yaml: " in done.stdout


def test_on_a_terminal_it_has_colours_unless_the_user_says_no(pytestconfig, tmp_path):
    for no_color, coloured in (("", True), ("1", False)):
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, str(pytestconfig.rootpath / "scripts/doctor.py")],
            cwd=tmp_path,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": no_color},
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        text = b""
        while chunk := read(ours):
            text += chunk
        os.close(ours)
        assert child.wait() == 0
        assert (b"\033[1mThis machine\033[0m" in text) is coloured


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


class Terminal:
    def __init__(self, is_one):
        self.isatty = lambda: is_one


@pytest.mark.parametrize(
    ("is_terminal", "environment", "colour"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_colour_is_wanted_on_a_terminal_alone(is_terminal, environment, colour):
    assert wants_colour(Terminal(is_terminal), environment) is colour


def test_packages_that_are_missing_are_named(tmp_path):
    (tmp_path / "requirements.txt").write_text("# all\nnumpy==1.0 # why\nno-such-package==2\n\n")
    assert missing_packages(tmp_path / "requirements.txt") == ["no-such-package"]
    assert missing_packages(tmp_path / "nothing.txt") == []


def test_training_is_said_to_run_as_it_will(monkeypatch):
    found = Cores(range(8), numa_nodes={0: [0, 1, 2, 3], 1: [4, 5, 6, 7]}, memory_nodes=[0, 1])
    monkeypatch.setattr(cores, "read_cores", lambda: found)
    two = "2 processes, 4 threads each, on 0-3 | 4-7"
    assert training(training_places({}), []) == two
    one = training_places({"processes": 1})
    assert training(one, []) == "1 process, with the default threads"
    assert training(one, ["a", "b"]).endswith("threads, on each of a, b")


def test_paths_are_spelled_out_as_snakemake_does():
    pathvars = {"results": "out", "resources": "<results>/resources"}
    assert spelled_out("<resources>/downloads", pathvars) == "out/resources/downloads"
