"""A STAND-IN for the Model Zoo's launch_benchmark.py v1.6.1, for tests. It computes nothing.

It takes the launcher's options, drops and refuses what the launcher drops and refuses, prints its
log in the same formats, leaves the files that a run would leave, and like it says 0 when a run has
failed. Predictions are the dataset's own answers, every tenth one empty; what it "trains" is the
checkpoint in `trained/` beside its folder. The variable STAND_IN_FAILS makes the model's script
fail: crash, silent, killed, elsewhere, cut-off, hang.

Written from what is known of the launcher (docs/modelzoo.md), without its code.
"""

import argparse
import json
import math
import os
import shutil
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
KNOWN = (
    *("train_option", "init_checkpoint", "task_name", "warmup_steps", "vocab_file", "config_file"),
    *("do_predict", "predict_file", "do_train", "train_file", "num_train_epochs"),
    *("num_train_steps", "max_predictions", "learning_rate", "max_seq_length", "doc_stride"),
    *("input_file", "do_eval", "data_dir", "do_lower_case", "accum_steps", "profile"),
    *("experimental_gelu", "optimized_softmax", "mpi_workers_sync_gradients"),
)
INFERENCE = (
    *("init_checkpoint", "vocab_file", "config_file", "predict_file"),
    *("doc_stride", "max_seq_length", "profile"),
)
STEPS, WARMUP_STEPS = 30, 5
BATCH_S = 0.01  # how long the stand-in pretends to compute a batch


class FailedError(Exception):
    """The model's script has ended; the launcher does not notice."""


def main():
    args, arguments = parse()
    exported = export(arguments)
    print("Running with parameters:")
    for name in ("mode", "precision", "batch_size", "socket_id", "output_dir"):
        print(f"    {name.upper()}: {getattr(args, name)}")
    say(f"STAND-IN: nothing is computed; the log goes to {args.output_dir}")
    script(args, exported)
    if args.batch_size != -1:
        say(f"Ran {args.mode} with batch size {args.batch_size}")
    say(f"Log location outside container: {args.output_dir}")


def parse():
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("-f", "--framework", required=True)
    add("-p", "--precision", required=True, choices=["fp32", "int8", "bfloat16"])
    add("-mo", "--mode", required=True, choices=["training", "inference"])
    add("-m", "--model-name", required=True)
    add("-b", "--batch-size", type=batch_size, default=-1)
    add("--mpi_num_processes", type=int)
    add("--mpi_num_processes_per_socket", type=int, default=1)
    add("-d", "--data-location", type=not_a_link)
    add("-c", "--checkpoint", type=not_a_link)
    add("-i", "--socket-id", type=int, default=-1)
    add("-n", "--num-cores", type=int, default=-1)
    add("-a", "--num-intra-threads", type=int)
    add("-e", "--num-inter-threads", type=int)
    add("-k", "--benchmark-only", action="store_true")
    add("--accuracy-only", action="store_true")
    add("-v", "--verbose", action="store_true")
    add("--output-dir", default=str(HERE / "common/tensorflow/logs"))
    add("model_args", nargs="*")
    args, unknown = parser.parse_known_args()
    if args.model_name != "bert_large" or args.precision == "int8":
        raise ValueError(f"No model was found for {args.framework} {args.model_name}")
    if not args.benchmark_only and not args.accuracy_only:
        args.benchmark_only = True
    if args.checkpoint:
        say("Warning: The --checkpoint argument is being deprecated in favor of frozen graphs.")
    return args, args.model_args + unknown


def batch_size(text):
    if int(text) == 0 or int(text) < -1:
        raise argparse.ArgumentTypeError("0 is not valid.")
    return int(text)


def not_a_link(text):
    path = Path(text)
    if not path.exists() or path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
        raise argparse.ArgumentTypeError(f"{text} cannot be a link.")
    return text


def export(arguments):
    """Model arguments as variables; unknown names go nowhere, set variables come in."""
    for argument in arguments:
        if "=" not in argument:
            raise ValueError(f"Expected model args in the format `name=value`: {argument}")
        name, value = argument.split("=")[:2]
        os.environ[name.replace("-", "_").lstrip("_")] = value
    return {name: os.environ[name] for name in KNOWN if os.environ.get(name)}


def script(args, given):
    """start.sh and what it runs; whatever happens, the launcher goes on."""
    try:
        make_folder(args.output_dir)
        if str(HERE) not in os.environ.get("PYTHONPATH", "").split(":"):
            traceback("ModuleNotFoundError: No module named 'common'")
        if args.mode == "training":
            training(args, given)
        else:
            inference(args, given)
    except FailedError as error:
        say(error)


def make_folder(folder):
    """Plain mkdir, and a relative path means another folder for the log."""
    if not Path(folder).is_dir():
        try:
            Path(folder).mkdir()
        except OSError as error:
            say(f"mkdir: cannot create directory '{folder}': {error.strerror}")
    if not Path(folder).is_absolute():
        say(f"tee: {folder}/benchmark_bert_large.log: No such file or directory")


