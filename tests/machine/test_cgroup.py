"""Limits of cgroup v1, v2 and hybrid machines, in and outside containers."""

import pytest

from bertsquad.machine.cgroup import Mount, describe_cgroup, group_folders, parse_mounts
from machine.trees import write

V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
34 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
36 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
"""
GROUPS_V1 = "9:name=systemd:/\n4:memory:/jobs/7\n3:cpuset:/jobs/7\n2:cpu,cpuacct:/jobs/7\n0::/\n"
NO_LIMIT = "9223372036854771712\n"


def v2(root, group="/", **files):
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    return write(root, {"proc/self/cgroup": f"0::{group}\n", "proc/self/mountinfo": V2, **files})


def v1(root, mounts=V1, **files):
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    return write(root, {"proc/self/cgroup": GROUPS_V1, "proc/self/mountinfo": mounts, **files})


def test_a_version_2_container_with_all_limits(tmp_path):
    files = {
        "cpu.max": "150000 100000\n",
        "cpuset.cpus.effective": "0-3\n",
        "memory.max": "4294967296\n",
    }
    assert describe_cgroup(v2(tmp_path, **files)) == {
        "version": "v2",
        "cpuset": [0, 1, 2, 3],
        "cpu_quota": 1.5,
        "memory_limit_mib": 4096,
    }


def test_version_2_without_limits(tmp_path):
    files = {"cpu.max": "max 100000\n", "cpuset.cpus.effective": "0-7\n", "memory.max": "max\n"}
    limits = describe_cgroup(v2(tmp_path, **files))
    assert limits["cpu_quota"] is None
    assert limits["memory_limit_mib"] is None


def test_the_top_group_of_a_version_2_host_has_no_limit_files(tmp_path):
    limits = describe_cgroup(v2(tmp_path, **{"cgroup.controllers": "cpuset cpu memory\n"}))
    assert limits == {
        "version": "v2",
        "cpuset": None,
        "cpu_quota": None,
        "memory_limit_mib": None,
    }


def test_the_tightest_limit_of_a_group_and_those_above_counts(tmp_path):
    files = {
        "slurm/cpu.max": "800000 100000\n",
        "slurm/job/cpu.max": "max 100000\n",
        "slurm/memory.max": "1073741824\n",
        "slurm/job/memory.max": "2147483648\n",
        "slurm/cpuset.cpus.effective": "0-15\n",
        "slurm/job/cpuset.cpus.effective": "4-7\n",
    }
    limits = describe_cgroup(v2(tmp_path, "/slurm/job", **files))
    assert limits["cpu_quota"] == 8.0
    assert limits["memory_limit_mib"] == 1024
    assert limits["cpuset"] == [4, 5, 6, 7]


def test_version_1_with_limits(tmp_path):
    files = {
        "cpu,cpuacct/jobs/7/cpu.cfs_quota_us": "50000\n",
        "cpu,cpuacct/jobs/7/cpu.cfs_period_us": "100000\n",
        "cpuset/jobs/7/cpuset.effective_cpus": "2\n",
        "memory/jobs/7/memory.limit_in_bytes": "536870912\n",
    }
    assert describe_cgroup(v1(tmp_path, **files)) == {
        "version": "v1",
        "cpuset": [2],
        "cpu_quota": 0.5,
        "memory_limit_mib": 512,
    }


def test_version_1_without_limits(tmp_path):
    files = {
        "cpu,cpuacct/jobs/7/cpu.cfs_quota_us": "-1\n",
        "cpu,cpuacct/jobs/7/cpu.cfs_period_us": "100000\n",
        "cpuset/jobs/7/cpuset.cpus": "0-1\n",
        "memory/jobs/7/memory.limit_in_bytes": NO_LIMIT,
    }
    limits = describe_cgroup(v1(tmp_path, **files))
    assert limits["cpu_quota"] is None
    assert limits["memory_limit_mib"] is None
    assert limits["cpuset"] == [0, 1]


def test_hybrid_reads_each_controller_where_it_is(tmp_path):
    unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    files = {"memory/jobs/7/memory.limit_in_bytes": "1048576\n", "cpuset/cpuset.cpus": "0-1\n"}
    limits = describe_cgroup(v1(tmp_path, V1 + unified, **files))
    assert limits["version"] == "hybrid"
    assert limits["memory_limit_mib"] == 1
    assert limits["cpuset"] == [0, 1]


def test_a_group_hidden_by_a_sandbox_leaves_those_above_it(tmp_path):
    limits = describe_cgroup(v1(tmp_path, **{"memory/memory.limit_in_bytes": "2097152\n"}))
    assert limits["memory_limit_mib"] == 2


def test_a_controller_that_is_not_mounted_is_unavailable(tmp_path):
    limits = describe_cgroup(v1(tmp_path, "\n".join(V1.splitlines()[:2]) + "\n"))
    assert limits["memory_limit_mib"] == {
        "unavailable": "no cgroup hierarchy with the memory controller is mounted"
    }


def test_nothing_mounted_is_unavailable_and_no_crash(tmp_path):
    limits = describe_cgroup(v1(tmp_path, "27 1 254:0 / / rw - ext4 /dev/vda rw\n"))
    assert limits["version"] == "none"
    assert "unavailable" in limits["cpu_quota"]


def test_a_system_without_cgroups_raises_oserror(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        describe_cgroup(tmp_path)


def test_a_container_sees_its_subtree_as_the_top():
    mount = Mount(1, "/docker/abc", "/sys/fs/cgroup/cpu", frozenset({"cpu"}))
    assert group_folders(mount, "/docker/abc") == ["/sys/fs/cgroup/cpu"]
    assert group_folders(mount, "/docker/abc/x") == ["/sys/fs/cgroup/cpu/x", "/sys/fs/cgroup/cpu"]
    assert group_folders(mount, "/elsewhere") == ["/sys/fs/cgroup/cpu"]


def test_a_group_outside_the_namespace_is_the_top():
    mount = Mount(2, "/", "/sys/fs/cgroup", frozenset())
    assert group_folders(mount, "/../../user.slice") == ["/sys/fs/cgroup"]


def test_mount_points_with_spaces():
    line = "1 2 0:1 / /mnt/c\\040group rw - cgroup2 none rw\n"
    assert parse_mounts(line) == [Mount(2, "/", "/mnt/c group", frozenset())]
