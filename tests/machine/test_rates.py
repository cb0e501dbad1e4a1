"""How fast a machine multiplies: by its instructions until it is measured."""

import pytest

from bertsquad.machine.rates import assumed, measured

ZEN4 = frozenset({"avx2", "avx512f", "avx512_bf16", "avx512_vnni"})


def test_without_a_measurement_the_instructions_tell():
    assert assumed(ZEN4, 2).gflops == {"fp32": 210.0, "bf16": 420.0, "int8": 800.0}
    assert assumed({"avx2", "fma"}, 4).gflops == {"fp32": 328.0, "int8": 600.0}
    assert assumed((), 3).gflops == {"fp32": 60.0}


def test_an_assumption_has_a_wider_band_than_a_measurement():
    ceilings = {"threads": 2, "gemm": {"fp32": {"native": True, "gflops": 200.0}}}
    assert measured(ceilings).band("fp32", 2) == pytest.approx((180.0, 200.0))
    assert assumed(ZEN4, 2).band("fp32", 2) == pytest.approx((147.0, 273.0))


def test_half_the_threads_reach_half_and_more_than_there_are_no_more():
    rates = assumed(ZEN4, 2)
    assert rates.band("fp32", 1) == pytest.approx((73.5, 136.5))
    assert rates.band("fp32", 1024) == rates.band("fp32", 2)


def test_a_precision_that_is_emulated_is_slower_than_fp32():
    gemm = {
        "fp32": {"native": True, "gflops": 100.0},
        "bf16": {"native": False, "gflops": 12.0},
    }
    found = measured({"threads": 1, "gemm": gemm})
    assert found.gflops == {"fp32": 100.0}
    assert found.band("bf16", 1) == pytest.approx((27.0, 100.0))


@pytest.mark.parametrize("damaged", [{}, {"threads": 2, "gemm": {}}, [], {"threads": 1, "gemm": 3}])
def test_a_damaged_file_is_no_measurement(damaged):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        measured(damaged)


def test_words_name_the_fastest_first():
    assert assumed(ZEN4, 2).words == "800 GFLOP/s in int8, 420 in bf16, 210 in fp32"
