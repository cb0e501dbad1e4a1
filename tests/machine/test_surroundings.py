"""surroundings.py: the machine and the moment of a measurement."""

from datetime import UTC, datetime

from bertsquad.machine.surroundings import describe_surroundings


def test_what_a_measurement_holds_of_its_machine():
    before = datetime.now(UTC).replace(microsecond=0)
    found = describe_surroundings({"torch": "2.0"})
    assert sorted(found) == [
        *("container", "cpu", "environment", "load_average", "started_at", "versions")
    ]
    assert found["versions"] == {"torch": "2.0"}
    assert before <= datetime.fromisoformat(found["started_at"]) <= datetime.now(UTC)
