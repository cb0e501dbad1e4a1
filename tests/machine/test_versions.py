"""Versions are read from package metadata, without importing the packages."""

import subprocess
import sys

from bertsquad.machine.versions import versions


def test_python_and_what_computes():
    found = versions()
    assert list(found) == ["python", "torch", "numpy", "tokenizers", "safetensors"]
    assert found["python"].startswith("3.")
    assert found["torch"][0].isdigit()


def test_what_is_not_installed_is_unavailable():
    assert versions(("no-such-package",))["no-such-package"] == {"unavailable": "not installed"}


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
