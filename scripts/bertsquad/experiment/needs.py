"""What a configured experiment needs of a machine: memory and disk, as far as sizes are known."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bertsquad.artifacts.catalogue import Plan, known_size
from bertsquad.experiment.files import Experiment

MIB = 1024 * 1024
# FP32 weights, gradients, and AdamW's two moments: four times the weights. The rest is PyTorch,
# activations, and copies of the weights in the type of the products: BERT-Large (1.34 GB of
# weights) was measured to peak at 7.5 GB in BF16, and at 6.4 GB with activation_checkpointing.
BERT_LARGE_BYTES = 1_340_000_000
_COPIES_IN_TRAINING = 4
_COPIES_IN_INFERENCE = 2
_BESIDE_WEIGHTS_MIB = 2000
# In the end a model's weights; while it trains, a state with the weights and two moments, written
# beside the one before.
_COPIES_ON_DISK = 1
_COPIES_WHILE_TRAINING = 6


@dataclass(frozen=True, slots=True)
class Needs:
    """Estimates; None where the size of some weights is unknown."""

    memory_mib: int | None
    disk_bytes: int | None  # still to be written, downloads included


def needs(experiment: Experiment, plan: Plan) -> Needs:
    """The memory and disk that all runs need. `plan`: what is still to be downloaded."""
    memory, training, stored = [], [], 0
    for name, run in experiment.config["runs"].items():
        size = weights_bytes(experiment, name)
        if size is None:
            return Needs(None, None)
        trained = run["epochs"] > 0
        beside_others = trained and run["threads"] != "all"
        copies = _COPIES_IN_TRAINING if trained else _COPIES_IN_INFERENCE
        memory.append((beside_others, copies * size // MIB + _BESIDE_WEIGHTS_MIB))
        training.append((beside_others, _COPIES_WHILE_TRAINING * size if trained else 0))
        stored += _COPIES_ON_DISK * size
    return Needs(
        memory_mib=_at_once(memory),
        disk_bytes=plan.stored_bytes + stored + _at_once(training),
    )


class Memory:
    """What a step on a run's model needs, in MiB: what a cluster is asked for.

    Where the size of the weights is unknown, and no download tells it, those of BERT-Large.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def training(self, run: str) -> int:
        return self._of(run, _COPIES_IN_TRAINING)

    def inference(self, run: str) -> int:
        return self._of(run, _COPIES_IN_INFERENCE)

    def _of(self, run: str, copies: int) -> int:
        known = run in self.experiment.config["runs"]  # `make speed`'s is not, which is BERT-Large
        size = weights_bytes(self.experiment, run) if known else None
        size = BERT_LARGE_BYTES if size is None else size
        return copies * size // MIB + _BESIDE_WEIGHTS_MIB


def _at_once(amounts: list[tuple[bool, int]]) -> int:
    """The most that runs take at a time, where those marked True may all run side by side."""
    together = sum(amount for beside_others, amount in amounts if beside_others)
    return max([together, *(amount for beside_others, amount in amounts if not beside_others)])


def weights_bytes(experiment: Experiment, run: str) -> int | None:
    """About the bytes of a run's weights: of the file that they come in. None where unknown; the
    demo's, which are made here, do not count."""
    checkpoint = experiment.checkpoint_of(run)
    if folder := experiment.catalogue.folders.get(checkpoint):
        return folder.weights_bytes(Path(experiment.place(folder.path)))
    weights = experiment.catalogue.checkpoint(checkpoint).weights
    artifact = experiment.catalogue.artifact(weights.artifact)
    return 0 if artifact.made_here else known_size(artifact)


def free_bytes(folder: Path) -> int:
    """Free disk space where a folder is, or would be made."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
