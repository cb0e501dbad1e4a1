"""From a step of the configuration to the launcher's command line."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.modelzoo.checks.line import BREAKING, IGNORED
from bertsquad.modelzoo.checks.table import CallCheck, Finding, examine
from bertsquad.modelzoo.command_line import CommandLine, Value, words_of
from bertsquad.modelzoo.launcher import INFERENCE_DEFAULTS
from bertsquad.modelzoo.options import BY_KEY, FRAMEWORK, MODEL, normalised
from bertsquad.suggestions import did_you_mean

# The order and form of the guide's two commands: "--x=" one word, "--x " two, a flag plainly.
ORDER = {
    "training": (
        "--model-name=",
        "--precision=",
        "--mode=",
        "--mpi_num_processes=",
        "--mpi_num_processes_per_socket=",
        "--num-intra-threads=",
        "--num-inter-threads=",
        "--output-dir=",
        "--framework=",
        "--batch-size=",
    ),
    "inference": (
        "--model-name=",
        "--precision=",
        "--mode=",
        "--framework=",
        "--num-inter-threads ",
        "--num-intra-threads ",
        "--batch-size=",
        "--data-location ",
        "--checkpoint ",
        "--output-dir ",
        "--benchmark-only",
    ),
}
ARGUMENT_ORDER = (
    *("train_option", "vocab_file", "config_file", "init_checkpoint", "do_train", "train_file"),
    *("do_predict", "predict_file", "learning_rate", "num_train_epochs", "warmup_steps"),
    *("doc_stride", "do_lower_case", "max_seq_length", "experimental_gelu", "optimized_softmax"),
    "mpi_workers_sync_gradients",
)
# What the workflow says itself, and where it takes it from.
OWN_OPTIONS = {
    "framework": "it is tensorflow",
    "model_name": "it is bert_large",
    "precision": "use the step's `precision`",
    "mode": "use the step's `mode`",
    "benchmark_only": "use the step's `mode`",
    "accuracy_only": "use the step's `mode`",
    "output_dir": "the workflow chooses a new folder for each run",
    "data_location": "use the step's `checkpoint`",
    "checkpoint": "use the step's `checkpoint` or `weights_from`",
    "docker_image": "use `image`",
    "volume": "use `image`; the working directory is mounted",
    "shm_size": "use `shm_size` of `modelzoo`",
}
OWN_ARGUMENTS = {
    "vocab_file": "use the step's `checkpoint`",
    "config_file": "use the step's `checkpoint`",
    "init_checkpoint": "use the step's `checkpoint` or `weights_from`",
    "train_file": "use the step's `dataset`",
    "predict_file": "use the step's `dataset`",
}
NEEDED = ("do_train", "do_predict")  # of training: what the workflow converts and scores


@dataclass(frozen=True, slots=True)
class CallFiles:
    """The files of one call, as absolute paths."""

    output: Path  # the launcher's --output-dir
    vocab: Path
    config: Path
    weights: Path  # prefix of a TensorFlow checkpoint
    dev: Path
    train: Path | None = None  # of training


@dataclass(frozen=True)
class Step:
    """One call of the launcher, as the configuration asks for it."""

    mode: str  # training, benchmark, accuracy
    precision: str  # fp32, bfloat16
    numactl: str = ""  # options of numactl before the launcher
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def launcher_mode(self) -> str:
        return "training" if self.mode == "training" else "inference"


def step_of(settings: Mapping[str, Any]) -> Step:
    """A step from its entry in the configuration (other keys of the entry are left alone)."""
    return Step(**{name: settings[name] for name in Step.__dataclass_fields__ if name in settings})


def command(step: Step, files: CallFiles, *, launcher: str, python: str = "python3") -> CommandLine:
    """The launcher's command line for these files."""
    options: dict[str, Value] = {
        "model_name": MODEL,
        "precision": step.precision,
        "mode": step.launcher_mode,
        "framework": FRAMEWORK,
        "output_dir": str(files.output),
    }
    options |= {option_key(name): option_value(name, v) for name, v in step.options.items()}
    names: dict[str, str] = {}
    if step.mode == "training":
        names = {
            "vocab_file": str(files.vocab),
            "config_file": str(files.config),
            "init_checkpoint": str(files.weights),
            "train_file": str(files.train),
            "predict_file": str(files.dev),
        }
    else:
        folder = files.vocab.parent
        options |= {"data_location": str(folder), "checkpoint": str(files.weights.parent)}
        options |= {f"{step.mode}_only": True}
        given = {"vocab_file": files.vocab, "config_file": files.config, "predict_file": files.dev}
        for name, path in given.items():
            if path != folder / INFERENCE_DEFAULTS[name]:
                names[name] = str(path)
        if files.weights.name != INFERENCE_DEFAULTS["init_checkpoint"]:
            names["init_checkpoint"] = files.weights.name
    words = {normalised(name): f"{name}={text}" for name, text in names.items()}
    words |= {normalised(name): f"{name}={plain(value)}" for name, value in step.arguments.items()}
    order = [name for name in ARGUMENT_ORDER if name in words]
    order += [name for name in words if name not in order]
    numactl = shlex.split(step.numactl)
    return CommandLine(
        launcher=launcher,
        python=python,
        prefix=("numactl", *numactl) if numactl else (),
        environment={name: plain(value) for name, value in step.environment.items()},
        options={key: value for key, value in options.items() if value is not False},
        arguments=tuple(words[name] for name in order),
    )


