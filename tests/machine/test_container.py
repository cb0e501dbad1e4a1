import json

from bertsquad.machine.container import describe_container, docker_identity


def test_outside_a_container_there_is_none(tmp_path):
    assert describe_container({}, tmp_path) is None


def test_docker_steps_are_told_their_image():
    labels = {
        "org.opencontainers.image.version": "0.1.0",
        "org.opencontainers.image.revision": "abc",
    }
    image = {"Id": "sha256:12", "RepoDigests": [], "Config": {"Labels": labels}}
    told = docker_identity("bertsquad", image, "20.10.24")
    assert describe_container({"BERTSQUAD_CONTAINER": told}) == {
        "engine": "docker",
        "engine_version": "20.10.24",
        "image": "bertsquad",
        "image_id": "sha256:12",
        "digest": None,
        "version": "0.1.0",
        "revision": "abc",
    }


def test_an_image_of_a_registry_has_a_digest_and_perhaps_no_labels():
    image = {"Id": "sha256:12", "RepoDigests": ["a@sha256:34"], "Config": {"Labels": None}}
    told = json.loads(docker_identity("a", image, "28.0"))
    assert told["digest"] == "a@sha256:34"
    assert told["revision"] is None


def test_apptainer_is_asked_for_its_file(tmp_path):
    image = tmp_path / "bertsquad.sif"
    image.write_bytes(b"abc")
    (tmp_path / ".singularity.d").mkdir()
    (tmp_path / ".singularity.d/labels.json").write_text(
        json.dumps({"org.opencontainers.image.version": "0.1.0"})
    )
    assert describe_container({"APPTAINER_CONTAINER": str(image)}, tmp_path) == {
        "engine": "apptainer",
        "image": "bertsquad.sif",
        "image_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "version": "0.1.0",
        "revision": None,
    }


def test_an_image_that_is_not_bound_is_unavailable_with_the_reason(tmp_path):
    found = describe_container({"APPTAINER_CONTAINER": "/none/a.sif"}, tmp_path)
    assert found["image_sha256"] == {"unavailable": "/none/a.sif: No such file or directory"}


def test_another_container_is_recognised(tmp_path):
    (tmp_path / ".dockerenv").touch()
    found = describe_container({}, tmp_path)
    assert found["engine"] == "docker"
    assert "BERTSQUAD_CONTAINER" in found["image"]["unavailable"]
