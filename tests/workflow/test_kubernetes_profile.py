"""profiles/kubernetes: what kubectl renders is what eight and more versions of Kubernetes take.

Nothing is sent to a cluster: images, volumes and cgroups are not tried here. What a pod calls is
called as a plain process.
"""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from project import ROOT, Project, copy_project

FOLDER = ROOT / "profiles/kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
MACHINES = {"icelake": ("m6i.metal", "124"), "sapphire": ("m7i.metal-24xl", "92")}


def rendered(folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def one() -> list[dict[str, Any]]:
    return rendered(FOLDER)


@pytest.fixture(scope="module")
def several() -> list[dict[str, Any]]:
    return rendered(FOLDER / "overlays/machines")


def jobs(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in manifests if each["kind"] == "Job"]


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    return job["spec"]["template"]["spec"]


def containers(job: dict[str, Any]) -> list[dict[str, Any]]:
    return pod_of(job)["initContainers"] + pod_of(job)["containers"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_takes_the_manifests(one, several, version):
    for manifest in (*one, *several):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda job: job["spec"].update(backoffLimit="three"),
        lambda job: pod_of(job).update(nodeSelektor=pod_of(job).pop("nodeSelector")),
        lambda job: pod_of(job)["containers"][0].pop("name"),
    ],
    ids=["a text for a number", "a misspelt key", "a key that is missing"],
)
def test_what_a_server_refuses_is_found(one, damage):
    [job] = copy.deepcopy(jobs(one))
    damage(job)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSIONS[-1], strict=True)


def test_each_machine_has_a_job_on_its_kind_of_node_and_a_folder_of_its_own(several):
    found = {}
    for job in jobs(several):
        of = {env["name"]: env.get("value") for env in containers(job)[-1]["env"]}
        [kind] = pod_of(job)["nodeSelector"].values()
        found[job["metadata"]["name"]] = (of["MACHINE"], kind)
        assert all("/data/$(MACHINE)" in each["args"] for each in containers(job))
    assert found == {
        f"bertsquad-{machine}": (machine, kind) for machine, (kind, _) in MACHINES.items()
    }


def test_a_pod_has_whole_processors_of_its_own(one, several):
    """QoS Guaranteed with whole numbers, in all containers: what the static CPU manager asks."""
    for job in jobs([*one, *several]):
        for each in containers(job):
            asked = each["resources"]
            assert asked["requests"] == asked["limits"]
            assert set(asked["limits"]) == {"cpu", "memory"}
            assert asked["limits"]["cpu"].isdecimal()
    cpus = {
        job["metadata"]["name"]: containers(job)[-1]["resources"]["limits"]["cpu"]
        for job in jobs(several)
    }
    assert cpus == {f"bertsquad-{machine}": cpu for machine, (_, cpu) in MACHINES.items()}


def test_a_drained_node_is_no_failure_and_there_is_time_to_save(one):
    [job] = jobs(one)
    ignored, failed = job["spec"]["podFailurePolicy"]["rules"]
    assert ignored["action"] == "Ignore"
    assert ignored["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert failed["onExitCodes"]["values"] == [2]
    assert failed["onExitCodes"]["containerName"] == pod_of(job)["containers"][0]["name"]
    assert pod_of(job)["restartPolicy"] == "Never"
    assert pod_of(job)["terminationGracePeriodSeconds"] >= 120


def test_volumes_and_claims_that_are_named_are_there(one, several):
    for manifests in (one, several):
        names = {(each["kind"], each["metadata"]["name"]) for each in manifests}
        pods = [pod_of(job) for job in jobs(manifests)]
        pods += [each["spec"] for each in manifests if each["kind"] == "Pod"]
        for pod in pods:
            volumes = {volume["name"] for volume in pod["volumes"]}
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            for volume in pod["volumes"]:
                if claim := volume.get("persistentVolumeClaim"):
                    assert ("PersistentVolumeClaim", claim["claimName"]) in names
                if configmap := volume.get("configMap"):
                    assert ("ConfigMap", configmap["name"]) in names


def in_place_of_a_pod(container: dict[str, Any], root: Path, *more: str) -> str:
    """What it says: what a container calls, /data and /config elsewhere, without its first process
    (tini)."""
    values = {env["name"]: env.get("value", "pod-1") for env in container["env"]}
    command = container["command"]
    words = [*command[command.index("--") + 1 :], *container["args"], *more]
    words = [re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], word) for word in words]
    moved = [re.sub(r"^/(data|config)\b", rf"{root}/\1", word) for word in words]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        moved,
        cwd=f"{root}{container['workingDir']}",
        env={**os.environ, "PATH": path, **values},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.slow
def test_what_a_pod_calls_plans_the_experiment_of_the_config_map(several, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "config").mkdir()
    Project(copy_project(tmp_path / "data/bertsquad"))
    [config] = [each for each in several if each["kind"] == "ConfigMap"]
    text = config["data"]["config.yaml"].replace("/data/", f"{tmp_path}/data/")
    (tmp_path / "config/config.yaml").write_text(text, encoding="utf-8")
    downloads, workflow = containers(jobs(several)[1])
    said = in_place_of_a_pod(downloads, tmp_path, "--dry-run")
    assert "ended with status 0" in said
    assert re.search(r"^download +3$", said, re.M)
    assert "finetune" not in said
    said = in_place_of_a_pod(workflow, tmp_path, "--dry-run")
    assert "ended with status 0" in said
    assert re.search(r"^finetune +1$", said, re.M)
    assert (tmp_path / "data/sapphire").is_dir()
