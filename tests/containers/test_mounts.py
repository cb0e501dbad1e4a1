from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.containers.mounts import (
    bind_variables,
    check_apptainer,
    check_place,
    folders_to_mount,
    read_folder_list,
)


@pytest.fixture
def places(tmp_path):
    for name in ("work", "repository", "disk/results", "data/squad"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_working_directory_and_repository_are_mounted(places):
    work, repository = places / "work", places / "repository"
    assert folders_to_mount(work, repository, []) == [repository, work]


def test_a_folder_inside_another_is_there_already(places):
    inside = places / "work/results"
    inside.mkdir()
    assert folders_to_mount(places / "work", places / "work", [inside]) == [places / "work"]


def test_relative_folders_start_at_the_working_directory(places, monkeypatch):
    monkeypatch.chdir(places / "work")
    assert folders_to_mount(Path.cwd(), Path.cwd(), ["../data"]) == [
        places / "data",
        places / "work",
    ]


def test_results_on_another_disk_come_along(places):
    (places / "work/results").symlink_to(places / "disk/results")
    assert folders_to_mount(places / "work", places / "work", []) == [
        places / "disk/results",
        places / "work",
    ]


def test_a_working_directory_behind_a_link_is_mounted_under_both_names(places):
    (places / "link").symlink_to(places / "work")
    assert folders_to_mount(places / "link", places / "repository", []) == [
        places / "link",
        places / "repository",
        places / "work",
    ]


def test_a_linked_file_is_mounted_without_its_neighbours(places):
    (places / "data/squad/dev.json").write_text("{}")
    (places / "work/dev.json").symlink_to(places / "data/squad/dev.json")
    assert places / "data/squad/dev.json" in folders_to_mount(places / "work", places / "work", [])


def test_what_is_yet_to_be_made_brings_the_folder_around_it(places):
    future = places / "disk/new/results"
    assert folders_to_mount(places / "work", places / "work", [future]) == [
        places / "disk",
        places / "work",
    ]


def test_a_dangling_link_is_no_mount(places):
    (places / "work/old").symlink_to(places / "gone")
    assert folders_to_mount(places / "work", places / "work", []) == [places / "work"]


def test_the_image_keeps_its_own_system(places):
    (places / "work/python").symlink_to("/usr/bin/env")
    assert folders_to_mount(places / "work", places / "work", ["/usr/share", "/none"]) == [
        places / "work"
    ]


@pytest.mark.parametrize("folder", ["/", "/usr/src", "/etc"])
def test_working_in_a_folder_of_the_system_is_refused(folder):
    with pytest.raises(UserError, match="work in another folder"):
        check_place(Path(folder))


def test_a_colon_in_a_path_mounts_that_folder_and_not_the_one_above(places):
    odd = places / "a:b"
    odd.mkdir()
    variables = bind_variables({}, places / "work", places / "repository", [odd])
    assert str(odd) in read_folder_list(variables["BERTSQUAD_MOUNTS"])
    assert str(places) not in read_folder_list(variables["BERTSQUAD_MOUNTS"])
    with pytest.raises(UserError, match="a:b: Apptainer cannot mount"):
        check_apptainer([places, odd])


def test_people_join_folders_with_colons():
    assert read_folder_list("/data:/scratch:") == ["/data", "/scratch"]


def test_temporary_folders_are_mounted(places):
    temporary = places / "disk"
    assert temporary in folders_to_mount(places / "work", places / "work", [], [temporary])


def test_apptainer_gets_the_folders_after_the_users_own(places):
    odd = places / "a,b"
    odd.mkdir()
    variables = bind_variables(
        {"APPTAINER_BIND": "/mine:/theirs"}, places / "work", places / "repository", [odd]
    )
    assert read_folder_list(variables["BERTSQUAD_MOUNTS"]) == [
        *(f"{odd}", f"{places}/repository", f"{places}/work")
    ]
    assert variables["APPTAINER_BIND"].startswith(
        f"/mine:/theirs,{places}/repository,{places}/work"
    )
    assert str(odd) not in variables["APPTAINER_BIND"]
