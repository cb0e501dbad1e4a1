"""Versions are read from package metadata, without importing the packages."""

import subprocess
import sys

from bertsquad.machine.versions import parse_linked, versions


def test_python_and_what_computes():
    found = versions()
    assert list(found)[:6] == ["python", "libc", "torch", "numpy", "tokenizers", "safetensors"]
    assert found["python"].startswith("3.")
    assert found["torch"][0].isdigit()


def test_others_are_named_where_they_are_installed():
    found = versions(("openvino", "no-such-package"))
    assert isinstance(found["openvino"], str)
    assert "no-such-package" not in found


def test_what_is_needed_and_not_installed_is_unavailable():
    assert versions(needed=("no-such-package",))["no-such-package"] == {
        "unavailable": "not installed"
    }


BUILD = """\
PyTorch built with:
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64
  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80afa71049cd69a3df32adcccb623b12cd7baa22)
  - OpenMP 201511 (a.k.a. OpenMP 4.5)
  - CPU capability usage: AVX512
"""
MAPS = """\
7f0000000000-7f0000001000 r-xp 00000000 fe:00 1 /env/torch/lib/libgomp.so.1
7f0000002000-7f0000003000 r-xp 00000000 fe:00 2 /env/torch/lib/libtorch_cpu.so
"""


def test_what_pytorch_is_linked_with_is_read_from_its_own_words():
    assert parse_linked(BUILD, MAPS) == {
        "onednn": "3.12.0",
        "mkl_in_torch": "2024.2",
        "openmp": "libgomp.so.1 (OpenMP 4.5)",
        "torch_kernels": "AVX512",
    }


def test_what_pytorch_does_not_say_is_unavailable():
    found = parse_linked("PyTorch built with:\n  - OpenMP 201511 (a.k.a. OpenMP 4.5)\n", "")
    assert found["openmp"] == "OpenMP 4.5"
    assert found["mkl_in_torch"] == {"unavailable": "torch.__config__ does not say"}


def test_nothing_heavy_is_imported(pytestconfig):
    program = (
        "import sys; from bertsquad.machine.description import describe; describe();"
        "print([name for name in ('torch', 'numpy', 'tokenizers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=pytestconfig.rootpath / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
