import os
import subprocess
import sys

from bertsquad.containers.clients import is_orphan, labels_of


def test_a_container_of_a_living_client_is_no_orphan():
    assert not is_orphan(labels_of(os.getpid(), "/work"))


def test_a_container_of_a_dead_client_is_an_orphan():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    labels = labels_of(process.pid, "/work")
    process.communicate()
    assert is_orphan(labels)


def test_a_new_process_of_the_same_number_is_another_client(tmp_path):
    def machine(start: int) -> None:
        (tmp_path / "7").mkdir(exist_ok=True)
        fields = " ".join(["S", *["0"] * 18, str(start), "0"])
        (tmp_path / "7/stat").write_text(f"7 (odd) name) {fields}\n")

    machine(start=1000)
    labels = labels_of(7, "/work", tmp_path)
    assert not is_orphan(labels, tmp_path)
    machine(start=2000)
    assert is_orphan(labels, tmp_path)


def test_containers_of_other_hosts_and_users_are_left_alone():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    labels = labels_of(process.pid, "/work")
    process.communicate()
    assert not is_orphan(labels | {"bertsquad.place": "another host"})
    assert not is_orphan({})
