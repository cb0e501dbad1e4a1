"""probe_machine.py writes machine.json and says what matters."""

import json
import subprocess
import sys


def run(root, *arguments):
    command = [sys.executable, "scripts/probe_machine.py", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_it_describes_this_machine(pytestconfig, tmp_path):
    output = tmp_path / "results/machine.json"
    done = run(pytestconfig.rootpath, "--output", str(output))
    assert done.returncode == 0, done.stderr
    machine = json.loads(output.read_text())
    assert set(machine) == {
        *("cpu", "native_precisions", "amx", "memory_mib", "allowed_cpus", "allowed_memory_nodes"),
        *(
            "fp32_products",
            "fp32_weight_gradients",
            "binding",
            "cgroup",
            "kernel",
            "architecture",
            "operating_system",
            "governor",
            "turbo",
        ),
        *(
            "transparent_huge_pages",
            "load_average",
            "activity",
            "sees_all_processes",
            "environment",
        ),
        *("host", "node", "job"),
        *("versions", "container", "kernels", "defaults", "warnings", "notes"),
    }
    # PyTorch's own words, where its build says so.
    assert machine["versions"]["openmp"]
    assert "processor: " in done.stdout
    for warning in machine["warnings"]:
        assert warning in done.stdout


def test_a_full_or_forbidden_place_is_one_line(pytestconfig):
    done = run(pytestconfig.rootpath, "--output", "/proc/nowhere/machine.json")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("probe_machine.py: error: /proc/nowhere")