def training(args, given):
    if "train_option" not in given:
        raise FailedError("Error: Please specify a train option (SQuAD, Classifier, Pretraining)")
    if args.precision == "fp32" and "optimized_softmax" in given:
        raise FailedError(
            "run_squad.py: error: unrecognized arguments: --optimized-softmax="
            + given["optimized_softmax"]
        )
    say("INFO:Running SQuAD...!")
    ranks = args.mpi_num_processes or 1
    nodes = len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or 1
    if args.mpi_num_processes and args.mpi_num_processes_per_socket != 1:
        raise FailedError("sh: 1: -np: not found")
    if ranks > nodes:
        raise FailedError(f"libnuma: Warning: node argument {nodes} is out of range")
    fail(args, "Writing predictions")
    examples = len(questions(given["train_file"]))
    size = 24 if args.batch_size == -1 else args.batch_size
    steps = int(examples / size * float(given.get("num_train_epochs", 20))) // ranks
    folder = Path(args.output_dir)
    if (folder / "checkpoint").exists():
        info("Skipping training since max_steps has already saved.")
    info("***** Running training *****")
    for name, value in (("Num orig examples", examples), ("Batch size", size)):
        info(f"  {name} = {value}")
    info(f"  Num steps = {steps}")
    for number in range(3):
        for rank in range(ranks):
            info(f"examples/sec: {(1.0 if number == 0 else 2.0) + rank / 10:g}")
        info(f"\t Loss  = {4.0 - number:.7g} (1.5 sec)")
    for rank in range(ranks):
        info(f"Loss for final step: {0.5 + rank / 10}.")
    trained = HERE.parent / "trained"
    for number in (0, steps):
        for path in trained.iterdir():
            shutil.copy(path, folder / path.name.replace("model.ckpt", f"model.ckpt-{number}"))
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "model.ckpt-{steps}"\n')
    running_predictions(given["predict_file"], 8)
    write_predictions(folder, given["predict_file"])


def inference(args, given):
    refused = [name for name in given if name not in INFERENCE and name != "train_option"]
    if refused:
        raise FailedError(
            "run_tf_benchmark.py: error: unrecognized arguments: "
            + " ".join(f"--{name.replace('_', '-')}={given[name]}" for name in refused)
        )
    if args.data_location is None:
        traceback("TypeError: expected str, bytes or os.PathLike object, not NoneType")
    asked = Path(args.data_location) / given.get("predict_file", "dev-v1.1.json")
    if args.benchmark_only:
        benchmark(args, asked)
    else:
        try:
            fail(args, "Writing predictions")
            running_predictions(asked, size_of(args))
            for number in range(0, len(questions(asked)), 10):
                info(f"Processing example: {number}")
            write_predictions(Path(args.output_dir), asked)
        except FailedError as error:
            say(error)
    if args.accuracy_only:
        predictions = Path(args.output_dir) / "predictions.json"
        if predictions.is_file():  # a stale one, too
            right = [bool(text) for text in json.loads(predictions.read_text()).values()]
            share = 100.0 * sum(right) / len(right)
            say(json.dumps({"exact_match": share, "f1": share}))
        else:
            say(f"Warning: The {predictions} preditions file was not found. Unable to run it.")


def benchmark(args, asked):
    size = size_of(args)
    features = min(len(questions(asked)), STEPS * size)
    threshold = WARMUP_STEPS * size
    fail(args, "throughput")
    running_predictions(asked, size)
    start = None
    for number in range(1, features + 1):
        if (number - 1) % size == 0:
            time.sleep(BATCH_S)
        if number == threshold + 1:
            start = time.time()
        if number % 10 == 0:
            info(f"Processed #examples: {number}")
    if start is None:
        traceback("NameError: name 'start' is not defined")
    elapsed = time.time() - start
    say(
        f"Elapsed time: {elapsed:f} num processed examples: {features:d} "
        f"threshod_examples: {threshold:d}"
    )
    say(
        "throughput((num_processed_examples-threshod_examples)/Elapsedtime): "
        f"{(features - threshold) / elapsed:3.2f}"
    )


def size_of(args):
    return 32 if args.batch_size == -1 else args.batch_size


def running_predictions(asked, size):
    info("***** Running predictions *****")
    info(f"  Num orig examples = {len(questions(asked))}")
    info(f"  Num split examples = {len(questions(asked))}")
    info(f"  Batch size = {size}")


def write_predictions(folder, asked):
    info(f"Writing predictions to: {folder}/predictions.json")
    info(f"Writing nbest to: {folder}/nbest_predictions.json")
    texts = {
        each["id"]: "" if number % 10 == 9 else each["answers"][0]["text"]
        for number, each in enumerate(questions(asked))
    }
    nbest = {
        name: [{"text": text, "probability": 1.0, "start_logit": 1.0, "end_logit": 1.0}]
        for name, text in texts.items()
    }
    for name, value in (("predictions", texts), ("nbest_predictions", nbest)):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=4) + "\n")


def questions(path):
    articles = json.loads(Path(path).read_text(encoding="utf-8"))["data"]
    return [
        question for each in articles for part in each["paragraphs"] for question in part["qas"]
    ]


def fail(args, last):
    """Fail as STAND_IN_FAILS says."""
    how = os.environ.get("STAND_IN_FAILS", "")
    if how == "crash":
        traceback("tensorflow.python.framework.errors_impl.NotFoundError: no such tensor")
    if how == "silent":
        raise FailedError("")
    if how == "killed":
        raise FailedError("Killed")
    if how == "elsewhere":
        args.output_dir = str(Path(args.output_dir).parent / "elsewhere")
        Path(args.output_dir).mkdir(exist_ok=True)
    if how == "cut-off":
        say(f"{last[: math.ceil(len(last) / 2)]}")
        sys.exit(0)
    if how == "hang":
        say("waiting for ever")
        time.sleep(3600)


def traceback(line):
    say("Traceback (most recent call last):")
    say('  File "run_squad.py", line 1, in <module>')
    raise FailedError(line)


def info(line):
    """TensorFlow's line, and absl's copy of it."""
    say(f"INFO:tensorflow:{line}")
    say(f"I0609 07:53:35.833359 140422 tpu_estimator.py:2351] {line}")


def say(line):
    print(line, flush=True)


if __name__ == "__main__":
    main()
