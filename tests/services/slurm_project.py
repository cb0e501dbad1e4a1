"""A project whose profiles/slurm is that of the Slurm of the tests."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from project import Project
from services.slurm import Slurm
from services.small_run import small_project

CONFIG = ("--configfile", "small.yaml")
PROFILE = ("--workflow-profile", "profiles/slurm")
SNAKEMAKE = (sys.executable, str(Path(__file__).with_name("watchful_snakemake.py")))
SITE = {"slurm_partition": "cpu", "mem_mb": 500, "runtime": 10}
# What was made of the model; without this a copy of a finished run has its model alone.
MADE_OF_THE_MODEL = ("torch-fp32", "torch-bf16")


def for_this_site(profile: Path, **changes: object) -> None:
    """The user's two lines, no accounting, and the patience of a test."""
    settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
    settings["default-resources"] = SITE
    settings |= {"slurm-status-command": "squeue", "latency-wait": 10}
    settings |= {"slurm-init-seconds-before-status-checks": 1, "seconds-between-status-checks": 1}
    settings |= {"set-threads": {"featurize": 2}, **changes}
    profile.write_text(yaml.safe_dump(settings), encoding="utf-8")


def project_for_slurm(folder: Path, **changes: object) -> Project:
    small_project(folder)
    for_this_site(folder / "profiles/slurm/config.yaml", **changes)
    return Project(folder, SNAKEMAKE)


def untrained(
    done: Project, folder: Path, config: dict | None = None, **changes: object
) -> Project:
    """As a finished local run left it, without its model and what is made of that; the keys of
    `config` are changed, and a run's under "small"."""
    project = finished(done, folder, config, **changes)
    shutil.rmtree(folder / "results/small")
    return project


def trained(done: Project, folder: Path, config: dict | None = None, **changes: object) -> Project:
    """The same with its model, and without what is made of that."""
    project = finished(done, folder, config, **changes)
    for name in MADE_OF_THE_MODEL:
        shutil.rmtree(folder / "results/small" / name)
    return project


def finished(done: Project, folder: Path, config: dict | None = None, **changes: object) -> Project:
    """A copy of a finished local run, for this site; the keys of `config` are changed."""
    shutil.copytree(done.folder, folder, symlinks=True)
    path = folder / "small.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    more = dict(config or {})
    settings["runs"]["small"] |= more.pop("small", {})
    path.write_text(yaml.safe_dump(settings | more), encoding="utf-8")
    for_this_site(folder / "profiles/slurm/config.yaml", **changes)
    return Project(folder, SNAKEMAKE)


def wait_for(happened: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.2)


def busy_node(slurm: Slurm) -> str:
    return next(line.split()[2] for line in slurm.jobs() if line.split()[1] == "R")
