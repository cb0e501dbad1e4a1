"""reporting/speed.py and figures/speed.py: every engine has a row, with numbers or a reason."""

import xml.etree.ElementTree as ET
from itertools import chain

import pytest

from bertsquad.benchmark.flops import useful_flops
from bertsquad.benchmark.random_bert import BERT_LARGE
from bertsquad.benchmark.validity import validity
from bertsquad.console.errors import UserError
from bertsquad.reporting import style
from bertsquad.reporting.figures import speed as figure
from bertsquad.reporting.summary import speed as summary
from bertsquad.reporting.summary.speed import as_text

TEXT = "{http://www.w3.org/2000/svg}text"


def ceilings(**gflops: float | None) -> dict:
    """Ceilings where a precision without a number is emulated, at 15 GFLOP/s."""
    given = {"fp32": 140.0, "bf16": None, "int8": None} | gflops
    return {
        "threads": 2,
        "gemm": {
            precision: {"native": rate is not None, "gflops": rate or 15.0}
            for precision, rate in given.items()
        },
        "memory": {"read": {"gb_per_s": 20.5}, "copy": {"gb_per_s": 24.0}},
    }


def ceiling(gflops: float, median: float | None = None, native: bool = True) -> dict:
    return {"native": native, "gflops": gflops, "gflops_median": median or gflops}


LENGTHS = [100] * 12 + [256] * 12  # 178 tokens on average
GFLOP = useful_flops(BERT_LARGE, LENGTHS) / 24 / 1e9  # a feature's


def cells(
    engine: str = "torch", precision: str = "fp32", scale: float = 1.0, **changes
) -> list[dict]:
    """The three cells of an engine and precision; `changes` are of all three."""
    percentiles = {"p50": 900 / scale, "p90": 1600 / scale, "p99": None}
    latency = {name: {"value": value} for name, value in percentiles.items()}
    common = {
        "engine": engine,
        "precision": precision,
        "native": True,
        "threads": 2,
        "max_seq_length": 384,
        "features": 24,
        "tokens": sum(LENGTHS),
        "squared_lengths": sum(length**2 for length in LENGTHS),
        "peak_memory_mib": 2900.0,
        "activity": {"other_cpus": 0.1},
        "validity": {"verdict": "valid", "reasons": []},
    }
    return [
        common | {"scenario": name} | own | changes
        for name, own in {
            "offline": {"features_per_second": 119.0 * scale / GFLOP, "ceiling": ceiling(140.0)},
            "padded": {"features_per_second": 0.5 * scale, "peak_memory_mib": 2500.0},
            "requests": {
                "features_per_second": 1.0 * scale,
                "latency_ms": latency | {"max": 2100 / scale, "n": 40},
            },
        }.items()
    ]


def speed_table(measured, found):
    return summary.speed_table(chain(*measured), found, BERT_LARGE)


def emulated(engine: str, precision: str, scale: float = 1.0) -> list[dict]:
    return cells(engine, precision, scale, native=False, ceiling=ceiling(15.0, native=False))


def rows(table) -> dict:
    return {(row["engine"], row["precision"]): row for _, row in table.iterrows()}


def test_a_rate_is_a_share_of_the_ceiling_of_its_precision():
    in_bf16 = cells("openvino", "bf16", 2.0, ceiling=ceiling(280.0))
    table = speed_table([cells(), in_bf16], ceilings(bf16=280.0))
    found = rows(table)
    assert found["torch", "fp32"]["ceiling_share"] == pytest.approx(0.85)
    assert found["openvino", "bf16"]["ceiling_share"] == pytest.approx(0.85)
    torch = found["torch", "fp32"]
    assert torch["padded_useful_gflops"] == pytest.approx(0.5 * GFLOP)
    full = useful_flops(BERT_LARGE, [384]) / 1e9
    assert torch["padded_computed_gflops"] == pytest.approx(0.5 * full)
    assert (torch["requests"], torch["mean_length"], torch["peak_memory_mib"]) == (40, 178, 2900)


def test_all_engines_of_a_precision_have_one_ceiling_the_best_of_the_run():
    """Divided each by its own, 947 of 1,346 would be more than 996 of 1,921."""
    first = cells("openvino", "int8", 947 / 119, ceiling=ceiling(1346.0, 1340.0))
    second = cells("onnxruntime", "int8", 996 / 119, ceiling=ceiling(1400.0, 1390.0))
    found = rows(speed_table([first, second], ceilings(int8=1450.0)))
    shares = [found[name, "int8"]["ceiling_share"] for name in ("openvino", "onnxruntime")]
    assert shares == pytest.approx([947 / 1450, 996 / 1450])
    assert found["openvino", "int8"]["ceiling_gflops"] == 1450.0


def test_the_ceiling_that_is_printed_is_that_of_the_shares():
    table = speed_table([cells(ceiling=ceiling(150.0))], ceilings(int8=300.0))
    assert (
        as_text(table, ceilings(int8=300.0))
        .splitlines()[-1]
        .startswith("ceilings on 2 threads: fp32 150 GFLOP/s, int8 300 GFLOP/s; memory")
    )


