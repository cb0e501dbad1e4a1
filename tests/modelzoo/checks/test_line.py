"""Every check of a command line: lines that it reports with its reason, lines that it does not."""

import pytest

from bertsquad.modelzoo.checks.line import BREAKING, IGNORED
from bertsquad.modelzoo.checks.table import Finding, examine
from bertsquad.modelzoo.command_line import parse
from modelzoo.guide import INFERENCE, TRAINING, words

CHECKS = (*BREAKING, *IGNORED)


def findings(text: str) -> list[Finding]:
    return examine(CHECKS, parse(words(text)))


def training(*more: str, **changed: str) -> str:
    """The guide's training with words added, and words (or beginnings of them) changed."""
    return with_changes(TRAINING, more, changed)


def inference(*more: str, **changed: str) -> str:
    return with_changes(INFERENCE, more, changed)


def with_changes(text: str, more: tuple[str, ...], changed: dict[str, str]) -> str:
    kept = words(text)
    for name, value in changed.items():
        names = [name, f"--{name}", name.replace("_", "-"), f"--{name.replace('_', '-')}"]
        kept = [
            (f"{word.partition('=')[0]}={value}" if value else "")
            if word.partition("=")[0] in names
            else word
            for word in kept
        ]
    return " ".join([*filter(None, kept), *more])


def with_options(text: str, *more: str) -> str:
    """Options go before the `--`."""
    before, dashes, after = text.partition(" -- ")
    return " ".join([before, *more]) + dashes + after


# check -> a command line that it reports, part of the message
REPORTED = {
    "mode": (training(mode="profiling"), "--mode=profiling"),
    "model": (training(precision="int8"), "--precision=int8, not fp32 or bfloat16"),
    "batch-size": (training(batch_size="0"), "the launcher refuses 0"),
    "counts": (training(num_intra_threads="0"), "--num-intra-threads=0"),
    "cores": (with_options(inference(), "--num-cores=0"), "--num-cores=0"),
    "argument-without-value": (training("do_train"), "'do_train'"),
    "output-results": (with_options(training(), "--output-results"), "--output-results: the"),
    "volume": (with_options(training(), "--volume=/a:/b"), "--volume without --docker-image"),
    "shm-size": (with_options(training(), "--shm-size=8"), "its pattern needs a unit"),
    "train-option": (training(train_option=""), "still exits with 0"),
    "optimized-softmax-fp32": (training(precision="fp32"), "optimized_softmax=True"),
    "processes-per-socket": (training(mpi_num_processes_per_socket="2"), "-np: not found"),
    "data-threads": (
        with_options(training(), "--data-num-intra-threads=2"),
        "--data-num-intra-threads=2: it is handed on",
    ),
    "number": (training(learning_rate="fast"), "learning_rate=fast: no number"),
    "accum-steps": (training("accum_steps=2"), "Accum steps not yet supported"),
    "inference-argument": (inference("-- do_lower_case=True"), "do_lower_case=True: the inference"),
    "folders": (
        inference().replace("--checkpoint /tmp/bert_large_checkpoints", ""),
        "no --checkpoint, which init_checkpoint would be relative to",
    ),
    "both-only": (inference("--accuracy-only"), "the last --mode wins"),
    "profile-accuracy": (
        inference("-- profile=True").replace("--benchmark-only", "--accuracy-only"),
        "no predictions",
    ),
    "relative-output": (training(output_dir="out"), "--output-dir=out is relative"),
    "shell": (training(vocab_file="'/tmp/my files/vocab.txt'"), "vocab_file is '/tmp/my files"),
    "cut-off": (training("do_train=a=b"), "keeps only 'a'"),
    "dropped": (training("max_query_length=32"), "max_query_length (it stays 64)"),
    "docker-image": (with_options(training(), "--docker-image=x"), "privileged"),
    "debug": (with_options(training(), "--debug"), "opens a shell"),
    "inference-processes": (inference("--mpi_num_processes=2"), "that many whole copies"),
    "warmup-steps": (TRAINING, "warmup_steps=0: ignored for SQuAD"),
    "pretraining-argument": (training("num_train_steps=9"), "num_train_steps=9"),
    "train-option-inference": (inference("-- train_option=SQuAD"), "ignored in inference"),
    "profile": (inference("-- profile=True"), "--mode=benchmark after it"),
    "zero": (inference("-- doc_stride=0"), "doc_stride=0: the launcher drops a 0"),
    "num-instances": (with_options(training(), "--num-instances=2"), "--num-instances=2: ignored"),
    "num-cores": (inference("--num-cores=4"), "nothing is bound"),
    "data-threads-inference": (inference("--data-num-inter-threads=2"), "ignored in inference"),
    "training-folders": (with_options(training(), "--checkpoint=/tmp"), "--checkpoint=/tmp"),
    "training-modes": (with_options(training(), "--benchmark-only"), "ignored in training"),
    "unused": (inference("--in-graph=/tmp/x.pb"), "--in-graph=/tmp/x.pb: bert_large does not"),
    "shm-size-host": (inference("--shm-size=8g"), "only used with --docker-image"),
    "processes-per-socket-alone": (
        training(mpi_num_processes="", mpi_num_processes_per_socket="2"),
        "ignored without --mpi_num_processes",
    ),
    "socket-id-processes": (with_options(training(), "--socket-id=0"), "binds nothing"),
    "tcmalloc": (inference("--disable-tcmalloc=False"), "not where Ubuntu puts it"),
    "sync-gradients": (training(mpi_workers_sync_gradients="False"), "a model of its own"),
    "ranks": (TRAINING, "the learning rate becomes 1.5e-5 * sqrt(4) = 3e-05"),
    "sync-alone": (training(mpi_num_processes=""), "nothing to synchronise"),
    "experimental-gelu": (TRAINING, "another GELU"),
    "training-defaults": (training(max_seq_length=""), "max_seq_length not given"),
    "kmp-affinity": (INFERENCE, "lacks `granularity=`"),
    "twice": (training("doc-stride=64"), "doc_stride, given 2 times"),
    "no-output-dir": (training(output_dir=""), "the Model Zoo's own folder"),
}


