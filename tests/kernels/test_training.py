"""Training by the compiled kernels is the training that the products written out give."""

import dataclasses
import json
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from bertsquad.kernels.attention import BACKWARD_KERNELS, KERNELS
from bertsquad.kernels.table import Kernel
from bertsquad.model import folder as model_folder
from bertsquad.model.bert import MATMUL_TYPES
from bertsquad.model.matmul import bf16_native
from bertsquad.model.operations.dropout import Masks
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.loop import add_gradients, train
from bertsquad.training.state import TrainingState
from tiny_bert import write_model_folder
from tiny_training import training_features, write_training_features

FINETUNE = Path(__file__).resolve().parents[2] / "scripts/finetune.py"
DROPOUT = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
SETTINGS = Hyperparameters(
    precision="fp32", epochs=2, batch_size=6, learning_rate=1e-3, micro_batch_tokens=64
)  # 8 steps
BATCH = np.array([0, 3, 5, 3, 11, 20, 7])
BOTH = pytest.mark.parametrize("precision", ["fp32", "bf16"])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads of 32, which the kernels are for."""
    folder = tmp_path_factory.mktemp("checkpoint")
    return write_model_folder(folder, spread=0.1, hidden_size=64, num_attention_heads=2)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Steps this small only wait for each other's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def kernels(needs: Callable[[Kernel], None], precision: str) -> None:
    """Skip where this precision's kernels cannot run."""
    dtype = MATMUL_TYPES[precision]
    needs(KERNELS[dtype])
    needs(BACKWARD_KERNELS[dtype])
    if precision == "bf16" and not bf16_native():
        pytest.skip("PyTorch emulates BF16 here")


def load(checkpoint: Path, precision: str = "fp32") -> Any:
    model = model_folder.load(checkpoint, head="normal", dropout=DROPOUT)
    model.precision = precision
    return model


def step(model: Any) -> tuple[float, dict[str, Tensor]]:
    """The loss and every gradient of a step of several micro-batches, with dropout."""
    recipe = dataclasses.replace(SETTINGS, precision=model.precision)
    loss = add_gradients(model, training_features(), BATCH, recipe, step=0)
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


def distance(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Of all gradients together, as a share of their norm."""
    squares = [
        (torch.sum((found[name] - value) ** 2), torch.sum(value**2))
        for name, value in expected.items()
    ]
    error, size = (float(sum(parts)) for parts in zip(*squares, strict=True))
    return (error / size) ** 0.5


@pytest.mark.parametrize("precision", ["fp32"])
@pytest.mark.usefixtures("kernels")
def test_fp32_gradients_differ_by_rounding_alone(checkpoint, monkeypatch):
    loss, found = step(load(checkpoint))
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    plain_loss, plain = step(load(checkpoint))
    assert loss == pytest.approx(plain_loss, rel=1e-6)
    assert 0 < distance(found, plain) < 1e-5


@pytest.mark.parametrize("precision", ["bf16"])
@pytest.mark.usefixtures("kernels")
def test_bf16_gradients_are_no_further_from_fp32_than_those_of_the_products(
    checkpoint, monkeypatch
):
    _, found = step(load(checkpoint, "bf16"))
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    _, plain = step(load(checkpoint, "bf16"))
    _, exact = step(load(checkpoint))
    assert distance(found, plain) > 0
    assert distance(found, exact) <= 1.05 * distance(plain, exact)


@BOTH
@pytest.mark.usefixtures("kernels")
def test_activation_checkpointing_gives_the_same_gradients_bit_for_bit(checkpoint, precision):
    loss, expected = step(load(checkpoint, precision))
    model = load(checkpoint, precision)
    model.activation_checkpointing = True
    again, found = step(model)
    assert again == loss
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


@pytest.mark.parametrize("precision", ["fp32"])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.usefixtures("kernels")
def test_activation_checkpointing_keeps_no_masks(checkpoint, monkeypatch, checkpointing):
    drawn = []

    def draw(self, shape, rate, draw=Masks.draw):
        mask = draw(self, shape, rate)
        if len(shape) == 3:  # of attention
            drawn.append(weakref.ref(mask))
        return mask

    monkeypatch.setattr(Masks, "draw", draw)
    model = load(checkpoint)
    model.activation_checkpointing = checkpointing
    logits = model(training_features().packed(BATCH), [0])
    assert len(logits) == 2
    alive = [mask for mask in drawn if mask() is not None]
    assert drawn
    assert alive == ([] if checkpointing else drawn)


class Killed(BaseException):
    pass


@BOTH
@pytest.mark.usefixtures("kernels")
def test_a_resumed_training_equals_an_undisturbed_one(checkpoint, tmp_path, precision):
    recipe = dataclasses.replace(SETTINGS, precision=precision)

    def run(folder: Path, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
        model, state = load(checkpoint, precision), TrainingState(tmp_path / folder, {})
        return model, train(model, training_features(), recipe, state=state, **options)

    def kill(line):
        if line["step"] == 5:
            raise Killed

    expected, log = run(Path("undisturbed"))
    with pytest.raises(Killed):
        run(Path("killed"), checkpoint_steps=3, on_step=kill)
    said: list[str] = []
    found, resumed = run(Path("killed"), announce=said.append)
    assert said == ["resuming after step 3 of 8"]
    assert [line["loss"] for line in resumed] == [line["loss"] for line in log]
    for name, parameter in found.named_parameters():
        assert torch.equal(parameter, expected.get_parameter(name)), name
    assert {line["kernels"] for line in [*log, *resumed]} == {"attention: compiled"}


@BOTH
def test_without_kernels_the_log_says_so(checkpoint, tmp_path, monkeypatch, precision):
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    recipe = dataclasses.replace(SETTINGS, precision=precision)
    state = TrainingState(tmp_path, {})
    log = train(load(checkpoint, precision), training_features(), recipe, state=state)
    form = "emulated" if precision == "bf16" and not bf16_native() else "products"
    assert {line["kernels"] for line in log} == {f"attention: {form}"}


@pytest.mark.parametrize("precision", ["fp32"])
@pytest.mark.usefixtures("kernels")
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux and its /proc")
def test_two_processes_train_as_one_does(checkpoint, tmp_path):
    features = write_training_features(tmp_path / "features", checkpoint)

    def run(processes: int) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
        folder = tmp_path / str(processes)
        options = {
            **{"checkpoint": checkpoint, "features": features, "output": folder / "model"},
            **{"log": folder / "log", "state": folder / "state", "processes": processes},
            **{"precision": "fp32", "epochs": 2, "batch-size": 6, "learning-rate": 1e-3},
            **{"micro-batch-tokens": 64, "threads": processes},
        }
        command = [sys.executable, FINETUNE, *(f"--{name}={v}" for name, v in options.items())]
        subprocess.run(command, check=True, timeout=120)
        log = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
        return log, load_file(folder / "model/model.safetensors")

    (log, weights), (team_log, team_weights) = run(1), run(2)
    assert {line["kernels"] for line in [*log, *team_log]} == {"attention: compiled"}
    assert [line["loss"] for line in team_log] == pytest.approx(
        [line["loss"] for line in log], rel=1e-5, abs=1e-6
    )
    torch.testing.assert_close(team_weights, weights, rtol=1e-2, atol=1e-3)
