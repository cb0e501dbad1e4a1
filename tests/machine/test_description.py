"""machine.json as a whole: complete on a known machine, never a crash on an unknown one."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsquad.machine.description import describe
from machine.trees import write, x86_cpuinfo


def test_cpuinfo_tells_the_cores_where_sys_is_hidden(tmp_path):
    machine = describe(write(tmp_path, {"proc/cpuinfo": x86_cpuinfo(4)}))
    assert (machine["cpu"]["cores"], machine["cpu"]["sockets"]) == (4, 1)
    assert "unavailable" in machine["cpu"]["caches"]


def test_a_system_that_tells_nothing_is_described_as_unavailable(tmp_path):
    machine = describe(tmp_path)
    for name in ("model", "vendor", "flags", "sockets", "cores", "caches", "numa_nodes"):
        assert set(machine["cpu"][name]) == {"unavailable"}
    for name in (
        *("memory_mib", "cgroup", "governor", "turbo", "transparent_huge_pages", "amx"),
        *("native_precisions", "allowed_cpus", "allowed_memory_nodes", "activity", "binding"),
        *("load_average", "defaults", "fp32_products", "fp32_weight_gradients"),
    ):
        assert set(machine[name]) == {"unavailable"}
    assert machine["memory_mib"]["unavailable"].endswith("meminfo: No such file or directory")
    assert json.loads(json.dumps(machine)) == machine


def test_this_machine(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # Snakemake sets it for a job
    monkeypatch.setenv("GOMP_SPINCOUNT", "100")
    machine = describe()
    assert machine["environment"].get("GOMP_SPINCOUNT") == "100"
    assert "OMP_NUM_THREADS" not in machine["environment"]
    assert 1 <= machine["defaults"]["threads"] <= len(machine["allowed_cpus"])
    assert machine["native_precisions"][0] == "fp32"
    assert set(machine["binding"]) == {"cpu", "memory"}
    assert machine["versions"]["python"]
    assert json.loads(json.dumps(machine)) == machine


FILES = """
    proc/cpuinfo proc/meminfo proc/self/cgroup proc/self/mountinfo etc/os-release
    sys/devices/system/cpu/online sys/devices/system/node/online
    sys/fs/cgroup/cpu.max sys/fs/cgroup/memory.max
    sys/kernel/mm/transparent_hugepage/enabled proc/self/status
    sys/devices/system/node/node0/meminfo
"""


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # every example writes all files
)
@given(contents=st.lists(st.text(max_size=40), min_size=12, max_size=12))
def test_garbage_in_any_file_is_never_a_crash(tmp_path, contents):
    files = dict(zip(FILES.split(), contents, strict=True))
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    json.dumps(describe(tmp_path))
