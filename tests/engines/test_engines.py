"""Which engines there are, choosing one, and whether a precision is native on this processor."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad import engines
from bertsquad.console.errors import UserError
from bertsquad.machine import cpu
from bertsquad.machine.cpu import CpuInfo

ENGINES = Path(engines.__file__).parent
ROOT = ENGINES.parents[2]


def test_every_folder_with_an_about_is_an_engine_and_the_reference_comes_first():
    assert list(engines.PRECISIONS) == ["torch", "onnxruntime", "openvino"]
    assert engines.packages() == ("torch", "onnxruntime", "onnx", "openvino", "nncf")
    with pytest.raises(UserError, match="engine is 'tensorrt'"):
        engines.about("tensorrt")


@pytest.mark.parametrize("engine", engines.PRECISIONS)
def test_an_about_imports_nothing_and_holds_what_about_asks_for(engine: str):
    tree = ast.parse((ENGINES / engine / "about.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    about = engines.about(engine)
    assert set(engines.About.__annotations__) <= set(vars(about))
    assert bool(about.INT8_FILES) == ("int8" in about.PRECISIONS)
    assert set(about.REFUSED_UNLESS_NATIVE) <= set(about.PRECISIONS)


def test_engines_are_known_without_their_libraries():
    program = (
        "import sys; from bertsquad import engines; engines.packages();"
        "engines.check_able('openvino', 'int8');"
        "print([name for name in (*engines.packages(), 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("engine", engines.PRECISIONS)
def test_the_configurations_readme_has_a_row_for_each(engine: str):
    about = engines.about(engine)
    listed = ", ".join(f"`{precision}`" for precision in about.PRECISIONS)
    row = f"| `{engine}` | {about.DESCRIPTION} | list of {listed} |"
    assert row in (ROOT / "config/README.md").read_text(encoding="utf-8")


def test_an_unknown_engine_is_refused_by_name():
    with pytest.raises(
        UserError, match="engine is 'tensorrt'; expected one of: torch, onnxruntime, openvino"
    ):
        engines.load("tensorrt", "model", precision="fp32", threads=1)


def test_an_unknown_precision_is_refused_by_name():
    with pytest.raises(UserError, match=r"precision is 'fp8'.* torch has: fp32, bf16"):
        engines.load("torch", "model", precision="fp8", threads=1)


def test_a_missing_model_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere/config\.json: no such file"):
        engines.load("torch", tmp_path / "nowhere", precision="fp32", threads=1)


@pytest.mark.parametrize(
    ("flags", "native"),
    [
        ({"sse4_2"}, {"fp32"}),
        ({"avx2", "avx512f"}, {"fp32", "int8"}),
        ({"avx512_bf16"}, {"fp32", "bf16"}),
        ({"avx512_vnni"}, {"fp32", "int8"}),
        ({"amx_bf16", "amx_int8"}, {"fp32", "bf16", "int8"}),
    ],
)
def test_a_precision_is_native_where_the_processor_has_it(monkeypatch, flags, native):
    monkeypatch.setattr(cpu, "read_cpu", lambda root: CpuInfo("x", "y", frozenset(flags)))
    assert {name for name in ("fp32", "bf16", "int8") if engines.native(name)} == native


def test_bf16_counts_as_emulated_where_the_processor_hides_what_it_is(monkeypatch):
    def hidden(root):
        raise FileNotFoundError

    monkeypatch.setattr(cpu, "read_cpu", hidden)
    assert engines.native("bf16") is False


def test_bf16_by_openvino_is_refused_where_it_would_be_fp32(monkeypatch):
    monkeypatch.setattr(engines, "native", lambda precision: precision == "fp32")
    with pytest.raises(UserError, match="openvino bf16: this processor has no BF16 instructions"):
        engines.load("openvino", "model", precision="bf16", threads=1)
    engines.check_able("openvino", "int8")
    engines.check_able("torch", "bf16")


def test_int8_asks_for_a_quantized_model(tmp_path):
    with pytest.raises(UserError, match=r"int8 needs .* `bertsquad quantize --engine "):
        engines.load("openvino", tmp_path, precision="int8", threads=1)
    with pytest.raises(UserError, match=r"model\.onnx: no such file; make the quantized model"):
        engines.load("onnxruntime", tmp_path, precision="int8", threads=1, quantized_dir=tmp_path)
    (tmp_path / "model.onnx").touch()
    with pytest.raises(UserError, match=r"model\.onnx\.data: no such file; make the quantized"):
        engines.load("onnxruntime", tmp_path, precision="int8", threads=1, quantized_dir=tmp_path)
    (tmp_path / "model.xml").touch()
    with pytest.raises(UserError, match=r"model\.bin: no such file; make the quantized model"):
        engines.load("openvino", tmp_path, precision="int8", threads=1, quantized_dir=tmp_path)
