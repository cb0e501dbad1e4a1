"""benchmark_serving.py measures a layout under load; a lost instance leaves no file."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from engines.small_run import MAX_SEQ_LENGTH, write_features, write_finetuned

DOC_LENGTHS = [5, 33, 6, 20, 11, 12]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_features(folder / "features", write_finetuned(folder), DOC_LENGTHS)
    return folder


def command(folder, output, **changes):
    options = {
        "engine": "torch",
        "precision": "fp32",
        "model": folder / "model",
        "features": folder / "features",
        "scenario": "server",
        "mode": "server",
        "layout": "1x1x1",
        "load": "rate100",
        "seconds": 1,
        "requests": 100,
        "capacity-seconds": 0.5,
        "repeat": 1,
        "output": output,
    } | changes
    arguments = [item for name, value in options.items() for item in (f"--{name}", str(value))]
    return [sys.executable, "scripts/benchmark_serving.py", *arguments]


def run(root, *given, **changes):
    return subprocess.run(
        command(*given, **changes), cwd=root, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("engine", ["torch", "openvino", "onnxruntime"])
def test_a_server_cell(pytestconfig, folder, tmp_path, engine):
    output = tmp_path / "cells/cell.json"
    changes = {"layout": "1x2x1", "engine": engine}
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two lanes take two cores")
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert (cell["mode"], cell["load"], cell["threads"]) == ("server", "rate100", 2)
    assert cell["layout"] | {"pss_mib": 0, "peak_pss_mib": 0, "cpus": 0, "not_bound": 0} == {
        **{"instances": 1, "streams": 2, "threads": 1, "memory_nodes": [[]]},
        **{"pss_mib": 0, "peak_pss_mib": 0, "cpus": 0, "not_bound": 0},
    }
    assert cell["layout"]["peak_pss_mib"] >= cell["layout"]["pss_mib"] > 10
    assert len(cell["layout"]["cpus"][0]) == 2
    assert cell["requests"] == 100
    assert cell["arrivals"] == {
        **{"kind": "poisson", "rate": 100, "seed": 1},
        "share": 100 / cell["capacity"]["features_per_second"],
    }
    assert cell["capacity"]["features_per_second"] > 0
    assert len(cell["service"]["coefficients"]) == 3
    assert cell["service"]["inflation"] > 0
    assert cell["latency_ms"]["p90"]["value"] <= cell["latency_ms"]["max"]
    assert cell["latency_ms"]["p99"]["needs"] == 368
    assert cell["twin"]["verdict"] in ("fits", "refuted")
    assert set(cell["twin"]["p99_ms"]) == {"measured", "own", "saturated", "at_load"}
    assert cell["mlperf_estimate_ms"]["p99"] is None
    assert cell["warm_up"] == {"lengths": 6, "visited": 6}
    assert cell["max_seq_length"] == MAX_SEQ_LENGTH
    samples = np.load(tmp_path / "cells/cell-samples.npz")
    latencies = (samples["end_ns"] - samples["due_ns"]) / 1e6
    assert cell["latency_ms"]["max"] == pytest.approx(latencies.max())
    assert set(samples["lane"].tolist()) <= {0, 1}
    assert "a second" in done.stdout


def test_a_saturated_cell_of_two_instances(pytestconfig, folder, tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("two instances take two cores")
    output = tmp_path / "cell.json"
    changes = {"mode": "saturated", "load": "saturated", "layout": "2x1x1", "scenario": "busy"}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert cell["features_per_second"] == cell["capacity"]["features_per_second"] > 100
    assert cell["service"]["inflation"] is None
    assert "latency_ms" not in cell
    assert len(cell["layout"]["cpus"]) == 2
    cpus = [cpu for part in cell["layout"]["cpus"] for cpu in part]
    assert len(set(cpus)) == 2


def test_a_cell_that_was_timed_for_less_than_asked_is_disturbed(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    changes = {"mode": "saturated", "load": "saturated", "seconds": 0.2, "min-seconds": 60}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text())["validity"]
    assert found["verdict"] != "valid"
    [short] = [reason for reason in found["reasons"] if reason["code"] == "too_short"]
    assert 55 < short["found"] < 60


def test_a_batched_cell(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    changes = {"max-tokens": 80, "wait-ms": 5, "load": "share0.5", "requests": 200}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert cell["batching"] == {"max_tokens": 80, "wait_ms": 5.0}
    samples = np.load(tmp_path / "cell-samples.npz")
    sums = np.bincount(samples["batch"], samples["tokens"])
    assert sums.max() <= 80
    assert len(sums) < len(samples["batch"])


@pytest.mark.slow
def test_a_rate_that_the_twin_says_is_run(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    done = run(pytestconfig.rootpath, folder, output, load="slo200")
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    found = cell["search"]
    assert found["status"] in ("confirmed", "unconfirmed")
    assert 0 < found["rate_confident"] <= found["rate"]
    *probes, last = found["probes"]
    assert probes
    assert (last["rate"], last["n"]) == (cell["arrivals"]["rate"], cell["requests"])
    assert found["status"] == "unconfirmed" or last["p99"] <= 200


def test_an_slo_below_the_service_is_infeasible(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    changes = {"load": "slo0.0001", "requests": 50}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert (cell["search"]["status"], cell["search"]["probes"]) == ("infeasible", [])
    assert cell["slo"]["met"] is False
    assert cell["slo"]["exceed_share"] == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "1x1"}, "layout is '1x1'; expected instances x streams x threads"),
        ({"layout": "999x1x1"}, "layout 999x1x1 takes 999 cores"),
        ({"load": "fast"}, "load is 'fast'; expected saturated"),
        ({"load": "saturated"}, "load saturated has no part in mode server"),
        ({"mode": "batches"}, "invalid choice: 'batches'"),
        ({"engine": "tensorrt"}, "engine is 'tensorrt'"),
        (
            {"engine": "onnxruntime", "precision": "int8"},
            "int8 needs a quantized model: make one by",
        ),
        ({"model": "nowhere"}, "nowhere/vocab.txt"),
        ({"seconds": 0}, "0 is not a number of seconds above 0"),
        ({"arrivals": '{"kind": "trace", "file": "nowhere.txt"}'}, "nowhere.txt"),
        ({"arrivals": '{"kind": "bursts"}'}, "--arrivals: found {"),
        ({"arrivals": '{"kind": "gamma"}'}, "expected a kind, poisson, constant"),
        ({"arrivals": '{"kind": "gamma", "burstiness": "much"}'}, "--arrivals: found {"),
        ({"arrivals": "[]"}, "--arrivals: found []"),
        ({"wait-ms": "nan", "max-tokens": 80}, "nan is not 0 or more"),
        ({"wait-ms": 5}, "--wait-ms has no part without --max-tokens"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(pytestconfig, folder, tmp_path, changes, message):
    done = run(pytestconfig.rootpath, folder, tmp_path / "cell.json", **changes)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_lost_instance_is_one_line_and_no_file(pytestconfig, folder, tmp_path):
    process = subprocess.Popen(
        command(folder, tmp_path / "cell.json", seconds=60, load="rate20"),
        cwd=pytestconfig.rootpath,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line == "timing\n":
            break
    time.sleep(1.0)
    [instance] = psutil.Process(process.pid).children()
    instance.send_signal(signal.SIGKILL)
    start = time.monotonic()
    assert process.wait(10) == 1
    assert time.monotonic() - start < 2
    [line] = process.stderr.read().splitlines()
    assert line.startswith("benchmark_serving.py: error: instance 1 of 1 ended (signal 9) after ")
    assert line.endswith(" of 1,200 requests")
    assert list(tmp_path.iterdir()) == []


def test_asked_to_end_it_leaves_no_instance_and_no_file(pytestconfig, folder, tmp_path):
    (tmp_path / "own").mkdir()
    process = subprocess.Popen(
        command(folder, tmp_path / "cell.json", seconds=60, load="rate20"),
        cwd=pytestconfig.rootpath,
        env=os.environ | {"TMPDIR": str(tmp_path / "own")},
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line == "timing\n":
            break
    [instance] = psutil.Process(process.pid).children()
    assert list((tmp_path / "own").glob("bertsquad-lanes-*"))
    process.terminate()
    assert process.wait(10) == 143
    assert not instance.is_running()
    assert not list((tmp_path / "own").glob("bertsquad-lanes-*"))
    assert [path.name for path in tmp_path.iterdir()] == ["own"]
