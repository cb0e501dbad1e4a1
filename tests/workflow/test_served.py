"""Cells under load in the workflow: planned with the others, in one random order."""

import json
import re

SCENARIOS = {
    "padded": {"padding": "max_length"},
    "busy": {"mode": "saturated", "layouts": ["1x1x2", "2x1x1"]},
    "server": {"mode": "server", "shares": [0.5], "slo_ms": 300},
}


def test_cells_under_load_are_planned_among_the_others(fresh):
    settings = {"scenarios": SCENARIOS, "batch_sizes": [1]}
    done = fresh.snakemake("-n", "-p", "timings", "--config", f"benchmark={json.dumps(settings)}")
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    jobs = re.split(r"^\[", told, flags=re.M)
    served = [job for job in jobs if "rule benchmark_serving:" in job]
    priorities = [
        int(number)
        for job in jobs
        if "rule benchmark_" in job
        for number in re.findall(r"^    priority: (-?\d+)$", job, re.M)
    ]
    assert len(served) == 5 * 4  # engines and precisions, cells of both scenarios
    assert len(priorities) > len(served)
    assert sorted(priorities) == list(range(-9 - len(priorities), -9))
    names = {re.search(r"benchmark/(\S+)-repeat1\.json", job)[1] for job in served}
    assert names == {
        "busy/layout1x1x2-saturated",
        "busy/layout2x1x1-saturated",
        "server/layoutauto-share0.5",
        "server/layoutauto-slo300",
    }
    assert "--layout auto --load slo300" in told
    assert '--arrivals \'{"kind": "poisson"}\'' in told
    assert all("-samples.npz" in job for job in served)
