from bertsquad.containers.engine import no_engine, refused


def test_without_permission_the_ways_to_get_it_are_named():
    error = Exception(
        "Error while fetching server API version: PermissionError(13, 'Permission denied')"
    )
    message = no_engine("/var/run/docker.sock", error)
    assert message.startswith("no permission to use the Docker engine at /var/run/docker.sock: ")
    assert "group `docker`" in message
    assert "profiles/apptainer" in message


def test_without_an_engine_the_ways_on_are_named():
    message = no_engine("/var/run/docker.sock", Exception("No such file or directory"))
    assert message.startswith("no Docker engine answers at /var/run/docker.sock: start Docker")
    assert "profiles/apptainer" in message


def test_an_engine_on_another_machine_is_recognised_by_what_it_does_not_see():
    message = refused("invalid mount config: bind source path does not exist: /home/me/work")
    assert "/home/me/work; the engine does not see this folder" in message


def test_an_unknown_refusal_is_passed_on():
    assert refused("odd") == "the Docker engine refused: odd"
