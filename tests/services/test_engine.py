"""The engine itself: what the other tests stand on."""


def test_a_container_runs_in_the_base_image(docker_engine, base_image):
    output = docker_engine.containers.run(
        base_image, ["python3", "-c", "print(6 * 7)"], network_mode="none", remove=True
    )
    assert output == b"42\n"
