"""quantize.py makes what compute_logits.py takes by --quantized."""

import subprocess
import sys

import pytest

from bertsquad.answers import logits
from engines.small_run import write_features, write_finetuned


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_features(folder / "features", write_finetuned(folder), [5, 33, 6, 20])
    return folder


def command(root, script, **options):
    options = {"threads": 1} | options
    arguments = [item for name, value in options.items() for item in (f"--{name}", str(value))]
    words = [sys.executable, f"scripts/{script}", *arguments]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)


def test_a_quantized_model_gives_logits(pytestconfig, folder):
    root, model = pytestconfig.rootpath, folder / "model"
    done = command(
        root, "quantize.py", engine="onnxruntime", model=model, output=folder / "quantized"
    )
    assert done.returncode == 0, done.stderr
    assert "it needs no calibration data" in done.stdout
    done = command(
        root,
        "compute_logits.py",
        engine="onnxruntime",
        precision="int8",
        model=model,
        quantized=folder / "quantized",
        features=folder / "features",
        output=folder / "logits.safetensors",
    )
    assert done.returncode == 0, done.stderr
    assert logits.read(folder / "logits.safetensors").precision == "int8"


def test_calibration_without_features_is_refused(pytestconfig, folder):
    done = command(
        pytestconfig.rootpath,
        "quantize.py",
        engine="openvino",
        model=folder / "model",
        output=folder / "none",
    )
    assert done.returncode == 2
    assert "quantize.py: error: int8 for openvino is calibrated on features" in done.stderr
    assert "Traceback" not in done.stderr
