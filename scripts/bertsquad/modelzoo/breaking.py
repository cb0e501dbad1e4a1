"""Command lines that break the launcher, or drop what was asked for. Every reason was seen by
running v1.6.1 or read in it; behind argparse its exit status is 0 all the same."""

from bertsquad.modelzoo.findings import Check
from bertsquad.modelzoo.line_finders import (
    INFERENCE,
    TRAINING,
    argument,
    cut_off,
    dropped,
    folder_missing,
    given,
    in_mode,
    no_number,
    positive,
    processes,
    rejected_in_inference,
    relative_output,
    several_per_socket,
    shm_size,
    true,
    unsafe,
    without_value,
    wrong_choice,
)

BREAKING = (
    Check(
        "mode",
        "error",
        lambda line: line.mode not in (TRAINING, INFERENCE) and f"--mode={line.mode}",
        "the launcher knows training and inference",
    ),
    Check(
        "model",
        "error",
        wrong_choice,
        "the launcher finds no such model and ends with a ValueError",
    ),
    Check(
        "batch-size",
        "error",
        lambda line: (size := line.given("batch_size", -1)) in (0,) or int(size) < -1,
        "--batch-size must be at least 1 (or -1, the default of 24 in training and 32 in "
        "inference): the launcher refuses 0 and less",
    ),
    Check(
        "counts",
        "error",
        lambda line: [
            text
            for key in (
                "mpi_num_processes",
                "mpi_num_processes_per_socket",
                "num_intra_threads",
                "num_inter_threads",
                "num_instances",
                "data_num_intra_threads",
                "data_num_inter_threads",
                "num_train_steps",
            )
            if (text := positive(key)(line))
        ],
        "must be at least 1; the launcher refuses it",
    ),
    Check(
        "cores",
        "error",
        lambda line: (
            (line.given("num_cores", -1) == 0 or int(line.given("num_cores", -1)) < -1)
            and f"--num-cores={line.given('num_cores')}"
        ),
        "must be at least 1, or -1; the launcher refuses it",
    ),
    Check(
        "argument-without-value",
        "error",
        without_value,
        "the launcher wants name=value and ends with a ValueError",
    ),
    Check(
        "output-results",
        "error",
        given("output_results"),
        "the launcher refuses it for every model but resnet50",
    ),
    Check(
        "volume",
        "error",
        lambda line: bool(line.given("volume")) and not line.given("docker_image"),
        "--volume without --docker-image: the launcher refuses it",
    ),
    Check(
        "shm-size",
        "error",
        shm_size,
        "write a whole number and one of b, k, m, g",
    ),
    Check(
        "train-option",
        "error",
        in_mode(TRAINING, lambda line: line.values().get("train_option") != "SQuAD"),
        "training needs the model argument train_option=SQuAD; without it start.sh stops "
        "and the launcher still exits with 0 (Classifier and Pretraining are other tasks)",
    ),
    Check(
        "optimized-softmax-fp32",
        "error",
        in_mode(
            TRAINING,
            lambda line: line.given("precision") == "fp32" and argument("optimized_softmax")(line),
        ),
        "the FP32 training script does not know it and stops, although the README says to"
        " change only the precision",
    ),
    Check(
        "processes-per-socket",
        "error",
        in_mode(TRAINING, several_per_socket),
        "the word mpirun is then missing from the command, and the shell says `-np: not found`",
    ),
    Check(
        "data-threads",
        "error",
        in_mode(
            TRAINING,
            lambda line: (
                given("data_num_intra_threads")(line) or given("data_num_inter_threads")(line)
            ),
        ),
        "it is handed on to run_squad.py, which does not know it and stops",
    ),
    Check(
        "number",
        "error",
        no_number,
        "no number; the script's parser stops, and the launcher still exits with 0",
    ),
    Check(
        "accum-steps",
        "error",
        argument("accum_steps", when=lambda value: value != "1"),
        "run_squad.py says `Accum steps not yet supported in SQuAD` and leaves with status 0",
    ),
    Check(
        "inference-argument",
        "error",
        in_mode(INFERENCE, rejected_in_inference),
        "the inference script's parser does not know it and stops, and the launcher still"
        " exits with 0",
    ),
    Check(
        "folders",
        "error",
        in_mode(INFERENCE, folder_missing),
        "the script joins None and a name: a TypeError, and the launcher still exits with 0",
    ),
    Check(
        "both-only",
        "error",
        lambda line: bool(line.given("benchmark_only") and line.given("accuracy_only")),
        "--benchmark-only and --accuracy-only together: the last --mode wins, so no "
        "predictions are written and nothing is scored",
    ),
    Check(
        "profile-accuracy",
        "error",
        lambda line: line.given("accuracy_only") and argument("profile", when=true)(line),
        "the last --mode wins, so no predictions are written",
    ),
    Check(
        "relative-output",
        "error",
        relative_output,
        "start.sh makes it where it is called and then changes the folder, so the log "
        "cannot be written",
    ),
    Check(
        "shell",
        "error",
        unsafe,
        "values reach a shell unquoted, so blanks and signs like ; & $ ( ) are taken for "
        "commands; use letters, digits and . _ - / =",
    ),
    Check(
        "cut-off",
        "error",
        cut_off,
        "the launcher takes the text between the first two `=`",
    ),
    Check(
        "dropped",
        "error",
        dropped,
        "start.sh knows no such name and drops it without a word",
    ),
    Check(
        "docker-image",
        "error",
        given("docker_image"),
        "the launcher's own container is privileged, upgrades the system first, has 64 MB"
        " of shared memory and leaves files of root's; use `image` of the configuration",
    ),
    Check(
        "debug",
        "error",
        given("debug"),
        "it opens a shell in place of the run",
    ),
    Check(
        "inference-processes",
        "error",
        in_mode(
            INFERENCE, lambda line: processes(line) > 1 and f"--mpi_num_processes={processes(line)}"
        ),
        "inference starts that many whole copies, and all write the same files",
    ),
)