def test_there_is_no_share_where_the_machine_was_slower_than_at_its_best():
    slow = cells("openvino", "fp32", ceiling=ceiling(140.0, median=125.0))
    table = speed_table([cells(), slow], ceilings())
    assert rows(table)["torch", "fp32"]["ceiling_share"] == pytest.approx(0.85)
    assert rows(table).get(("openvino", "fp32")).isna()["ceiling_share"]
    assert "unsteady" in as_text(table, ceilings())


def test_every_engine_and_precision_has_a_row_and_those_not_measured_a_reason():
    found = rows(speed_table([cells()], ceilings()))
    assert len(found) == 7
    assert found["torch", "bf16"]["left_out"] == (
        "this processor has no instructions for bf16 and would emulate it"
    )
    assert not found["torch", "bf16"]["native"]
    assert found["torch", "fp32"].isna()["left_out"]
    assert found["openvino", "fp32"]["left_out"] == "it was not measured"


def test_a_cell_that_was_refused_has_its_reason_and_no_numbers():
    reason = "this processor has no bf16 and would emulate it"
    scenarios = ("offline", "padded", "requests")
    of_one = {"engine": "torch", "precision": "bf16", "refused": reason}
    table = speed_table([cells(), [of_one | {"scenario": n} for n in scenarios]], ceilings())
    found = rows(table)["torch", "bf16"]
    assert (found["native"], found["left_out"]) == (False, reason)
    assert f"left out: torch bf16: {reason}" in as_text(table, ceilings())


def test_the_table_of_a_kind_of_machine_says_which_and_where():
    measured = [{"cpu": "Example 9000", "host": "vm", "node": "n4"}] * 2
    assert summary.of_machine("half", measured) == "machine half: Example 9000, measured on n4"
    assert summary.of_machine("half", [{}]) == "machine half: an unknown processor"


def test_a_scenario_that_was_not_measured_is_named():
    with pytest.raises(UserError, match="torch fp32: scenarios 'offline', 'padded'; expected one"):
        speed_table([cells()[:2]], ceilings())


def test_what_is_emulated_has_no_share():
    table = speed_table([emulated("openvino", "int8")], ceilings())
    assert rows(table)["openvino", "int8"].isna()["ceiling_share"]
    assert "emulated" in as_text(table, ceilings())


def test_the_text_has_the_fastest_first_and_ends_with_the_ceilings():
    table = speed_table([cells(), cells("openvino", "fp32", 1.2)], ceilings())
    lines = as_text(table, ceilings()).splitlines()
    assert [" ".join(line.split()) for line in lines[2:4]] == [
        "openvino fp32 1.28 143 102 % 0.600 750 1,333 - 40: 1,750 2,900 MiB",
        "torch fp32 1.07 119 85 % 0.500 900 1,600 - 40: 2,100 2,900 MiB",
    ]
    assert "left out: torch bf16, openvino bf16: this processor" in lines[4]
    assert "left out: onnxruntime fp32: it was not measured" in lines
    assert lines[-1] == (
        "ceilings on 2 threads: fp32 140 GFLOP/s; memory 20.5 GB/s read, 24.0 GB/s copied"
    )


def test_a_busy_machine_is_told():
    measured = cells()
    measured[1] |= {
        "activity": {"other_cpus": 1.25},
        "validity": validity({"other_cpus": 1.25}),
    }
    table = speed_table([measured, cells("openvino")], ceilings())
    assert as_text(table, ceilings()).splitlines()[-1] == (
        "disturbed: torch fp32: padded: busy 1.2 CPUs"
    )
    assert rows(table)["torch", "fp32"]["other_cpus"] == 1.25
    assert rows(table)["openvino", "fp32"]["validity"] == "valid"


def test_what_was_disturbed_leads_neither_the_table_nor_the_figure(tmp_path):
    fast = cells("openvino", "fp32", 1.2, validity=validity({"other_cpus": 1.25}))
    table = speed_table([fast, cells()], ceilings())
    names = [line.split()[:2] for line in as_text(table, ceilings()).splitlines()[2:4]]
    assert names == [["torch", "fp32"], ["openvino", "fp32"]]
    axes = figure.draw(table).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["torch fp32", "openvino fp32 (disturbed)"]


def test_what_the_system_does_not_tell_of_other_programs_is_left_open():
    table = speed_table([cells(activity={"unavailable": "no /proc/stat"})], ceilings())
    assert rows(table)["torch", "fp32"].isna()["other_cpus"]


def drawn(table, path) -> bytes:
    with style.styled():
        style.save(figure.draw(table), path, figure.TITLE)
    return path.read_bytes()


def test_the_figure_shows_what_was_measured_and_is_the_same_for_the_same_data(tmp_path):
    table = speed_table([cells(), emulated("openvino", "int8", 4.0)], ceilings())
    content = drawn(table, tmp_path / "a.svg")
    assert content == drawn(table.copy(), tmp_path / "b.svg")
    texts = ["".join(node.itertext()) for node in ET.fromstring(content).iter(TEXT)]
    assert {"torch fp32", "openvino int8 (emulated)", "85 %", "1.07, 0.500"} <= set(texts)
    assert "torch bf16" not in texts


def test_nothing_measured_is_a_message(tmp_path):
    assert b"No engine was measured" in drawn(speed_table([], ceilings()), tmp_path / "a.svg")
