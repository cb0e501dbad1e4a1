"""One call of the launcher: its findings, its process or container, its outcome."""

import json
import sys
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.containers.settings import read_settings
from bertsquad.modelzoo.run import (
    CAUSES,
    CONSEQUENCES,
    call_of,
    check_outcome,
    container_identity,
    failure_reason,
    in_container,
    last_checkpoint,
    missing_line,
    remove_output,
    run_here,
)
from modelzoo.checks.test_machine import COOPER_LAKE, SMALL
from modelzoo.guide import LAUNCHER, TRAINING_FILES
from modelzoo.test_log import BENCHMARK
from modelzoo.test_log import TRAINING as TRAINING_LOG

TRAINING = {
    "mode": "training",
    "precision": "fp32",
    "python": "/usr/bin/python3.8",
    "arguments": {"train_option": "SQuAD", "max_seq_length": 384, "num_train_epochs": 2},
}


def call(settings: dict, files=TRAINING_FILES):
    return call_of(json.dumps(settings), files, LAUNCHER)


def test_the_launcher_finds_its_modules_as_the_guide_has_it():
    environment = call(TRAINING).environment({"PYTHONPATH": "/mine", "HOME": "/root"})
    assert environment["PYTHONPATH"] == "/mine:/tmp/models/benchmarks"
    assert call(TRAINING).environment({})["PYTHONPATH"] == "/tmp/models/benchmarks"
    assert environment["HOME"] == "/root"


def test_a_steps_own_variables_come_last():
    settings = TRAINING | {"environment": {"KMP_BLOCKTIME": 0, "OMP_NUM_THREADS": 3}}
    environment = call(settings).environment({"KMP_BLOCKTIME": "9", "OMP_NUM_THREADS": "1"})
    assert (environment["KMP_BLOCKTIME"], environment["OMP_NUM_THREADS"]) == ("0", "3")


def test_the_callers_variables_are_no_finding():
    found = call(TRAINING).findings(
        COOPER_LAKE, {"data_dir": "/x", "KMP_BLOCKTIME": "9"}, files=False
    )
    assert found == []


def test_errors_come_before_warnings():
    settings = {
        **TRAINING,
        "options": {"mpi_num_processes": 4},
        "arguments": {"train_option": "SQuAD"},
    }
    found = call(settings).findings(SMALL, {}, files=False)
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities)
    assert {"nodes", "no-threads", "training-defaults"} <= {finding.check for finding in found}


def test_an_output_folder_is_removed_and_its_parent_made(tmp_path: Path):
    folder = tmp_path / "a/output"
    remove_output(folder)
    assert folder.parent.is_dir()
    folder.mkdir()
    (folder / "predictions.json").write_text("{}")
    remove_output(folder)
    assert not folder.exists()
    kept = tmp_path / "kept"
    kept.mkdir()
    folder.symlink_to(kept)
    remove_output(folder)
    assert kept.is_dir()
    assert not folder.is_symlink()


SHELL = {"PATH": "/usr/bin:/bin"}


def test_both_streams_come_line_by_line_and_the_status_is_kept():
    lines: list[str] = []
    status = run_here(["sh", "-c", "echo one; echo two >&2; exit 3"], SHELL, lines.append)
    assert (status, lines) == (3, ["one\n", "two\n"])


def test_bytes_that_are_no_text_do_not_stop_it():
    lines: list[str] = []
    assert run_here(["printf", "\\377\\n"], SHELL, lines.append) == 0
    assert lines == ["\ufffd\n"]


