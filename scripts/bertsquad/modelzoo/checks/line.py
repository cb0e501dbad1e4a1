"""Checks of a command line of the launcher.

Every reason was observed by running v1.6.1 or read in its code. After argparse the launcher's exit
status is 0 even where its script fails.
"""

from bertsquad.modelzoo.checks.finders import (
    INFERENCE,
    TRAINING,
    absent,
    argument,
    cut_off,
    dropped,
    folder_missing,
    given,
    in_mode,
    is_true,
    no_number,
    not_for_squad,
    positive,
    processes,
    rejected_in_inference,
    relative_output,
    several_per_socket,
    shm_size,
    twice,
    unsafe,
    unsharded,
    unsynchronised,
    without_value,
    wrong_choice,
    zeros,
)
from bertsquad.modelzoo.checks.table import CallCheck

# Errors: the run fails, or the launcher drops a setting.
BREAKING = (
    CallCheck(
        "mode",
        "error",
        lambda line: line.mode not in (TRAINING, INFERENCE) and f"--mode={line.mode}",
        "the launcher knows training and inference",
    ),
    CallCheck(
        "model",
        "error",
        wrong_choice,
        "the launcher finds no such model and ends with a ValueError",
    ),
    CallCheck(
        "batch-size",
        "error",
        lambda line: (size := line.given("batch_size", -1)) in (0,) or int(size) < -1,
        "--batch-size must be at least 1 (or -1, the default of 24 in training and 32 in "
        "inference): the launcher refuses 0 and less",
    ),
    CallCheck(
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
    CallCheck(
        "cores",
        "error",
        lambda line: (
            (line.given("num_cores", -1) == 0 or int(line.given("num_cores", -1)) < -1)
            and f"--num-cores={line.given('num_cores')}"
        ),
        "must be at least 1, or -1; the launcher refuses it",
    ),
    CallCheck(
        "argument-without-value",
        "error",
        without_value,
        "the launcher wants name=value and ends with a ValueError",
    ),
    CallCheck(
        "output-results",
        "error",
        given("output_results"),
        "the launcher refuses it for every model but resnet50",
    ),
    CallCheck(
        "volume",
        "error",
        lambda line: bool(line.given("volume")) and not line.given("docker_image"),
        "--volume without --docker-image: the launcher refuses it",
    ),
    CallCheck(
        "shm-size",
        "error",
        shm_size,
        "write a whole number and one of b, k, m, g",
    ),
    CallCheck(
        "train-option",
        "error",
        in_mode(TRAINING, lambda line: line.values().get("train_option") != "SQuAD"),
        "training needs the model argument train_option=SQuAD; without it start.sh stops "
        "and the launcher still exits with 0 (Classifier and Pretraining are other tasks)",
    ),
    CallCheck(
        "optimized-softmax-fp32",
        "error",
        in_mode(
            TRAINING,
            lambda line: line.given("precision") == "fp32" and argument("optimized_softmax")(line),
        ),
        "the FP32 training script does not know it and stops, although the README says to"
        " change only the precision",
    ),
    CallCheck(
        "processes-per-socket",
        "error",
        in_mode(TRAINING, several_per_socket),
        "the word mpirun is then missing from the command, and the shell says `-np: not found`",
    ),
    CallCheck(
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
    CallCheck(
        "number",
        "error",
        no_number,
        "no number; the script's parser stops, and the launcher still exits with 0",
    ),
    CallCheck(
        "accum-steps",
        "error",
        argument("accum_steps", when=lambda value: value != "1"),
        "run_squad.py says `Accum steps not yet supported in SQuAD` and leaves with status 0",
    ),
    CallCheck(
        "inference-argument",
        "error",
        in_mode(INFERENCE, rejected_in_inference),
        "the inference script's parser does not know it and stops, and the launcher still"
        " exits with 0",
    ),
    CallCheck(
        "folders",
        "error",
        in_mode(INFERENCE, folder_missing),
        "the script joins None and a name: a TypeError, and the launcher still exits with 0",
    ),
    CallCheck(
        "both-only",
        "error",
        lambda line: bool(line.given("benchmark_only") and line.given("accuracy_only")),
        "--benchmark-only and --accuracy-only together: the last --mode wins, so no "
        "predictions are written and nothing is scored",
    ),
    CallCheck(
        "profile-accuracy",
        "error",
        lambda line: line.given("accuracy_only") and argument("profile", when=is_true)(line),
        "the last --mode wins, so no predictions are written",
    ),
    CallCheck(
        "relative-output",
        "error",
        relative_output,
        "start.sh makes it where it is called and then changes the folder, so the log "
        "cannot be written",
    ),
    CallCheck(
        "shell",
        "error",
        unsafe,
        "values reach a shell unquoted, so blanks and signs like ; & $ ( ) are taken for "
        "commands; use letters, digits and . _ - / =",
    ),
    CallCheck(
        "cut-off",
        "error",
        cut_off,
        "the launcher takes the text between the first two `=`",
    ),
    CallCheck(
        "dropped",
        "error",
        dropped,
        "start.sh knows no such name and drops it without a word",
    ),
    CallCheck(
        "docker-image",
        "error",
        given("docker_image"),
        "the launcher's own container is privileged, upgrades the system first, has 64 MB"
        " of shared memory and leaves files of root's; use `image` of the configuration",
    ),
    CallCheck(
        "debug",
        "error",
        given("debug"),
        "it opens a shell in place of the run",
    ),
    CallCheck(
        "inference-processes",
        "error",
        in_mode(
            INFERENCE, lambda line: processes(line) > 1 and f"--mpi_num_processes={processes(line)}"
        ),
        "inference starts that many whole copies, and all write the same files",
    ),
)

# Warnings: the launcher ignores a setting, or its effect is not the obvious one.
IGNORED = (
    CallCheck(
        "warmup-steps",
        "warning",
        in_mode(TRAINING, argument("warmup_steps")),
        "ignored for SQuAD: run_squad.py warms up over 10 % of the steps all the same",
    ),
    CallCheck(
        "pretraining-argument",
        "warning",
        in_mode(TRAINING, not_for_squad),
        "only read by other tasks than SQuAD",
    ),
    CallCheck(
        "train-option-inference",
        "warning",
        in_mode(INFERENCE, argument("train_option")),
        "ignored in inference",
    ),
    CallCheck(
        "profile",
        "warning",
        in_mode(
            INFERENCE,
            lambda line: (
                not line.given("accuracy_only") and argument("profile", when=is_true)(line)
            ),
        ),
        "cannot be reached: the launcher adds --mode=benchmark after it, which wins",
    ),
    CallCheck("zero", "warning", in_mode(INFERENCE, zeros), "the launcher drops a 0"),
    CallCheck(
        "num-instances",
        "warning",
        given("num_instances", unless=1),
        "ignored for bert_large",
    ),
    CallCheck(
        "num-cores",
        "warning",
        given("num_cores", unless=-1),
        "only changes default thread counts; nothing is bound to cores",
    ),
    CallCheck(
        "data-threads-inference",
        "warning",
        in_mode(
            INFERENCE,
            lambda line: (
                given("data_num_intra_threads")(line) or given("data_num_inter_threads")(line)
            ),
        ),
        "ignored in inference",
    ),
    CallCheck(
        "training-folders",
        "warning",
        in_mode(
            TRAINING,
            lambda line: [
                text for key in ("checkpoint", "data_location") if (text := given(key)(line))
            ],
        ),
        "ignored in training, where model arguments name the files",
    ),
    CallCheck(
        "training-modes",
        "warning",
        in_mode(
            TRAINING,
            lambda line: [
                text for key in ("benchmark_only", "accuracy_only") if (text := given(key)(line))
            ],
        ),
        "ignored in training",
    ),
    CallCheck(
        "unused",
        "warning",
        lambda line: [text for key in ("backbone_model", "in_graph") if (text := given(key)(line))],
        "bert_large does not use it at v1.6.1",
    ),
    CallCheck(
        "shm-size-host",
        "warning",
        lambda line: not line.given("docker_image") and given("shm_size")(line),
        "only used with --docker-image",
    ),
    CallCheck(
        "processes-per-socket-alone",
        "warning",
        lambda line: not processes(line) and given("mpi_num_processes_per_socket", unless=1)(line),
        "ignored without --mpi_num_processes",
    ),
    CallCheck(
        "socket-id-processes",
        "warning",
        in_mode(
            TRAINING,
            lambda line: bool(processes(line)) and given("socket_id", unless=-1)(line),
        ),
        "binds nothing when MPI is used",
    ),
    CallCheck(
        "tcmalloc",
        "warning",
        given("disable_tcmalloc", unless="True"),
        "libtcmalloc is looked for in /usr/lib and /usr/lib64 only, not where Ubuntu puts"
        " it; if it is not there, nothing is preloaded",
    ),
    CallCheck(
        "sync-gradients",
        "warning",
        in_mode(TRAINING, unsynchronised),
        "mpi_workers_sync_gradients is not True: after the first broadcast every process "
        "trains a model of its own",
    ),
    CallCheck(
        "ranks",
        "warning",
        in_mode(TRAINING, unsharded),
        "no part of the data belongs to one process; so it is in v1.6.1",
    ),
    CallCheck(
        "sync-alone",
        "warning",
        in_mode(
            TRAINING,
            lambda line: (
                processes(line) < 2 and argument("mpi_workers_sync_gradients", when=is_true)(line)
            ),
        ),
        "there is one process and nothing to synchronise",
    ),
    CallCheck(
        "experimental-gelu",
        "warning",
        in_mode(TRAINING, argument("experimental_gelu", when=is_true)),
        "needs a TensorFlow with tf.nn.gelu (Intel's build, or 2.4 and later), and "
        "computes another GELU than BERT's",
    ),
    CallCheck(
        "training-defaults",
        "warning",
        in_mode(TRAINING, absent("max_seq_length", "num_train_epochs")),
        "the launcher's own defaults are 512 tokens and 20 epochs, not run_squad.py's 384 and 3",
    ),
    CallCheck(
        "kmp-affinity",
        "warning",
        in_mode(INFERENCE, lambda line: "KMP_AFFINITY" not in line.environment),
        "KMP_AFFINITY becomes `fine,verbose,compact,1,0`, which lacks `granularity=` and "
        "fills the log; set it under `environment`",
    ),
    CallCheck(
        "twice",
        "warning",
        twice,
        "the last one counts",
    ),
    CallCheck(
        "no-output-dir",
        "warning",
        lambda line: line.given("output_dir") is None,
        "no --output-dir: log and checkpoints go into the Model Zoo's own folder",
    ),
)
