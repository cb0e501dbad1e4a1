"""machine.json as a whole: complete on a known machine, never a crash on an unknown one."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsquad.machine.description import cpu_model, describe
from machine.trees import two_sockets, write, x86_cpuinfo

V2 = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"


def test_a_two_socket_server_in_a_container(tmp_path):
    files = {
        "proc/cpuinfo": x86_cpuinfo(8, flags="hypervisor avx2 avx512f avx512_vnni"),
        "proc/meminfo": "MemTotal: 1048576 kB\n",
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": V2,
        "sys/fs/cgroup/cpu.max": "200000 100000\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
    }
    root = write(two_sockets(tmp_path), files)
    machine = describe(root, allowed_cpus=[0, 1, 4, 5], load_average=[0.0, 0.0, 0.0])
    cpu = machine["cpu"]
    assert (cpu["sockets"], cpu["cores"], cpu["threads_per_core"], cpu["logical"]) == (2, 4, 2, 8)
    assert cpu["numa_nodes"] == 2
    assert cpu["cpus_by_numa_node"] == {"0": [0, 1, 4, 5], "1": [2, 3, 6, 7]}
    assert cpu["flags"] == ["avx2", "avx512f", "avx512_vnni"]
    assert cpu["hypervisor"] is True
    assert machine["memory_mib"] == 1024
    assert machine["allowed_cpus"] == [0, 1, 4, 5]
    assert machine["cgroup"]["cpu_quota"] == 2.0
    assert machine["bf16_native"] is False
    assert [warning.split(":")[0] for warning in machine["warnings"]] == [
        "BF16 is emulated",
        "AMX is not enabled",
        "the cgroup's CPU quota is 2 processors but 4 are visible",
    ]


def test_cpuinfo_tells_the_cores_where_sys_is_hidden(tmp_path):
    machine = describe(write(tmp_path, {"proc/cpuinfo": x86_cpuinfo(4)}))
    assert (machine["cpu"]["cores"], machine["cpu"]["sockets"]) == (4, 1)
    assert "unavailable" in machine["cpu"]["caches"]


def test_a_system_that_tells_nothing_is_described_as_unavailable(tmp_path):
    machine = describe(tmp_path)
    for name in ("model", "vendor", "flags", "sockets", "cores", "caches", "numa_nodes"):
        assert set(machine["cpu"][name]) == {"unavailable"}
    for name in ("memory_mib", "cgroup", "governor", "turbo", "transparent_huge_pages"):
        assert set(machine[name]) == {"unavailable"}
    assert machine["memory_mib"]["unavailable"].endswith("meminfo: No such file or directory")
    assert json.loads(json.dumps(machine)) == machine


def test_the_processor_of_a_system_that_tells_nothing_is_unknown(tmp_path):
    assert cpu_model(tmp_path) == "unknown"


def test_this_machine():
    machine = describe()
    assert machine["allowed_cpus"]
    assert machine["versions"]["python"]
    assert json.loads(json.dumps(machine)) == machine


FILES = """
    proc/cpuinfo proc/meminfo proc/self/cgroup proc/self/mountinfo etc/os-release
    sys/devices/system/cpu/online sys/devices/system/node/online
    sys/fs/cgroup/cpu.max sys/fs/cgroup/memory.max
    sys/kernel/mm/transparent_hugepage/enabled
"""


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # every example writes all files
)
@given(contents=st.lists(st.text(max_size=40), min_size=10, max_size=10))
def test_garbage_in_any_file_is_never_a_crash(tmp_path, contents):
    files = dict(zip(FILES.split(), contents, strict=True))
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    json.dumps(describe(tmp_path))
