"""Options of the launcher v1.6.1, and names of the model arguments after `--`."""

from dataclasses import dataclass
from typing import Literal

MODEL = "bert_large"
FRAMEWORK = "tensorflow"
USE_CASE = "language_modeling"
PRECISIONS = ("fp32", "bfloat16")  # bert_large's; the launcher's int8 has no bert_large
MODES = ("training", "inference")

# start.sh passes these on to the model's script and drops every other name silently.
ARGUMENTS = (
    "train_option",
    "init_checkpoint",
    "task_name",
    "warmup_steps",
    "vocab_file",
    "config_file",
    "do_predict",
    "predict_file",
    "do_train",
    "train_file",
    "num_train_epochs",
    "num_train_steps",
    "max_predictions",
    "learning_rate",
    "max_seq_length",
    "doc_stride",
    "input_file",
    "do_eval",
    "data_dir",
    "do_lower_case",
    "accum_steps",
    "profile",
    "experimental_gelu",
    "optimized_softmax",
    "mpi_workers_sync_gradients",
)
# The parser of bert_large/inference accepts these and ends with an error for any other.
INFERENCE_ARGUMENTS = (
    "init_checkpoint",
    "vocab_file",
    "config_file",
    "predict_file",
    "doc_stride",
    "max_seq_length",
    "profile",
)
# Read by run_pretraining.py or run_classifier.py only.
NOT_FOR_SQUAD = (
    "task_name",
    "num_train_steps",
    "max_predictions",
    "input_file",
    "do_eval",
    "data_dir",
)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of launch_benchmark.py."""

    names: tuple[str, ...]  # as typed; commands are written with the first
    kind: Literal["text", "whole", "flag", "list"] = "text"

    @property
    def key(self) -> str:
        """The name of the option in a configuration: mpi_num_processes, batch_size."""
        return self.names[0].lstrip("-").replace("-", "_")


OPTIONS = (
    Option(("--framework", "-f")),
    Option(("--model-source-dir", "-r")),
    Option(("--precision", "-p")),
    Option(("--mode", "-mo")),
    Option(("--model-name", "-m")),
    Option(("--batch-size", "-b"), "whole"),
    Option(("--mpi_num_processes",), "whole"),
    Option(("--mpi_num_processes_per_socket",), "whole"),
    Option(("--data-location", "-d")),
    Option(("--socket-id", "-i"), "whole"),
    Option(("--num-cores", "-n"), "whole"),
    Option(("--num-instances",), "whole"),
    Option(("--num-intra-threads", "-a"), "whole"),
    Option(("--num-inter-threads", "-e"), "whole"),
    Option(("--num-train-steps", "-ts"), "whole"),
    Option(("--data-num-intra-threads",), "whole"),
    Option(("--data-num-inter-threads",), "whole"),
    Option(("--checkpoint", "-c")),
    Option(("--backbone-model", "-bb")),
    Option(("--in-graph", "-g")),
    Option(("--benchmark-only", "-k"), "flag"),
    Option(("--accuracy-only",), "flag"),
    Option(("--output-results",), "flag"),
    Option(("--disable-tcmalloc",)),
    Option(("--tcmalloc-large-alloc-report-threshold",), "whole"),
    Option(("--verbose", "-v"), "flag"),
    Option(("--output-dir",)),
    Option(("--docker-image",)),
    Option(("--volume",), "list"),
    Option(("--shm-size",)),
    Option(("--debug",), "flag"),
    Option(("--noinstall",), "flag"),
)
BY_KEY = {option.key: option for option in OPTIONS}
BY_NAME = {name: option for option in OPTIONS for name in option.names}


def normalised(name: str) -> str:
    """The name under which the launcher exports a model argument: warmup-steps -> warmup_steps."""
    return name.replace("-", "_").lstrip("_")
