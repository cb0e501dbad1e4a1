"""INT8 models: near the FP32 one, recorded, and the same again."""

import json

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad import engines
from bertsquad.console.errors import UserError
from bertsquad.data.features import Features
from bertsquad.engines import quantizing
from bertsquad.files import sha256
from engines.small_run import write_features, write_finetuned

ENGINES = ("openvino", "onnxruntime")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model_dir = write_finetuned(folder)
    write_features(folder / "features", model_dir, [5, 9, 14, 20, 27, 33] * 4)
    return folder


def make(run, engine, output):
    return quantizing.make(
        engine, run / "model", output, features_path=run / "features", count=12, seed=1
    )


@pytest.fixture(scope="module", params=ENGINES)
def quantized(request, run, tmp_path_factory):
    """The engine, the folder of its INT8 model, and the record."""
    output = tmp_path_factory.mktemp(request.param)
    return request.param, output, make(run, request.param, output)


def test_logits_are_near_those_of_fp32(run, quantized):
    engine, output, _ = quantized
    batch = Features.open(run / "features").packed(np.arange(8))
    fp32 = engines.load(engine, run / "model", precision="fp32", threads=1).run(batch)
    int8 = engines.load(
        engine, run / "model", precision="int8", threads=1, quantized_dir=output
    ).run(batch)
    for exact, found in zip(fp32, int8, strict=True):
        assert np.abs(found - exact).max() > 0
        assert np.corrcoef(found, exact)[0, 1] > 0.95
        # Neither scaled nor shifted, and nowhere far off: what a correlation does not see.
        slope, shift = np.polyfit(exact, found, 1)
        assert slope == pytest.approx(1, abs=0.06)
        assert abs(shift) < 0.1 * exact.std()
        error = found - exact
        assert np.sqrt(np.square(error).mean()) < 0.3 * exact.std()
        assert np.abs(error).max() < exact.std()


def test_the_record_says_how_and_on_what(run, quantized):
    engine, output, record = quantized
    assert json.loads((output / "calibration.json").read_text()) == record
    assert record["engine"] == engine
    assert record["model_sha256"] == sha256(run / "model/model.safetensors")
    assert record["files_sha256"] == {
        path.name: sha256(path) for path in output.iterdir() if path.name != "calibration.json"
    }
    assert engine in record["versions"]


def test_openvino_is_calibrated_on_features_and_onnxruntime_on_none(run, quantized):
    engine, _, record = quantized
    if engine == "openvino":
        assert len(record["features"]) == 12
        assert record["features_sha256"] == sha256(run / "features")
    else:
        assert record["features"] == []
        assert "needs no calibration data" in record["method"]


def test_the_same_again_has_the_same_weights(run, quantized, tmp_path):
    engine, _, record = quantized
    again = make(run, engine, tmp_path)["files_sha256"]
    # Not model.xml: OpenVINO numbers its nodes through the whole process.
    first, second = ({**files, "model.xml": ""} for files in (record["files_sha256"], again))
    assert first == second


def test_others_may_read_it(quantized):
    _, output, record = quantized
    assert {(output / name).stat().st_mode & 0o777 for name in record["files_sha256"]} == {0o644}


def test_tensors_of_onnxruntime_lie_beside_the_graph(run, tmp_path):
    """Inside it they would be in memory twice, as read and as packed for the processor."""
    make(run, "onnxruntime", tmp_path)
    graph = onnx.load(tmp_path / "model.onnx", load_external_data=False).graph
    large = [tensor for tensor in graph.initializer if np.prod(tensor.dims) >= 1024]
    assert large
    assert all(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in large)


def test_nobody_is_told_that_nncf_is_used():
    from nncf.telemetry.wrapper import NNCFTelemetryStub, telemetry

    assert isinstance(telemetry, NNCFTelemetryStub)


def test_calibration_asks_for_features(run, tmp_path):
    with pytest.raises(UserError, match="openvino is calibrated on features: give --features"):
        quantizing.make("openvino", run / "model", tmp_path, features_path=None, count=1, seed=0)


def test_an_engine_without_int8_is_refused(run, tmp_path):
    with pytest.raises(UserError, match=r"engine is 'torch'; .* has int8: onnxruntime, openvino"):
        quantizing.make("torch", run / "model", tmp_path, features_path=None, count=1, seed=0)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    count=st.integers(1, 80),
    seed=st.integers(0, 5),
)
def test_so_many_different_features_or_all(lengths, count, seed):
    chosen = quantizing.spread_features(np.array(lengths), count, seed).tolist()
    assert len(chosen) == min(count, len(lengths))
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= set(range(len(lengths)))


def test_every_tenth_of_the_lengths_has_its_share():
    lengths = np.random.default_rng(0).permutation(1000)
    chosen = lengths[quantizing.spread_features(lengths, 50, seed=3)]
    assert np.histogram(chosen, bins=10, range=(0, 1000))[0].tolist() == [5] * 10


def test_the_seed_decides():
    lengths = np.arange(1000)
    first, again, other = (
        quantizing.spread_features(lengths, 20, seed).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
