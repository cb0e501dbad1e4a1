"""envs/install.py: the environment's command is that of the checkout around it."""

import runpy
import subprocess
import sys
import tomllib

from project import ROOT

INSTALL = runpy.run_path(str(ROOT / "envs/install.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_command_is_that_of_the_checkout(tmp_path):
    checkout, elsewhere = tmp_path / "a checkout", tmp_path / "elsewhere"
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / "scripts").symlink_to(ROOT / "scripts")
    python = checkout / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    INSTALL["put_command"](checkout / ".venv")
    elsewhere.mkdir()
    (elsewhere / "numpy.py").write_text("raise SystemExit('not mine')\n")
    command = checkout / ".venv/bin/bertsquad"
    done = subprocess.run([command, "--version"], cwd=elsewhere, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"bertsquad {PROJECT['version']}\n", "")
    done = subprocess.run([command, "ask", "--help"], cwd=elsewhere, capture_output=True, text=True)
    assert done.stdout.startswith("usage: bertsquad ask "), done.stderr


def test_an_environment_of_no_checkout_has_none(tmp_path):
    (tmp_path / "venv/bin").mkdir(parents=True)
    INSTALL["put_command"](tmp_path / "venv")
    assert list((tmp_path / "venv/bin").iterdir()) == []


def test_its_python_imports_the_package(tmp_path):
    checkout, packages = tmp_path / "checkout", tmp_path / "checkout/.venv/lib/python3.11"
    (checkout / "scripts/bertsquad").mkdir(parents=True)
    (checkout / ".venv/bin").mkdir(parents=True)
    (packages / "site-packages").mkdir(parents=True)
    INSTALL["put_command"](checkout / ".venv")
    found = (packages / "site-packages/bertsquad.pth").read_text()
    assert found == f"{checkout / 'scripts'}\n"
