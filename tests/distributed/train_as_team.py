"""One of several processes, started by test_gloo.py: train tiny models, write what came out.

Usage: RANK=... WORLD_SIZE=... MASTER_ADDR=... MASTER_PORT=... train_as_team.py CHECKPOINT FOLDER
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

from bertsquad.distributed.worker import read_worker

# As in finetune.py: before PyTorch or NumPy start threads.
WORKER = read_worker(os.environ)
NOTICES = WORKER.settle()

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from bertsquad.console.errors import UserError, exit_with  # noqa: E402
from bertsquad.distributed.gloo import GlooTeam  # noqa: E402
from bertsquad.model import folder as model_folder  # noqa: E402
from bertsquad.training.hyperparameters import Hyperparameters  # noqa: E402
from bertsquad.training.loop import train  # noqa: E402
from bertsquad.training.state import TrainingState  # noqa: E402
from tiny_training import training_features  # noqa: E402

SETTINGS = Hyperparameters(
    precision="fp32", epochs=3, batch_size=6, learning_rate=1e-3, micro_batch_tokens=64
)  # 12 steps
DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}


class Killed(BaseException):
    pass


def main() -> None:
    torch.set_num_threads(1)
    with GlooTeam.join(WORKER) as team:
        train_all(team, *map(Path, sys.argv[1:]))


def train_all(team: GlooTeam, checkpoint: Path, folder: Path) -> None:
    rank = team.worker.rank
    results = {"notices": NOTICES}

    def run(name, *, settings=SETTINGS, dropout=None, **options):
        # Only the leader is at the same place every time: no other process has a state.
        place = folder / name / (str(rank) if rank == 0 else f"{rank}-{len(results)}")
        model = model_folder.load(checkpoint, head="normal", seed=rank, dropout=dropout)
        state = TrainingState(place, {})
        log = train(model, training_features(), settings, state=state, team=team, **options)
        save_file(
            {key: value.detach() for key, value in model.named_parameters()},
            folder / f"{name}-{rank}.safetensors",
        )
        results[name] = [line["loss"] for line in log]

    def kill(line):
        if line["step"] == 8:
            raise Killed

    run("plain")
    try:
        run("resumed", on_step=kill, checkpoint_steps=5)
    except Killed:
        run("resumed")
    run("dropout", dropout=DROPOUT)
    run("one-example", settings=dataclasses.replace(SETTINGS, batch_size=1, epochs=0.5))
    run("bf16", settings=dataclasses.replace(SETTINGS, precision="bf16"))

    def mistake():
        if rank == 1:
            raise UserError("no such file")
        return "fine"

    for name, work in {
        "together": lambda: team.together(mistake),
        "facts": lambda: team.require_same({"torch": "2", "sources": {"a.py": rank}}),
        "not finite": lambda: run(
            "nan", settings=dataclasses.replace(SETTINGS, learning_rate=float("inf"))
        ),
    }.items():
        try:
            work()
        except UserError as error:
            results[name] = str(error)
    results["threads"] = team.same_threads(3 - rank)
    results["cpus"] = cpus_of_threads()
    (folder / f"{rank}.json").write_text(json.dumps(results))


def cpus_of_threads():
    """Of each thread, its name and where it may run."""
    found = []
    for folder in Path("/proc/self/task").iterdir():
        lines = (folder / "status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        found.append([status["Name"].strip(), status["Cpus_allowed_list"].strip()])
    return found


exit_with(main)
