"""Logits computed in parts: the plan, and answers equal to those of one job."""

import shutil

import pytest
import yaml

from project import Project

pytestmark = pytest.mark.slow

ANSWERS = "results/demo-fp32/torch-fp32/predictions.json"
LOGITS = "results/demo-fp32/torch-fp32/logits.safetensors"


def test_three_parts_give_the_logits_and_answers_of_one_job(demo, tmp_path):
    shutil.copytree(demo.folder, tmp_path / "bertsquad")
    project = Project(tmp_path / "bertsquad")
    path = project.folder / "config/config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"logits": {"shards": 3}}
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    assert project.planned(ANSWERS) == {"compute_logits_shard": 3, "join_logits": 1, "predict": 1}
    done = project.snakemake(ANSWERS, "--cores", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in (LOGITS, ANSWERS):
        assert (project.folder / name).read_bytes() == (demo.folder / name).read_bytes(), name
    assert project.planned(ANSWERS) == {}
