"""Settings that the launcher ignores, or that are not what they look like. Every reason was seen
by running v1.6.1 or read in it."""

from bertsquad.modelzoo.findings import Check
from bertsquad.modelzoo.line_finders import (
    INFERENCE,
    TRAINING,
    absent,
    argument,
    given,
    in_mode,
    not_for_squad,
    processes,
    true,
    twice,
    unsharded,
    unsynchronised,
)

IGNORED = (
    Check(
        "warmup-steps",
        "warning",
        in_mode(TRAINING, argument("warmup_steps")),
        "ignored for SQuAD: run_squad.py warms up over 10 % of the steps all the same",
    ),
    Check(
        "pretraining-argument",
        "warning",
        in_mode(TRAINING, not_for_squad),
        "only read by other tasks than SQuAD",
    ),
    Check(
        "train-option-inference",
        "warning",
        in_mode(INFERENCE, argument("train_option")),
        "ignored in inference",
    ),
    Check(
        "profile",
        "warning",
        in_mode(
            INFERENCE,
            lambda line: not line.given("accuracy_only") and argument("profile", when=true)(line),
        ),
        "cannot be reached: the launcher adds --mode=benchmark after it, which wins",
    ),
    Check(
        "num-instances",
        "warning",
        given("num_instances", unless=1),
        "ignored for bert_large",
    ),
    Check(
        "num-cores",
        "warning",
        given("num_cores", unless=-1),
        "only changes default thread counts; nothing is bound to cores",
    ),
    Check(
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
    Check(
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
    Check(
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
    Check(
        "unused",
        "warning",
        lambda line: [text for key in ("backbone_model", "in_graph") if (text := given(key)(line))],
        "bert_large does not use it at v1.6.1",
    ),
    Check(
        "shm-size-host",
        "warning",
        lambda line: not line.given("docker_image") and given("shm_size")(line),
        "only used with --docker-image",
    ),
    Check(
        "processes-per-socket-alone",
        "warning",
        lambda line: not processes(line) and given("mpi_num_processes_per_socket", unless=1)(line),
        "ignored without --mpi_num_processes",
    ),
    Check(
        "socket-id-processes",
        "warning",
        lambda line: bool(processes(line)) and given("socket_id", unless=-1)(line),
        "binds nothing when MPI is used",
    ),
    Check(
        "tcmalloc",
        "warning",
        given("disable_tcmalloc", unless="True"),
        "libtcmalloc is looked for in /usr/lib and /usr/lib64 only, not where Ubuntu puts"
        " it; if it is not there, nothing is preloaded",
    ),
    Check(
        "sync-gradients",
        "warning",
        in_mode(TRAINING, unsynchronised),
        "mpi_workers_sync_gradients is not True: after the first broadcast every process "
        "trains a model of its own",
    ),
    Check(
        "ranks",
        "warning",
        in_mode(TRAINING, unsharded),
        "no part of the data belongs to one process; so it is in v1.6.1",
    ),
    Check(
        "sync-alone",
        "warning",
        in_mode(
            TRAINING,
            lambda line: (
                processes(line) < 2 and argument("mpi_workers_sync_gradients", when=true)(line)
            ),
        ),
        "there is one process and nothing to synchronise",
    ),
    Check(
        "experimental-gelu",
        "warning",
        in_mode(TRAINING, argument("experimental_gelu", when=true)),
        "needs a TensorFlow with tf.nn.gelu (Intel's build, or 2.4 and later), and "
        "computes another GELU than BERT's",
    ),
    Check(
        "training-defaults",
        "warning",
        in_mode(TRAINING, absent("max_seq_length", "num_train_epochs")),
        "the launcher's own defaults are 512 tokens and 20 epochs, not run_squad.py's 384 and 3",
    ),
    Check(
        "kmp-affinity",
        "warning",
        in_mode(INFERENCE, lambda line: "KMP_AFFINITY" not in line.environment),
        "KMP_AFFINITY becomes `fine,verbose,compact,1,0`, which lacks `granularity=` and "
        "fills the log; set it under `environment`",
    ),
    Check(
        "twice",
        "warning",
        twice,
        "the last one counts",
    ),
    Check(
        "no-output-dir",
        "warning",
        lambda line: line.given("output_dir") is None,
        "no --output-dir: log and checkpoints go into the Model Zoo's own folder",
    ),
)
