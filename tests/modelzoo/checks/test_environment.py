"""Checks of environment variables, and the environment that passes them."""

from bertsquad.modelzoo.checks.environment import ENVIRONMENT_CHECKS, without_leaks
from bertsquad.modelzoo.checks.table import examine
from bertsquad.modelzoo.command_line import parse
from bertsquad.modelzoo.launcher import launched
from modelzoo.guide import INFERENCE, words
from modelzoo.test_launcher import COOPER_LAKE

PYTHONPATH = {"PYTHONPATH": "/somewhere:/tmp/models/benchmarks"}


def in_environment(environment: dict[str, str]) -> dict[str, str]:
    line = parse(words(INFERENCE))
    return {each.check: each.message for each in examine(ENVIRONMENT_CHECKS, line, environment)}


def test_variables_that_are_reported():
    assert in_environment(PYTHONPATH) == {}
    assert "/tmp/models/benchmarks" in in_environment({})["pythonpath"]
    assert "data_dir=/x" in in_environment(PYTHONPATH | {"data_dir": "/x"})["leak"]
    assert "OMP_NUM_THREADS=1" in in_environment(PYTHONPATH | {"OMP_NUM_THREADS": "1"})["kept"]


def test_every_check_of_variables_is_tested():
    assert {check.name for check in ENVIRONMENT_CHECKS} == {"leak", "kept", "pythonpath"}


def test_a_cleaned_environment_changes_nothing_of_a_run(golden):
    dirty = PYTHONPATH | {
        **{"OMP_NUM_THREADS": "1", "KMP_BLOCKTIME": "200", "MKL_NUM_THREADS": "1"},
        **{"data_dir": "/x", "profile": "True", "LD_PRELOAD": "/x.so", "HOME": "/root"},
        "TF_NUM_INTEROP_THREADS": "9",
    }
    assert without_leaks(dirty) == PYTHONPATH | {"HOME": "/root"}
    done = launched(parse(words(INFERENCE)), COOPER_LAKE, without_leaks(dirty))
    assert done.environment == golden["launcher_v1.6.1"]["guide_inference_env"]
