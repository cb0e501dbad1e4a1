"""On a real Slurm: work that several nodes share, and work that goes together in one job."""

import pytest

from services.slurm_project import CONFIG, PROFILE, trained, untrained
from services.small_run import MODEL

TWO_NODES = {"runtime": 10, "nodes": 2, "tasks": 2, "cpus_per_task": 2}
MEMORY_OF_ONE = "2000M"
ANSWERS = "results/small/torch-fp32/predictions.json"


def with_resources(**of_rules: dict) -> dict:
    return {"set-resources": of_rules}


@pytest.mark.parametrize("mpi", [{}, {"mpi": "srun"}], ids=["plain", "mpi"])
def test_two_nodes_that_are_allocated_are_two_that_train(slurm, on_host, tmp_path, mpi):
    project = untrained(
        on_host,
        tmp_path / "bertsquad",
        {"distributed": {"hosts": "slurm", "processes": 1}},
        **with_resources(finetune=TWO_NODES | mpi),
    )
    done = project.snakemake(MODEL, *CONFIG, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    log = (project.folder / "results/logs/small/finetune.log").read_text()
    named = {node for node in ("n1", "n2", "n3") if f"host {node}: 1 process" in log}
    assert len(named) == 2, log


def test_nodes_that_would_stand_idle_are_refused_before_the_first_job(slurm, on_host, tmp_path):
    project = untrained(on_host, tmp_path / "bertsquad", **with_resources(finetune=TWO_NODES))
    before = set(slurm.jobs("%i"))
    done = project.snakemake(MODEL, *CONFIG, *PROFILE)
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("bertsquad: error")]
    assert "finetune asks for nodes=2, and distributed.hosts names none" in line
    assert set(slurm.jobs("%i")) <= before


def test_four_shards_on_three_nodes_answer_as_one_job_does(slurm, on_host, tmp_path):
    project = trained(on_host, tmp_path / "bertsquad", {"logits": {"shards": 4}})
    before = set(slurm.jobs("%i"))
    done = project.snakemake(ANSWERS, *CONFIG, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.folder / ANSWERS).read_bytes() == (on_host.folder / ANSWERS).read_bytes()
    shards = list((project.folder / "results/small/torch-fp32/shards").iterdir())
    assert len(shards) == 4
    after = [line.split() for line in slurm.jobs("%i %N")]
    assert len({node for job, node in after if job not in before}) > 1


def test_cells_up_to_twenty_are_one_submission(slurm, on_host, tmp_path):
    config = {
        "engines": {"torch": ["fp32"]},
        "benchmark": {
            "batch_sizes": list(range(1, 9)),
            "scenarios": {"real-lengths": {"padding": "none"}},
            **{"threads": [1], "warmup": 0, "iterations": 1, "quiet_seconds": 0},
        },
    }
    project = trained(on_host, tmp_path / "bertsquad", config)
    assert project.planned("timings", *CONFIG) == {"benchmark_inference": 8, "timings": 1}
    before = set(slurm.jobs("%i %l %m"))
    done = project.snakemake("timings", *CONFIG, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    [job] = set(slurm.jobs("%i %l %m")) - before
    # The time of eight and the memory of one.
    assert job.split()[1:] == ["2:00:00", MEMORY_OF_ONE]
    cells = list((project.folder / "results/small/torch-fp32/benchmark").rglob("*.json"))
    assert len(cells) == 8
