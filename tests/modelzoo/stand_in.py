"""The stand-in for the Model Zoo (stand_in_launcher/), installed in a folder for a test."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from bertsquad.checkpoint import bundle
from dry_runs import SNAKEMAKE, dry_run

ROOT = Path(__file__).resolve().parent.parent.parent
LAUNCHER = Path(__file__).resolve().parent / "stand_in_launcher"
SCOPES = ("attention/output", "output")


def install(folder: Path, pretrained: Path | None = None) -> Path:
    """Copy the stand-in to `folder` and return that path.

    Its training "writes" the checkpoint with the prefix `pretrained`, renamed as Intel's code does.
    """
    shutil.copytree(LAUNCHER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    if pretrained is not None:
        (folder / "trained").mkdir()
        bundle.write(folder / "trained/model.ckpt", as_trained(bundle.read(pretrained)))
    return folder


def as_trained(pretrained: dict) -> dict:
    """Google's tensors under the names of Intel's fine-tuning.

    Norms are numbered Keras norms, the SQuAD head replaces the next-sentence head, and the
    optimizer's slots and a step are added.
    """
    kept = {name: value for name, value in pretrained.items() if name.startswith("bert/")}
    layers = {name.split("/")[2] for name in kept if "/layer_" in name}
    norms = ["bert/embeddings/LayerNorm"]
    for layer in sorted(layers, key=lambda name: int(name.removeprefix("layer_"))):
        norms += [f"bert/encoder/{layer}/{scope}/LayerNorm" for scope in SCOPES]
    numbers = {scope: f"_{number}" if number else "" for number, scope in enumerate(norms)}
    trained = {}
    for name, value in kept.items():
        scope, _, leaf = name.rpartition("/")
        if scope in numbers:
            parent = scope.removesuffix("/LayerNorm")
            name = f"{parent}/layer_normalization{numbers[scope]}/{leaf}"
        trained[name] = value
    for leaf in ("output_weights", "output_bias"):
        trained[f"cls/squad/{leaf}"] = pretrained[f"cls/seq_relationship/{leaf}"]
    slots = {f"{name}/{slot}": 0 * value for name, value in trained.items() for slot in ("adam_m",)}
    step = 0 * pretrained["cls/seq_relationship/output_bias"][0].astype("int64") + 7
    return trained | slots | {"global_step": step}


def unzipped(archive: Path, folder: Path) -> Path:
    """The prefix of the TensorFlow checkpoint in a zip, unpacked into `folder`."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return next(folder.rglob("*.index")).with_suffix("")


def pretrained(folder: Path) -> Path:
    """The demo's untrained BERT as TensorFlow files: their prefix."""
    made = {name: folder / f"demo.{name}" for name in ("train", "dev", "checkpoint")}
    options = [word for name, path in made.items() for word in (f"--{name}", str(path))]
    command = [sys.executable, str(ROOT / "scripts/generate_demo.py"), *options, "--seed", "0"]
    subprocess.run(command, check=True, capture_output=True)
    return unzipped(made["checkpoint"], folder / "demo")


EXPERIMENT = """
checkpoint: synthetic
dataset: synthetic
runs: {{untrained: {{epochs: 0, max_seq_length: 128, doc_stride: 64, max_query_length: 24}}}}
modelzoo:
  image: {image}
  source: {source}
  python: {python}
  steps:
    train:
      mode: training
      options: {{batch_size: 16, num_intra_threads: 1, num_inter_threads: 1}}
      arguments:
        {{train_option: SQuAD, do_lower_case: true, num_train_epochs: 1, max_seq_length: 128,
         learning_rate: 3.0e-5, warmup-steps: 0}}
    benchmark:
      mode: benchmark
      weights_from: train
      precision: fp32
      options: {{batch_size: 10, num_intra_threads: 1}}
    accuracy:
      mode: accuracy
      weights_from: train
      options: {{batch_size: 10, num_intra_threads: 1}}
      environment: {{STAND_IN_FAILS: "{fails}"}}
"""


def snakemake(folder: Path, *words: str, **experiment: str) -> subprocess.CompletedProcess:
    """Run the workflow in `folder` with EXPERIMENT, filled in: image, source, python, fails."""
    given = {"image": "null", "source": "models", "python": sys.executable, "fails": ""}
    config = folder / "zoo.yaml"
    config.write_text(EXPERIMENT.format(**given | experiment))
    command = [*words, "--cores", "2", "--configfile", str(config)]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    if "-n" in words:
        return dry_run(tuple(command), Path.cwd(), dict(os.environ))
    return subprocess.run([str(SNAKEMAKE), *command], capture_output=True, text=True)