def words(line: CommandLine) -> list[str]:
    """The command line's words, in the guide's order and form."""
    return words_of(line, ORDER.get(line.mode, ()))


def option_key(name: str) -> str:
    return name.lstrip("-").replace("-", "_")


def option_value(name: str, value: Any) -> Any:
    """An option's YAML value; true and false are words where it is no flag: --disable-tcmalloc."""
    option = BY_KEY.get(option_key(name))
    is_flag = option is None or option.kind == "flag"
    return plain(value) if is_flag or not isinstance(value, bool) else str(value)


def plain(value: Any) -> Any:
    """A YAML value as one writes it on a command line; whole numbers and flags stay."""
    if isinstance(value, bool):
        return value
    return int(value) if isinstance(value, float) and value == int(value) > 1 else value


def own_settings(step: Step) -> Iterator[str]:
    """Settings that are said elsewhere in the configuration."""
    for given, own, what in (
        (map(option_key, step.options), OWN_OPTIONS, "options"),
        (map(normalised, step.arguments), OWN_ARGUMENTS, "arguments"),
    ):
        for name in given:
            if name in own:
                yield f"{what}.{name} ({own[name]})"


def unknown_options(step: Step) -> Iterator[str]:
    for name in step.options:
        if option_key(name) not in BY_KEY:
            yield f"options.{name} ({did_you_mean(option_key(name), BY_KEY)})"


def not_numbers(step: Step) -> Iterator[str]:
    for name, value in step.options.items():
        option = BY_KEY.get(option_key(name))
        if option is None or isinstance(value, list) != (option.kind == "list"):
            continue
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if option.kind == "whole" and not is_whole:
            yield f"options.{name}: {value!r} is no whole number"
        if option.kind == "flag" and not isinstance(value, bool):
            yield f"options.{name}: {value!r} is not true or false"


def not_done(step: Step) -> Iterator[str]:
    given = {normalised(name): str(value) for name, value in step.arguments.items()}
    for name in NEEDED:
        if step.mode == "training" and given.get(name, "True").lower() != "true":
            yield f"arguments.{name}={given[name]}"


STEP_CHECKS = (
    CallCheck("own", "error", own_settings, "the workflow says this to the launcher itself"),
    CallCheck("unknown-option", "error", unknown_options, "the launcher has no such option"),
    CallCheck("option-value", "error", not_numbers, "the launcher would refuse it"),
    CallCheck(
        "not-done", "error", not_done, "this workflow converts and scores what training writes"
    ),
)
ANYWHERE = CallFiles(
    *(Path(f"/run/{name}") for name in ("output", "vocab.txt", "bert_config.json", "model.ckpt")),
    dev=Path("/run/dev-v1.1.json"),
    train=Path("/run/train-v1.1.json"),
)


def examine_step(step: Step) -> list[Finding]:
    """What stands against a step, wherever its files are."""
    found = examine(STEP_CHECKS, step)
    if any(finding.severity == "error" for finding in found):
        return found
    line = command(step, ANYWHERE, launcher="/models/benchmarks/launch_benchmark.py")
    return examine((*BREAKING, *IGNORED), line)
