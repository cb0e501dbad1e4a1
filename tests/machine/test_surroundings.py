"""surroundings.py: the machine and the moment of a measurement."""

import socket
from datetime import UTC, datetime

from bertsquad.machine.surroundings import describe_place, describe_surroundings


def test_what_a_measurement_holds_of_its_machine():
    before = datetime.now(UTC).replace(microsecond=0)
    found = describe_surroundings({"torch": "2.0"})
    assert sorted(found) == [
        *("container", "cpu", "environment", "host", "job", "load_average", "node"),
        *("started_at", "versions"),
    ]
    assert found["versions"] == {"torch": "2.0"}
    assert before <= datetime.fromisoformat(found["started_at"]) <= datetime.now(UTC)


def test_in_a_batch_job_it_names_job_and_node():
    host = socket.gethostname()
    slurm = {"SLURM_JOB_ID": "37", "SLURMD_NODENAME": "n1"}
    assert describe_place(slurm) == {"host": host, "node": "n1", "job": "37"}
    assert describe_place({"PBS_JOBID": "8.head"})["job"] == "8.head"
    assert describe_place({}) == {"host": host, "node": None, "job": None}
