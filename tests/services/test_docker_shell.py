"""scripts/docker_shell.py on a real engine: one command in the image, as if it ran here."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from bertsquad.containers import engine
from bertsquad.containers.clients import LABEL
from bertsquad.containers.options import ContainerEngine, create_options
from bertsquad.containers.settings import Settings
from project import ROOT

SHELL = (sys.executable, str(ROOT / "scripts/docker_shell.py"), "-c")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image) -> Path:
    """A working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(command: str, **variables: str) -> subprocess.CompletedProcess:
    environment = os.environ | variables
    return subprocess.run([*SHELL, command], capture_output=True, text=True, env=environment)


@contextlib.contextmanager
def running(client, command: str, prefix: tuple[str, ...] = ()) -> Iterator[tuple]:
    """The process of docker_shell.py and its container, once the command has begun."""
    # What runs in the background of a shell ignores SIGINT, and so would all that it starts.
    heeding = ("env", "--default-signal=INT")
    command = [*prefix, *heeding, *SHELL, f"touch begun; {command}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not Path("begun").exists():
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            yield process, containers_here(client)[0]
        finally:
            process.kill()


def containers_here(client) -> list:
    label = f"bertsquad.folder={Path.cwd()}"
    return client.containers.list(all=True, filters={"label": [LABEL, label]})


def wait_until_gone(client) -> None:
    while containers_here(client):
        time.sleep(0.05)


def test_the_exit_status_and_both_streams_are_the_commands(work):
    done = shell("echo result; echo problem >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == ("result\n", "problem\n", 7)


def test_lines_come_while_the_command_runs(work):
    command = "echo first; until [ -e go ]; do sleep 0.05; done; echo second"
    process = subprocess.Popen([*SHELL, command], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "first\n"
    assert process.poll() is None
    (work / "go").touch()
    assert process.communicate()[0] == "second\n"


def test_a_failure_anywhere_in_a_pipe_fails(work):
    assert shell("false | true; echo on").stdout == ""


def test_python_and_snakemake_are_the_images_and_its_packages_those_of_the_host(work):
    done = shell("which python snakemake; python -c 'import torch; print(torch.__version__)'")
    folder = "/usr/local/lib/bertsquad/bin"
    assert done.stdout.split() == [
        f"{folder}/python",
        f"{folder}/snakemake",
        metadata.version("torch"),
    ]


def test_variables_of_threads_and_proxies_go_in_and_the_hosts_paths_do_not(work):
    done = shell(
        "echo $OMP_NUM_THREADS $KMP_BLOCKTIME $https_proxy ${PYTHONPATH:-unset}; ls -A $HOME",
        OMP_NUM_THREADS="3",
        KMP_BLOCKTIME="1",
        https_proxy="http://proxy:3128",
        PYTHONPATH="/somewhere",
    )
    assert done.stdout == "3 1 http://proxy:3128 unset\n"


def test_files_belong_to_the_caller(docker_engine, image, work):
    work.chmod(0o777)
    caller = replace(engine.this_process(), user=1234, group=1235, groups=(), umask=0o027)
    options = create_options(
        "touch made", caller, ContainerEngine(frozenset()), Settings(), {}, [work], {}, "{}"
    )
    assert engine.run(docker_engine, image, options) == 0
    made = (work / "made").stat()
    assert (made.st_uid, made.st_gid, oct(made.st_mode)) == (1234, 1235, "0o100640")


def test_results_on_another_disk_are_written_there(work, tmp_path_factory):
    disk = tmp_path_factory.mktemp("disk")
    (work / "results").symlink_to(disk)
    assert shell("echo 1 > results/made").returncode == 0
    assert (disk / "made").read_text() == "1\n"


def test_processors_are_those_of_the_caller_or_of_the_setting(work):
    last = max(os.sched_getaffinity(0))
    bound = ["taskset", "--cpu-list", str(last), *SHELL, "nproc"]
    assert subprocess.run(bound, capture_output=True, text=True).stdout == "1\n"
    allowed = "python -c 'import os; print(os.sched_getaffinity(0))'"
    assert shell(allowed, BERTSQUAD_DOCKER_CPUS="0").stdout == "{0}\n"


def test_shared_memory_has_the_size_of_the_setting(work):
    done = shell("df --output=size -m /dev/shm | tail -1", BERTSQUAD_DOCKER_SHM_SIZE="2g")
    assert done.stdout.split() == ["2048"]


def test_binding_memory_to_a_node_must_be_allowed(work):
    bind = "numactl --membind=0 echo bound"
    refused = shell(bind)
    assert refused.returncode != 0
    assert "Operation not permitted" in refused.stderr
    assert shell(bind, BERTSQUAD_DOCKER_BINDING="yes").stdout == "bound\n"


def test_memory_that_runs_out_is_said(work):
    done = shell("python -c 'bytearray(10**9)'", BERTSQUAD_DOCKER_MEMORY="200m")
    assert done.returncode == 137
    assert "out of memory: the container may use 200 MiB" in done.stderr


def test_a_container_killed_from_outside_is_said(docker_engine, work):
    with running(docker_engine, "sleep 600") as (process, container):
        container.kill()
        _, message = process.communicate()
    assert process.returncode == 137
    assert "ended from outside by SIGKILL" in message
    wait_until_gone(docker_engine)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_process_of_the_step_and_leaves_no_container(
    docker_engine, work, number
):
    # bash waits for its child and would pass nothing on.
    command = "python -c 'import time; time.sleep(600)'; echo never"
    with running(docker_engine, command) as (process, _):
        process.send_signal(number)
        process.communicate()
    assert process.returncode == 128 + number
    wait_until_gone(docker_engine)


def test_the_end_of_the_parent_stops_the_container(docker_engine, work):
    parent = ("bash", "-c", '"$@" & wait', "parent")
    with running(docker_engine, "sleep 600", prefix=parent) as (process, _):
        process.kill()
        wait_until_gone(docker_engine)


def test_what_a_killed_client_left_running_is_removed_by_the_next(docker_engine, work):
    with running(docker_engine, "sleep 600") as (process, container):
        process.kill()
        process.wait()
        assert shell("true").stderr == (
            f"docker_shell.py: removed container {container.short_id}, whose client was killed\n"
        )
    wait_until_gone(docker_engine)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("BERTSQUAD_DOCKER_IMAGE", "nobody/nothing", "the engine has no image named"),
        ("DOCKER_HOST", "unix:///nowhere/docker.sock", "no Docker engine answers at unix:///nowh"),
        ("BERTSQUAD_DOCKER_CPUS", "4000", "choose processors that exist"),
        ("BERTSQUAD_DOCKER_NETWORK", "nowhere", "choose another network"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_status_2(work, variable, value, message):
    done = shell("true", **{variable: value})
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