@pytest.mark.parametrize("check", REPORTED)
def test_a_check_reports_its_reason(check: str):
    text, message = REPORTED[check]
    messages = [each.message for each in findings(text) if each.check == check]
    assert any(message in each for each in messages), messages
    assert not any("\n" in each for each in messages)


def test_every_check_is_tested_and_has_a_name_of_its_own():
    names = [check.name for check in CHECKS]
    assert sorted(names) == sorted(REPORTED)
    assert all(check.severity == "error" for check in BREAKING)
    assert all(check.severity == "warning" for check in IGNORED)


def test_the_guides_commands_run_and_have_exactly_these_warnings():
    train, infer = findings(TRAINING), findings(INFERENCE)
    assert {each.severity for each in train + infer} == {"warning"}
    assert [each.check for each in train] == ["warmup-steps", "ranks", "experimental-gelu"]
    assert [each.check for each in infer] == ["kmp-affinity"]


NOT_REPORTED = {
    "batch-size": inference().replace("--batch-size=32", "--batch-size=-1"),
    "processes-per-socket": training(mpi_num_processes=""),
    "optimized-softmax-fp32": training(precision="fp32", optimized_softmax=""),
    "accum-steps": training("accum_steps=1"),
    "relative-output": training(output_dir="/tmp/a-b_c.1"),
    "cut-off": training("do_train=True"),
    "kmp-affinity": "KMP_AFFINITY=granularity=fine,compact,1,0 " + INFERENCE.strip(),
    "folders": inference(
        "-- init_checkpoint=/x/model.ckpt vocab_file=/x/v config_file=/x/c predict_file=/x/p"
    )
    .replace("--checkpoint /tmp/bert_large_checkpoints", "")
    .replace("--data-location /tmp/wwm_uncased_L-24_H-1024_A-16", ""),
    "shm-size": with_options(training(), "--shm-size=8g"),
    "inference-argument": inference("-- max-seq-length=128 doc-stride=64"),
    "ranks": training(mpi_num_processes="1"),
    "socket-id-processes": inference("--mpi_num_processes=1 --socket-id=0"),
    "zero": inference("-- doc_stride=64 max_seq_length=128"),
}


@pytest.mark.parametrize("check", NOT_REPORTED)
def test_a_check_reports_nothing(check: str):
    assert check not in {each.check for each in findings(NOT_REPORTED[check])}


@pytest.mark.parametrize("size", ["8'", "8,", "8gb"])
def test_the_launcher_takes_sizes_that_are_none(size):
    text = with_options(training(), f'--shm-size="{size}"')
    found = [each.message for each in findings(text) if each.check == "shm-size"]
    assert "the launcher takes it although it is no size" in found[0]


DROPPED = ("output_dir", "max_query_length", "n_best_size", "max_answer_length")
DROPPED += ("warmup_proportion", "version_2_with_negative", "save_checkpoints_steps")
DROPPED += ("predict_batch_size", "wurmup_steps")


@pytest.mark.parametrize("name", DROPPED)
def test_names_that_the_launcher_drops_are_errors(name):
    found = [each for each in findings(training(f"{name}=1")) if each.check == "dropped"]
    assert found[0].severity == "error"
    assert name in found[0].message


def test_a_misspelt_name_brings_the_right_one():
    found = [each for each in findings(training("wurmup_steps=1")) if each.check == "dropped"]
    assert "did you mean warmup_steps" in found[0].message


@pytest.mark.parametrize("path", ["/tmp/a b", "/tmp/a;b", "/tmp/$HOME", "/tmp/(a)", "~/a", "/a*"])
def test_signs_that_a_shell_takes_for_its_own_are_errors(path):
    text = TRAINING.replace("vocab_file=/tmp/wwm_cased_L-24_H-1024_A-16", f"vocab_file='{path}'")
    assert "shell" in {each.check for each in findings(text)}
