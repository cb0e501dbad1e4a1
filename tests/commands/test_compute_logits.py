"""compute_logits.py writes the logits of every feature in file order."""

import subprocess
import sys

import numpy as np
import pytest

from bertsquad import engines
from bertsquad.answers import logits
from bertsquad.data.features import Features
from bertsquad.files import sha256
from engines.small_run import write_features, write_finetuned


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model_dir = write_finetuned(folder)
    write_features(folder / "features", model_dir, [5, 33, 6, 20])
    write_features(folder / "other_features", model_dir, [5], vocab_sha256="0" * 64)
    return folder


def run(root, folder, **changes):
    options = {
        "engine": "torch",
        "precision": "fp32",
        "model": folder / "model",
        "features": folder / "features",
        "output": folder / "logits.safetensors",
        "threads": 1,
    } | changes
    arguments = [item for name, value in options.items() for item in (f"--{name}", str(value))]
    command = [sys.executable, "scripts/compute_logits.py", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_file_holds_what_the_engine_says_in_file_order(pytestconfig, folder):
    # More threads than any machine has cores, as Snakemake may offer them, are not all taken.
    done = run(pytestconfig.rootpath, folder, threads=100_000)
    assert done.returncode == 0, done.stderr
    assert "logits: 4 of 4 features (100 %)" in done.stderr
    found = logits.read(folder / "logits.safetensors")
    assert (found.engine, found.precision) == ("torch", "fp32")
    assert found.features_sha256 == sha256(folder / "features")
    engine = engines.load("torch", folder / "model", precision="fp32", threads=1)
    assert found.kernels == engine.kernels
    batch = Features.open(folder / "features").packed(np.arange(4))
    start, end = engine.run(batch)
    assert found.starts.tolist() == batch.starts.tolist()
    np.testing.assert_allclose(found.start_logits, start, atol=1e-5)
    np.testing.assert_allclose(found.end_logits, end, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "tensorrt"}, "engine is 'tensorrt'; expected one of: torch"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"threads": 0}, "0 is not 1 or more"),
        ({"threads": "many"}, "many"),
        ({"model": "nowhere"}, "nowhere/vocab.txt"),
        ({"features": "nowhere"}, "nowhere: no such file"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(pytestconfig, folder, tmp_path, changes, message):
    output = tmp_path / "logits.safetensors"
    done = run(pytestconfig.rootpath, folder, **{"output": output, **changes})
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_features_of_another_vocabulary_are_refused(pytestconfig, folder, tmp_path):
    changes = {"features": folder / "other_features", "output": tmp_path / "logits.safetensors"}
    done = run(pytestconfig.rootpath, folder, **changes)
    assert done.returncode == 2
    assert "featurize the dataset with that vocabulary" in done.stderr