def test_nothing_stays_when_a_line_cannot_be_taken(tmp_path: Path):
    mark = tmp_path / "mark"

    def refuse(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_here(["sh", "-c", f"echo x; sleep 5; touch {mark}"], SHELL, refuse)
    assert not mark.exists()


def test_the_environment_is_the_given_one():
    lines: list[str] = []
    run_here(["/usr/bin/env"], {"A": "1"}, lines.append)
    assert "A=1\n" in lines
    assert not any(line.startswith("PATH=") for line in lines)


def test_a_container_gets_the_guides_options_and_our_variables():
    argv, environment = in_container(
        "dlrs:v0.7.0",
        ["python3", "/m/launch_benchmark.py", "--", "a=b"],
        {"PYTHONPATH": "/m", "KMP_BLOCKTIME": "0"},
        {"OMP_NUM_THREADS": "1", "PATH": "/bin", "profile": "x"},
        shm_size="8g",
        binding=True,
        folders=[Path("/opt/models")],
    )
    assert argv[0] == sys.executable
    assert Path(argv[1]).name == "docker_shell.py"
    assert Path(argv[1]).is_file()
    assert argv[2] == "-c"
    assert argv[3].endswith("exec python3 /m/launch_benchmark.py -- a=b")
    settings = read_settings(environment)
    assert (settings.image, settings.shm_size, settings.binding) == ("dlrs:v0.7.0", "8g", True)
    assert settings.env == ("PYTHONPATH", "KMP_BLOCKTIME")
    assert settings.mounts == ("/opt/models",)
    assert "OMP_NUM_THREADS" not in environment
    assert "profile" not in environment


def test_the_log_says_which_image_it_was():
    lines = ["a\n", 'bertsquad container: {"image": "dlrs", "image_id": "sha256:1"}\n']
    assert container_identity(lines) == {"image": "dlrs", "image_id": "sha256:1"}
    assert container_identity(["a\n"]) is None


# A line of a real failure -> part of the reason
FAILED = {
    "usage: run_tf_benchmark.py: error: unrecognized arguments: --do-lower-case=True": "argument",
    "Error: Please specify a train option (SQuAD, Classifier, Pretraining)": "no train_option",
    "ModuleNotFoundError: No module named 'common'": "PYTHONPATH",
    "start.sh: line 1: 12 Illegal instruction (core dumped) python3": "another processor",
    "sh: 1: -np: not found": "mpirun is missing",
    "sh: 1: mpirun: not found": "not installed",
    "libnuma: Warning: cpu argument 0-27 is out of range": "not there",
    "<0-27> is invalid": "not there",
    "set_mempolicy: Operation not permitted": "may not be bound",
    "There are not enough slots available in the system to satisfy the 4 slots": "fewer places",
    "mpirun noticed that process rank 1 exited on signal 9 (Killed).": "ended badly",
    "Primary job  terminated normally, but 1 process returned": "ended badly",
    "mpirun was unable to launch the specified application": "could not start",
    "tee: out/benchmark_bert_large.log: No such file or directory": "cannot be made",
    "ValueError: Error: Missing model variables in checkpoint!!": "lacks a part",
    "INFO:tensorflow: Accum steps not yet supported in SQuAD": "accum_steps",
    "INFO:tensorflow:Skipping training since max_steps has already saved.": "an older run",
    "tcmalloc: Cannot allocate memory": "out of memory",
    "Segmentation fault (core dumped)": "crashed",
    "Warning: The /o/predictions.json preditions file was not found.": "no predictions",
    "Killed": "ended from outside",
    "run_squad.py: error: argument --doc-stride: invalid int value": "refuses its arguments",
    "Error: something else": "the launcher stopped",
}


@pytest.mark.parametrize(("line", "meaning"), FAILED.items())
def test_a_line_of_a_failure_is_told_with_its_meaning(line, meaning):
    said = failure_reason(["Running with parameters:", line, "Ran training with batch size 24"])
    assert meaning in said
    assert line.removeprefix("INFO:tensorflow:").strip() in said


def test_every_sign_of_failure_is_tested():
    meanings = {failure_reason([line]).partition(":")[0] for line in FAILED}
    assert meanings == {meaning for _, meaning in (*CAUSES, *CONSEQUENCES)}


def test_what_caused_it_is_told_before_what_followed():
    followed = "Warning: The /o/predictions.json preditions file was not found."
    assert "Killed" in failure_reason([followed, "Killed"])
    lines = ["Traceback (most recent call last):", "  File", "KeyError: 'x'", followed]
    assert failure_reason(lines).endswith("KeyError: 'x'\"")


def test_a_traceback_is_told_by_its_last_line():
    lines = [
        "Traceback (most recent call last):",
        '  File "run_squad.py", line 1211, in main',
        "    raise error",
        "tensorflow.python.framework.errors_impl.NotFoundError: no such file",
    ]
    assert failure_reason(lines).endswith("NotFoundError: no such file'")


HARMLESS = {
    "a library that may not bind memory": ["mbind: Operation not permitted"],
    "a machine whose nodes are hidden": ["libnuma: Warning: /sys not mounted or invalid."],
    "a destructor at the very end": [
        "Exception ignored in: <function Session.__del__ at 0x7f>",
        "Traceback (most recent call last):",
        "TypeError: 'NoneType' object is not callable",
    ],
    "a line that quotes an error": ["INFO:tensorflow:errors so far: 0"],
}


@pytest.mark.parametrize("lines", HARMLESS.values(), ids=HARMLESS)
def test_lines_that_look_like_a_failure_and_are_none(lines):
    assert failure_reason([*lines, *BENCHMARK.splitlines()]) is None


def test_a_log_without_such_a_line_tells_of_no_failure():
    assert failure_reason([*TRAINING_LOG, *BENCHMARK.splitlines()]) is None


def test_that_it_ran_is_no_sign_of_success():
    lines = ["Ran inference with batch size 32", "Log location outside container: /o/x.log"]
    for mode in ("training", "benchmark", "accuracy"):
        assert "its last line is 'Log location outside" in missing_line(mode, lines)


def test_an_empty_log_is_a_failure():
    assert "its last line is 'nothing'" in missing_line("training", [])


def test_half_a_benchmark_is_not_one():
    assert missing_line("benchmark", BENCHMARK.splitlines()) is None
    assert "does not say the throughput" in missing_line("benchmark", BENCHMARK.splitlines()[:-1])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    for name in ("predictions.json", "nbest_predictions.json"):
        (tmp_path / name).write_text("{}")
    for step in (0, 1000, 998):
        (tmp_path / f"model.ckpt-{step}.index").write_text("x")
    return tmp_path


FINISHED = [*TRAINING_LOG, "INFO:tensorflow:Writing predictions to: /o/predictions.json"]


def test_a_training_leaves_its_last_checkpoint_and_predictions(trained):
    outputs = check_outcome("training", 0, FINISHED, trained)
    assert outputs.checkpoint == trained / "model.ckpt-1000"
    assert outputs.predictions == trained / "predictions.json"


@pytest.mark.parametrize("name", ["predictions.json", "nbest_predictions.json"])
def test_a_file_that_is_not_there_or_empty_is_a_failure(trained, name):
    (trained / name).write_text("")
    with pytest.raises(UserError, match=f"{name}: the run did not write it"):
        check_outcome("training", 0, FINISHED, trained)


def test_only_the_checkpoint_before_training_is_none(tmp_path):
    (tmp_path / "model.ckpt-0.index").write_text("x")
    with pytest.raises(UserError, match="no checkpoint later than step 0"):
        last_checkpoint(tmp_path)


def test_an_exit_status_is_believed_when_it_says_no(tmp_path):
    with pytest.raises(UserError, match="exit status 3; the last line") as error:
        check_outcome("benchmark", 3, BENCHMARK.splitlines(), tmp_path)
    assert "all the same" not in str(error.value)


def test_an_exit_status_is_not_believed_when_it_says_yes(tmp_path):
    with pytest.raises(UserError, match="the launcher's exit status was 0 all the same"):
        check_outcome("benchmark", 0, ["Killed"], tmp_path)


def test_a_benchmark_leaves_no_files(tmp_path):
    assert check_outcome("benchmark", 0, BENCHMARK.splitlines(), tmp_path).predictions is None
