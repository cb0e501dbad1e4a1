"""What the doctor and machine.json say of the kernels, from a process of its own."""

from typing import Any

import pytest

from bertsquad.kernels.report import status_of_a_child
from bertsquad.machine.checks import Check, checks
from bertsquad.machine.description import describe


def found(kernels: dict[str, Any] | None) -> list[Check]:
    return [check for check in checks(describe(kernels=kernels)) if "kernels" in check.finding]


def test_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    status = status_of_a_child()
    assert status == {
        "available": False,
        "kernels": [],
        "reason": "BERTSQUAD_KERNELS=off",
        "help": "unset BERTSQUAD_KERNELS",
        "compiler": "",
        "key": "",
    }
    assert found(status) == [
        Check(
            "note",
            "PyTorch's own operations are used in place of the compiled kernels: "
            "BERTSQUAD_KERNELS=off",
            "unset BERTSQUAD_KERNELS",
        )
    ]


def test_a_wrong_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTSQUAD_KERNELS", "maybe")
    status = status_of_a_child()
    assert "expected one of auto, off, on" in status["unavailable"]
    assert [check.level for check in found(status)] == ["unknown"]


def test_all_or_some_or_not_asked() -> None:
    status = {"available": True, "kernels": ["add_norm"], "reason": "", "help": ""}
    assert [check.level for check in found(status)] == ["fine"]
    status |= {"available": False, "reason": "this processor lacks avx512_bf16", "help": "another"}
    assert str(found(status)[0]) == (
        "PyTorch's own operations are used in place of some of the compiled kernels: "
        "this processor lacks avx512_bf16; another"
    )
    assert found(None) == []
