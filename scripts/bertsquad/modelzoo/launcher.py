"""Model of the launcher: the processes that a command line starts, the variables it sets.

It follows v1.6.1 through launch_benchmark.py, start.sh, run_tf_benchmark.py and bert_large's
model_init.py, for SQuAD and without the launcher's own Docker mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bertsquad.console.errors import UserError
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.options import ARGUMENTS, FRAMEWORK, INFERENCE_ARGUMENTS, MODEL, USE_CASE

DEFAULT_BATCH_SIZE = {"training": 24, "inference": 32}
DEFAULT_MAX_SEQ_LENGTH = {"training": 512, "inference": 384}
TCMALLOC_THRESHOLD = 2147483648
# From config.json beside each model_init.py.
KMP = {
    "training": {
        "KMP_AFFINITY": "granularity=fine,compact,1,0",
        "KMP_BLOCKTIME": "1",
        "KMP_SETTINGS": "1",
    },
    "inference": {
        "KMP_AFFINITY": "fine,verbose,compact,1,0",
        "KMP_BLOCKTIME": "1",
        "KMP_SETTINGS": "1",
    },
}
# From model_init.py: values of model arguments that are not given.
TRAINING_DEFAULTS = {
    "config_file": "bert_config.json",
    "do_train": "True",
    "accum_steps": "1",
    "learning_rate": "3e-05",
    "max_seq_length": str(DEFAULT_MAX_SEQ_LENGTH["training"]),
    "profile": "False",
    "do_lower_case": "False",
    "experimental_gelu": "False",
    "optimized_softmax": "False",
    "mpi_workers_sync_gradients": "False",
    "vocab_file": "vocab.txt",
    "train_file": "train-v1.1.json",
    "predict_file": "dev-v1.1.json",
    "do_predict": "True",
    "num_train_epochs": "20",
    "init_checkpoint": "",
    "doc_stride": "128",
}
INFERENCE_DEFAULTS = {
    "init_checkpoint": "model.ckpt-3649",
    "vocab_file": "vocab.txt",
    "config_file": "bert_config.json",
    "predict_file": "dev-v1.1.json",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """The numbers that the launcher reads from lscpu."""

    sockets: int
    cores_per_socket: int


@dataclass(frozen=True)
class Launched:
    """The command that runs in the end, and its environment."""

    argv: tuple[str, ...]  # without `prefix`
    environment: dict[str, str] = field(default_factory=dict)  # variables that the launcher sets
    prefix: tuple[str, ...] = ()  # words before Python, which all processes inherit
    step: tuple[str, ...] = ()  # command of start.sh, which calls model_init.py


def launched(line: CommandLine, machine: Machine, environment: Mapping[str, str] = {}) -> Launched:
    """The processes that a command line starts in an environment.

    Of the environment, KMP_*, OMP_NUM_THREADS and TF_NUM_INTEROP_THREADS count, and variables with
    the name of a model argument, which leak in. Raises `UserError` for what the launcher refuses
    and for what this model does not cover.
    """
    if line.mode not in DEFAULT_BATCH_SIZE:
        raise UserError(f"--mode={line.mode}: expected training or inference")
    outer = dict(environment) | dict(line.environment)
    leaked = {name: outer[name] for name in ARGUMENTS if outer.get(name)}
    values = leaked | {name: text for name, text in line.values().items() if name in ARGUMENTS}
    if line.mode == "training" and values.get("train_option") != "SQuAD":
        found = values.get("train_option", "nothing")
        raise UserError(f"train_option: found {found}; only train_option=SQuAD is known here")
    refused = refused_arguments(line, values)
    if refused:
        raise UserError(f"error: unrecognized arguments: {' '.join(refused)}")
    make = training if line.mode == "training" else inference
    argv, defaults = make(line, machine, values)
    defaults = KMP[line.mode] | defaults
    threshold = line.given("tcmalloc_large_alloc_report_threshold", TCMALLOC_THRESHOLD)
    settings = {name: outer.get(name) or text for name, text in defaults.items()}
    settings["TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD"] = str(threshold)
    return Launched(tuple(argv), settings, line.prefix, tuple(step_words(line, values)))


def refused_arguments(line: CommandLine, values: Mapping[str, str]) -> list[str]:
    """Model arguments that start.sh passes on and the parser of model_init.py does not know."""
    known = set(ARGUMENTS) if line.mode == "training" else {"train_option", *INFERENCE_ARGUMENTS}
    if line.mode == "training" and line.given("precision") == "fp32":
        known.remove("optimized_softmax")
    return [f"--{name.replace('_', '-')}={values[name]}" for name in values if name not in known]


def training(
    line: CommandLine, machine: Machine, values: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """model_init.py of bert_large/training: argv, and variables that it sets if unset."""
    ranks = line.given("mpi_num_processes")
    inter, intra = training_threads(line, machine)
    filled = TRAINING_DEFAULTS | dict(values)
    command = [
        line.python,
        f"{model_folder(line)}/training/{line.given('precision')}/run_squad.py",
        f"--output_dir={output_dir(line)}",
        f"--bert_config_file={filled['config_file']}",
        f"--do_train={filled['do_train']}",
        f"--train_batch_size={batch_size(line)}",
        f"--accum_steps={int(filled['accum_steps'])}",
        f"--learning_rate={float(filled['learning_rate'])}",
        f"--max_seq_length={int(filled['max_seq_length'])}",
        "--use_tpu=False",
        f"--precision={line.given('precision')}",
        f"--intra_op_parallelism_threads={intra}",
        f"--inter_op_parallelism_threads={inter}",
        *(
            f"--{name}={filled[name]}"
            for name in ("profile", "do_lower_case", "experimental_gelu", "optimized_softmax")
            if not (name == "optimized_softmax" and line.given("precision") == "fp32")
        ),
        f"--mpi_workers_sync_gradients={filled['mpi_workers_sync_gradients']}",
        f"--vocab_file={filled['vocab_file']}",
        f"--train_file={filled['train_file']}",
        f"--predict_file={filled['predict_file']}",
        f"--do_predict={filled['do_predict']}",
        f"--num_train_epochs={number(values.get('num_train_epochs'), '20')}",
        f"--init_checkpoint={filled['init_checkpoint']}",
        f"--doc_stride={int(filled['doc_stride'])}",
    ]
    for name in ("inter", "intra"):
        if line.given(f"data_num_{name}_threads"):
            command.append(f"--data-num-{name}-threads={line.given(f'data_num_{name}_threads')}")
    defaults = {"OMP_NUM_THREADS": str(intra)}
    if ranks is None:
        return [*socket_prefix(line), *command], defaults
    # With several processes per socket the word mpirun is missing, and the shell runs `-np`.
    argv = []
    if line.given("mpi_num_processes_per_socket", 1) == 1:
        argv = ["mpirun", "--allow-run-as-root", "--map-by", "socket"]
    for rank in range(line.number("mpi_num_processes", 0)):
        colon = [":"] if rank else []
        argv += [*colon, "-np", "1", "numactl", "-N", str(rank), "-m", str(rank), *command]
    return argv, defaults


def inference(
    line: CommandLine, machine: Machine, values: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """model_init.py of bert_large/inference: argv, and variables that it sets if unset."""
    filled = INFERENCE_DEFAULTS | dict(values)
    paths = {
        name: joined(line, "data_location", filled[name])
        for name in ("vocab_file", "config_file", "predict_file")
    }
    weights = joined(line, "checkpoint", filled["init_checkpoint"])
    inter, intra = line.given("num_inter_threads"), line.given("num_intra_threads")
    command = [
        *python_words(line, machine),
        f"{model_folder(line)}/inference/run_squad.py",
        f"--init_checkpoint={weights}",
        f"--vocab_file={paths['vocab_file']}",
        f"--bert_config_file={paths['config_file']}",
        f"--predict_file={paths['predict_file']}",
        f"--precision={line.given('precision')}",
        f"--output_dir={output_dir(line)}",
        f"--predict_batch_size={batch_size(line)}",
        "--do_predict=True",
    ]
    accuracy = bool(line.given("accuracy_only"))
    if accuracy:
        command.append("--mode=accuracy")
    if values.get("profile", "").lower() == "true":
        command.append("--mode=profile")
    if line.given("benchmark_only") or not accuracy:
        command.append("--mode=benchmark")
    # model_init.py passes neither on if it is 0.
    command += [
        f"--{name}={int(values[name])}"
        for name in ("doc_stride", "max_seq_length")
        if int(values.get(name) or 0)
    ]
    if inter:
        command.append(f"--inter_op_parallelism_threads={inter}")
    if intra:
        command.append(f"--intra_op_parallelism_threads={intra}")
    defaults = {
        "OMP_NUM_THREADS": str(intra or machine.cores_per_socket - 2),
        "TF_NUM_INTEROP_THREADS": str(inter or 1),
    }
    return [*socket_prefix(line), *command], defaults


def training_threads(line: CommandLine, machine: Machine) -> tuple[int, int]:
    """Inter-op and intra-op threads (base_model_init.py, set_num_inter_intra_threads)."""
    inter, intra = line.number("num_inter_threads", 0), line.number("num_intra_threads", 0)
    cores = line.number("num_cores", -1)
    if line.given("socket_id", -1) != -1:
        inter_default, intra_default = 1, machine.cores_per_socket
    elif line.given("mpi_num_processes") is not None:
        inter_default, intra_default = 1, machine.cores_per_socket - 2
    else:
        inter_default = machine.sockets
        intra_default = machine.cores_per_socket * machine.sockets
    if cores != -1:
        intra_default = cores
    return inter or inter_default, intra or intra_default


def python_words(line: CommandLine, machine: Machine) -> list[str]:
    """Python, after mpirun if --mpi_num_processes is given (base_model_init.py)."""
    ranks = line.given("mpi_num_processes")
    if ranks is None:
        return [line.python]
    start = ["mpirun", "--allow-run-as-root", "-n", str(ranks), "--map-by"]
    per_socket = line.number("mpi_num_processes_per_socket", 1)
    if per_socket == 1:
        return [*start, "socket", line.python]
    cores = str(machine.cores_per_socket // per_socket)
    return [*start, f"ppr:{per_socket}:socket:pe={cores}", "--cpus-per-proc", cores, line.python]


def socket_prefix(line: CommandLine) -> list[str]:
    """numactl for --socket-id. Training calls it only without MPI, inference also before mpirun."""
    socket = line.given("socket_id", -1)
    if socket == -1:
        return []
    return ["numactl", f"--cpunodebind={socket}", f"--membind={socket}"]


def step_words(line: CommandLine, values: Mapping[str, str]) -> list[str]:
    """The command of start.sh: run_tf_benchmark.py, options, known model arguments."""
    accuracy = bool(line.given("accuracy_only"))
    words = [
        line.python,
        f"common/{FRAMEWORK}/run_tf_benchmark.py",
        f"--framework={FRAMEWORK}",
        f"--use-case={USE_CASE}",
        f"--model-name={MODEL}",
        f"--precision={line.given('precision')}",
        f"--mode={line.mode}",
        f"--benchmark-dir={line.benchmarks}",
        f"--intelai-models={model_folder(line)}",
        f"--num-cores={line.given('num_cores', -1)}",
        f"--batch-size={line.given('batch_size', -1)}",
        f"--socket-id={line.given('socket_id', -1)}",
        f"--output-dir={output_dir(line)}",
        f"--num-train-steps={line.given('num_train_steps', 1)}",
    ]
    flags = {
        "--accuracy-only": accuracy,
        "--benchmark-only": line.given("benchmark_only") or not accuracy,
        "--verbose": line.given("verbose"),
    }
    words += [name for name, is_set in flags.items() if is_set]
    for key in ("checkpoint", "data_location", "num_inter_threads", "num_intra_threads"):
        if line.given(key) is not None:
            words.append(f"--{key.replace('_', '-')}={line.given(key)}")
    words.append(f"--disable-tcmalloc={line.given('disable_tcmalloc', 'True')}")
    order = [name for name in ARGUMENTS if name != "train_option" or line.mode == "training"]
    underscored = ("accum_steps", "mpi_workers_sync_gradients")
    for name in order:
        if values.get(name):
            spelled = name if name in underscored else name.replace("_", "-")
            words.append(f"--{spelled}={values[name]}")
    return words


def model_folder(line: CommandLine) -> str:
    """The folder with bert_large's scripts."""
    return f"{line.benchmarks}/../models/{USE_CASE}/{FRAMEWORK}/{MODEL}"


