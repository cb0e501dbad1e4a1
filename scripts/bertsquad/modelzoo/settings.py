"""Steps of the configuration, and the launcher's command line for a step."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.console.suggestions import did_you_mean
from bertsquad.modelzoo.checks.line import BREAKING, IGNORED
from bertsquad.modelzoo.checks.table import CallCheck, Finding, examine
from bertsquad.modelzoo.command_line import CommandLine, Value, words_of
from bertsquad.modelzoo.launcher import INFERENCE_DEFAULTS
from bertsquad.modelzoo.options import BY_KEY, FRAMEWORK, MODEL, normalised

# Order and form of options in the guide's two commands: "--x=" is one word, "--x " two words.
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
# Options that the workflow sets -> what to use instead.
RESERVED_OPTIONS = {
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
RESERVED_ARGUMENTS = {
    "vocab_file": "use the step's `checkpoint`",
    "config_file": "use the step's `checkpoint`",
    "init_checkpoint": "use the step's `checkpoint` or `weights_from`",
    "train_file": "use the step's `dataset`",
    "predict_file": "use the step's `dataset`",
}
# Training must do both: the workflow converts its model and scores its predictions.
REQUIRED = ("do_train", "do_predict")


@dataclass(frozen=True, slots=True)
class CallFiles:
    """The files of one call of the launcher."""

    output: Path  # the launcher's --output-dir
    vocab: Path
    config: Path
    weights: Path  # prefix of a TensorFlow checkpoint
    dev: Path  # SQuAD JSON
    train: Path | None = None  # only in training


@dataclass(frozen=True)
class Step:
    """One entry of `modelzoo.steps` in the configuration."""

    mode: str  # training, benchmark, accuracy
    precision: str  # fp32, bfloat16
    numactl: str = ""  # options of numactl before the launcher
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def launcher_mode(self) -> str:
        """The launcher's --mode; both benchmark and accuracy are `inference`."""
        return "training" if self.mode == "training" else "inference"


def step_of(settings: Mapping[str, Any]) -> Step:
    """The step for an entry of the configuration; other keys than `Step`'s are ignored."""
    return Step(**{name: settings[name] for name in Step.__dataclass_fields__ if name in settings})


def command(step: Step, files: CallFiles, *, launcher: str, python: str = "python3") -> CommandLine:
    """The launcher's command line for a step and its files."""
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
    """The words of a command line in the guide's order and form."""
    return words_of(line, ORDER.get(line.mode, ()))


def option_key(name: str) -> str:
    """The key of an option however it is spelled: --batch-size, batch-size, batch_size."""
    return name.lstrip("-").replace("-", "_")


def option_value(name: str, value: Any) -> Any:
    """The value of an option for the command line; a flag keeps true and false."""
    option = BY_KEY.get(option_key(name))
    is_flag = option is None or option.kind == "flag"
    return plain(value) if is_flag or not isinstance(value, bool) else str(value)


def plain(value: Any) -> Any:
    """A YAML value for the command line: 24.0 becomes 24, anything else stays."""
    if isinstance(value, bool):
        return value
    return int(value) if isinstance(value, float) and value == int(value) > 1 else value


def reserved(step: Step) -> Iterator[str]:
    """Options and arguments that the workflow sets itself."""
    for given, own, what in (
        (map(option_key, step.options), RESERVED_OPTIONS, "options"),
        (map(normalised, step.arguments), RESERVED_ARGUMENTS, "arguments"),
    ):
        for name in given:
            if name in own:
                yield f"{what}.{name} ({own[name]})"


def unknown_options(step: Step) -> Iterator[str]:
    """Options that the launcher does not have."""
    for name in step.options:
        if option_key(name) not in BY_KEY:
            yield f"options.{name} ({did_you_mean(option_key(name), BY_KEY)})"


def wrong_types(step: Step) -> Iterator[str]:
    """Option values that are not a whole number or not true or false, as the option needs."""
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
    """Training without one of the `REQUIRED` parts."""
    given = {normalised(name): str(value) for name, value in step.arguments.items()}
    for name in REQUIRED:
        if step.mode == "training" and given.get(name, "True").lower() != "true":
            yield f"arguments.{name}={given[name]}"


STEP_CHECKS = (
    CallCheck("own", "error", reserved, "the workflow says this to the launcher itself"),
    CallCheck("unknown-option", "error", unknown_options, "the launcher has no such option"),
    CallCheck("option-value", "error", wrong_types, "the launcher would refuse it"),
    CallCheck(
        "not-done", "error", not_done, "this workflow converts and scores what training writes"
    ),
)
# Stand in for the files of a step while Snakemake plans.
PLACEHOLDERS = CallFiles(
    output=Path("/run/output"),
    vocab=Path("/run/vocab.txt"),
    config=Path("/run/bert_config.json"),
    weights=Path("/run/model.ckpt"),
    dev=Path("/run/dev-v1.1.json"),
    train=Path("/run/train-v1.1.json"),
)


def examine_step(step: Step) -> list[Finding]:
    """Findings about a step that depend neither on its files nor on the machine."""
    found = examine(STEP_CHECKS, step)
    if any(finding.severity == "error" for finding in found):
        return found
    line = command(step, PLACEHOLDERS, launcher="/models/benchmarks/launch_benchmark.py")
    return examine((*BREAKING, *IGNORED), line)
