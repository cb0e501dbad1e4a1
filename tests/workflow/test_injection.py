"""No text of a configuration or name of an archive's member is read by a shell as a command."""

import copy
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.modelzoo.steps import ModelZoo
from project import ROOT

PLANTED = (";touch pwned", "$(touch pwned)", "`touch pwned`", "';touch pwned;'", '";touch pwned;"')
OWN = """
title: t
description: d
checkpoint: mine
dataset: mine
drop_folder: drop
pathvars: {results: out}
runs: {a: {epochs: 0.5, checkpoint: mine, dataset: mine}}
engines: {torch: [fp32], openvino: [int8]}
distributed: {hosts: [h1], remote_shell: ssh, interface: eth0}
artifacts:
  artifacts:
    own.zip: {urls: ["file:///none/own.zip"], license: l, citation: c, description: d}
    q.json: {urls: ["https://example.org/q.json"], license: l, citation: c, description: d}
  checkpoints:
    mine:
      origin: google
      weights: {artifact: own.zip, member: m, files: [m.index, m.data-00000-of-00001]}
      config: {artifact: own.zip, member: c.json}
      vocab: {artifact: own.zip, member: v.txt}
      layer_norm_eps: null
      gelu: null
      description: d
  datasets:
    mine: {train: q.json, dev: q.json, evaluator: q.json, description: d}
modelzoo:
  image: null
  source: own/models
  python: python3
  steps:
    accuracy:
      mode: accuracy
      numactl: --localalloc
      arguments: {}
      environment: {KMP_AFFINITY: granularity}
"""


def places(value: Any, place: tuple = ()) -> Iterator[tuple]:
    """The place of every text in a configuration, and of every name (its last part is None)."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*place, key, None)
            yield from places(part, (*place, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, (*place, number))
    elif isinstance(value, str):
        yield place


def planted(config: dict[str, Any], place: tuple, text: str) -> dict[str, Any]:
    """The configuration with `text` behind the text, or the name, at a place."""
    changed = copy.deepcopy(config)
    inner: Any = changed
    *above, last = place
    if last is None:
        *above, last = above
        for part in above:
            inner = inner[part]
        inner[f"{last}{text}"] = inner.pop(last)
        return changed
    for part in above:
        inner = inner[part]
    inner[last] += text
    return changed


def accepted(config: dict[str, Any]) -> bool:
    """Whether the workflow would take this configuration."""
    try:
        resolved = resolve(config, ROOT / "config/schemas/config.schema.yaml", "c.yaml")
        catalogue = load_catalogue(ROOT / "config/artifacts.yaml", resolved["artifacts"])
        experiment = Experiment(resolved, catalogue, str)
        experiment.check("c.yaml")
        modelzoo = ModelZoo(experiment)
        modelzoo.check_names("c.yaml")
        modelzoo.refuse(modelzoo.findings(), "c.yaml")
    except UserError:
        return False
    return True


def ran(command: str, folder: Path) -> bool:
    """Whether a shell in `folder`, where python does nothing, makes a file `pwned` of this."""
    folder.mkdir(exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    stub = folder / "bin/python"
    stub.write_text("#!/bin/sh\nexit 0\n")
    stub.chmod(0o755)
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    subprocess.run(["bash", "-c", command], cwd=folder, env={"PATH": path}, capture_output=True)
    return any(found.name.startswith("pwned") for found in folder.rglob("*"))


def plant_everywhere(config: dict[str, Any], text: str) -> tuple[dict[str, Any], list[str]]:
    """The configuration with `text` behind every text that may have it, and these places."""
    taken = []
    for place in list(places(config)):
        # A member's files begin with its name; planted there they are another member's.
        changed = planted(config, place, text)
        if accepted(changed):
            config = changed if place[-1] is not None else config
            taken.append(".".join(map(str, place)))
    return config, taken


def test_what_is_planted_in_every_text_of_a_config_is_never_run(fresh, tmp_path: Path):
    """All forms in one plan, one behind the other: each is whole, whatever quotes it."""
    config = yaml.safe_load(OWN)
    assert accepted(config)
    for text in PLANTED:
        config, taken = plant_everywhere(config, text)
        assert {"title", "drop_folder", "pathvars.results"} <= set(taken)
        assert "artifacts.artifacts.own.zip.citation" in taken
        assert "artifacts.checkpoints.mine.vocab.member" in taken
        named = [place for place in taken if place.endswith(".None")]
        assert named == ["pathvars.results.None"]  # any name is a pathvar of somebody's
    assert config["drop_folder"] == "drop" + "".join(PLANTED)

    (fresh.folder / "my.yaml").write_text(yaml.safe_dump(config))
    launcher = fresh.folder / config["modelzoo"]["source"] / "benchmarks/launch_benchmark.py"
    launcher.parent.mkdir(parents=True)
    launcher.touch()
    targets = ("all", "doctor", "modelzoo_command")
    plan = fresh.snakemake("-n", "-p", *targets, "--configfile", "my.yaml")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    commands = re.findall(r"^Shell command: (.*)$", plan.stdout + plan.stderr, re.M)
    assert sum("touch pwned" in command for command in commands) > 20
    for number, command in enumerate(commands):
        assert not ran(command, tmp_path / str(number)), command


def test_a_command_that_does_not_quote_is_found(tmp_path: Path):
    assert ran("python x.py --title a;touch pwned &> a.log", tmp_path / "a")
    assert ran('python x.py --title "$(touch pwned)" &> no/such/a.log', tmp_path / "b")
    assert not ran("python x.py --title 'a;touch pwned' &> a.log", tmp_path / "c")
    everything = "".join(PLANTED)
    for quote in ("", "'", '"'):
        command = f"python x.py --title {quote}a{everything}{quote}"
        assert ran(command, tmp_path / f"all {len(quote)}{ord(quote or '0')}"), command
