from pathlib import Path

import pytest

from bertsquad.containers.building import (
    build_command,
    has_buildkit,
    pinned_versions,
    pip_settings,
    portable_settings,
    public_address,
    wheels_at_hand,
)


def test_pip_settings_of_the_environment_come_first():
    listing = """\
:env:.index-url='https://env.example/simple'
global.index-url='https://global.example/simple'
global.find-links='/opt/wheels https://wheels.example/'
install.trusted-host='env.example'
freeze.timeout='10'
"""
    assert pip_settings(listing) == {
        "index-url": "https://env.example/simple",
        "find-links": "/opt/wheels https://wheels.example/",
        "trusted-host": "env.example",
    }


def test_what_a_build_cannot_reach_is_left_out():
    settings = {
        "index-url": "https://user:secret@pip.example/simple",
        "extra-index-url": "file:///opt/index ~/index https://more.example/simple",
        "find-links": "/opt/wheels",
        "cert": "/etc/ca.pem",
        "default-timeout": "180",
    }
    assert portable_settings(settings) == (
        "[global]\n"
        "index-url = https://user:secret@pip.example/simple\n"
        "extra-index-url = https://more.example/simple\n"
        "timeout = 180\n"
    )


def test_without_settings_there_is_nothing_to_pass():
    assert portable_settings({"cert": "/etc/ca.pem"}) == ""


def test_local_wheels_of_pinned_versions_go_along(tmp_path):
    for name in (
        "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl",
        "torch-2.12.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "google_crc32c-1.9.0-py3-none-any.whl",
        "other-1.0-py3-none-any.whl",
        "no-wheel.whl",
    ):
        (tmp_path / name).touch()
    pins = pinned_versions(["torch==2.13.0\ngoogle-crc32c==1.9.0 # why\n", "# other==1.0\n"])
    found = wheels_at_hand({"find-links": f"https://a.example {tmp_path}"}, pins)
    assert [wheel.name.split("-")[0] for wheel in found] == ["google_crc32c", "torch"]
    assert "2.13.0+cpu" in found[1].name


def test_the_build_names_its_secrets_and_never_their_content():
    command = build_command(
        "docker",
        Path("/context"),
        "bertsquad",
        {"VERSION": "0.1.0"},
        {"pip": Path("/private/pip.conf")},
        {"https_proxy": "http://user:secret@proxy.example"},
        "host",
    )
    assert command == [
        *("docker", "build", "--file", "/context/envs/Dockerfile", "--tag", "bertsquad"),
        *("--build-arg", "VERSION=0.1.0", "--build-arg", "https_proxy"),
        *("--secret", "id=pip,src=/private/pip.conf", "--network", "host", "/context"),
    ]


@pytest.mark.parametrize(
    ("version", "buildx", "found"),
    [
        ("Docker version 20.10.24+dfsg1, build 297e128", False, True),
        ("Docker version 28.2.2, build e6534b4", False, False),
        ("Docker version 28.2.2, build e6534b4", True, True),
        ("", False, False),
    ],
)
def test_which_docker_commands_have_buildkit(version, buildx, found):
    assert has_buildkit(version, buildx) is found


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://user:token@git.example/a/b.git", "https://git.example/a/b.git"),
        ("https://git.example:8443/a/b", "https://git.example:8443/a/b"),
        ("/srv/repositories/b.git", ""),
        ("", ""),
    ],
)
def test_labels_hold_no_password_and_no_folder(remote, address):
    assert public_address(remote) == address
