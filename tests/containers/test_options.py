import os
from dataclasses import replace
from pathlib import Path

import pytest

from bertsquad.containers.options import Caller, Engine, create_options, engine_of
from bertsquad.containers.settings import Settings

CALLER = Caller(
    working_directory=Path("/work"),
    user=1000,
    group=100,
    groups=(100, 200),
    umask=0o027,
    cpus=(0, 1, 2, 3),
    all_cpus=4,
)


def options(settings=None, caller=CALLER, security=(), environment=None):
    return create_options(
        "python a.py",
        caller,
        Engine(frozenset(security)),
        settings or Settings(),
        environment or {},
        [Path("/work")],
        {"label": "value"},
        '{"engine": "docker"}',
    )


def test_a_step_is_a_strict_bash_command_with_the_callers_umask():
    given = options()
    assert given["entrypoint"] == ["/bin/bash", "-c"]
    assert given["command"] == ["umask 0027; set -euo pipefail; python a.py"]


def test_files_belong_to_the_caller():
    given = options()
    assert given["user"] == "1000:100"
    assert given["group_add"] == ["200"]


def test_folders_keep_their_paths():
    given = options()
    assert given["working_dir"] == "/work"
    assert given["mounts"] == [
        {"Type": "bind", "Source": "/work", "Target": "/work", "ReadOnly": False}
    ]


def test_home_is_empty_and_the_step_knows_its_container():
    given = options(environment={"HOME": "/home/me", "OMP_NUM_THREADS": "4"})
    assert given["environment"] == {
        "OMP_NUM_THREADS": "4",
        "HOME": "/run/bertsquad",
        "BERTSQUAD_KERNELS_CACHE": "/work/.snakemake/kernels",
        "BERTSQUAD_CONTAINER": '{"engine": "docker"}',
        "TINI_KILL_PROCESS_GROUP": "1",
    }
    assert given["tmpfs"] == {"/run/bertsquad": "mode=1777"}


def test_nothing_is_limited_or_allowed_unless_asked_for():
    given = options()
    assert given["security_opt"] == ["no-new-privileges"]
    assert not {"mem_limit", "cpuset_cpus", "cap_add", "userns_mode"} & set(given)


def test_a_memory_limit_allows_no_swap():
    given = options(Settings(memory="2g"))
    assert (given["mem_limit"], given["memswap_limit"]) == ("2g", "2g")


def test_binding_is_allowed_by_one_capability():
    assert options(Settings(binding=True))["cap_add"] == ["SYS_NICE"]


def test_a_caller_bound_to_processors_keeps_to_them():
    assert options(caller=replace(CALLER, cpus=(0, 2, 3)))["cpuset_cpus"] == "0,2-3"


def test_the_users_processors_come_first():
    given = options(Settings(cpus="1"), caller=replace(CALLER, cpus=(0, 2)))
    assert given["cpuset_cpus"] == "1"


def test_rootless_the_user_outside_is_user_0_inside():
    given = options(security=["rootless", "seccomp"])
    assert given["user"] == "0:0"
    assert "group_add" not in given


def test_a_remapped_engine_is_asked_for_the_real_user_numbers():
    assert options(security=["userns"])["userns_mode"] == "host"


def test_selinux_does_not_hide_the_mounts():
    assert "label=disable" in options(security=["selinux"])["security_opt"]


def test_certificates_are_mounted_read_only(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    given = options(environment={"SSL_CERT_FILE": str(bundle), "CURL_CA_BUNDLE": "/none.pem"})
    assert given["mounts"][1:] == [
        {"Type": "bind", "Source": str(bundle), "Target": str(bundle), "ReadOnly": True}
    ]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (["name=seccomp,profile=default", "name=rootless"], {"seccomp", "rootless"}),
        (["name=apparmor", "name=userns"], {"apparmor", "userns"}),
        (None, set()),
    ],
)
def test_what_docker_info_says_of_security(listed, found):
    assert engine_of({"SecurityOptions": listed}) == Engine(frozenset(found))


def test_the_sdk_accepts_the_options():
    models = pytest.importorskip("docker.models.containers")
    create = models._create_container_args
    settings = Settings(memory="2g", cpus="0", binding=True)
    given = options(settings, security=["userns"], environment={"TZ": "UTC"})
    made = create(given | {"image": "x", "version": "1.41"})
    assert made["host_config"]["Init"] is True
    assert made["host_config"]["MemorySwap"] == 2 * 1024**3
    assert os.fspath(Path("/work")) == made["host_config"]["Mounts"][0]["Target"]