def output_dir(line: CommandLine) -> str:
    """--output-dir, or the launcher's default."""
    default = f"{line.benchmarks}/common/{FRAMEWORK}/logs"
    return str(line.given("output_dir", default))


def batch_size(line: CommandLine) -> int:
    """--batch-size, or the default of the mode."""
    size = line.number("batch_size", -1)
    return DEFAULT_BATCH_SIZE[line.mode] if size == -1 else size


def max_seq_length(mode: str, arguments: Mapping[str, str]) -> int:
    """The length that run_squad.py uses; in inference 0 counts as not given."""
    given = arguments.get("max_seq_length")
    if given is None or (mode == "inference" and int(given) == 0):
        return DEFAULT_MAX_SEQ_LENGTH[mode]
    return int(given)


def joined(line: CommandLine, option: str, path: str) -> str:
    """The path of a file; a relative one is joined to the folder in `option`, which is required."""
    if PurePosixPath(path).is_absolute():
        return path
    folder = line.given(option)
    if folder is None:
        name = option.replace("_", "-")
        raise UserError(f"--{name}: missing, and {path} is relative to it (a TypeError there)")
    return f"{str(folder).rstrip('/')}/{path}"


def number(text: str | None, default: str) -> str:
    """A float as argparse writes it; the default stays as it is."""
    return default if text is None else str(float(text))
