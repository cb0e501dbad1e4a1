"""Figures in README and docs are those of the committed files that they come from."""

import csv
import json
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from project import ROOT

RESULTS = ROOT / "docs/results"


def text(page: Path) -> str:
    return " ".join(page.read_text(encoding="utf-8").split())


def rows(name: str, **key: str) -> list[dict[str, str]]:
    """The rows of a folder's table that have these values."""
    path = next((RESULTS / name).glob("*.csv"))
    with path.open(encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines))
    return [row for row in found if all(row[name] == value for name, value in key.items())]


def value(name: str, column: str, **key: str) -> float:
    """The one value that these rows have in a column."""
    (only,) = {row[column] for row in rows(name, **key) if row[column]}
    return float(only)


def f1(name: str, run: str, engine: str = "torch", precision: str = "fp32") -> str:
    return f"{value(name, 'f1', run=run, engine=engine, precision=precision):.1f}"


def demo() -> str:
    trained, bf16, untrained = (f1("demo", n) for n in ("demo-fp32", "demo-bf16", "untrained"))
    return f"F1 {trained} for FP32 training and {bf16} for BF16, {untrained} without training"


def minilm() -> str:
    models = [("torch", "bf16"), ("openvino", "int8"), ("onnxruntime", "int8")]
    bf16, openvino, onnxruntime = (f1("minilm", "minilm-bf16", *model) for model in models)
    key = {"engine": "onnxruntime", "precision": "int8", "mode": "end_to_end"}
    exact = value("minilm", "exact_match", engine="torch", precision="fp32")
    return (
        f"answers {exact:.1f} % of the {value('minilm', 'questions'):,.0f} development questions "
        f"exactly: F1 {f1('minilm', 'minilm-bf16')} in FP32 by every engine, with the same "
        f"{value('minilm', 'questions'):,.0f} answers; {bf16} in BF16, {openvino} in INT8 by "
        f"OpenVINO, {onnxruntime} by ONNX Runtime, which gives "
        f"{value('minilm', 'questions_per_second', **key):.0f} answers a second"
    )


def minilm_time() -> str:
    minutes = round(value("minilm", "train_seconds") / 60)
    return f"for one epoch, {minutes // 60} h {minutes % 60} min on two cores"


def large() -> str:
    rates = sorted(float(r["features_per_second"]) for r in rows("speed", precision="fp32"))
    int8 = value("speed", "features_per_second", engine="onnxruntime", precision="int8")
    return (
        f"{rates[0]:.2f} to {rates[-1]:.2f} windows a second in FP32, {int8:.2f} in INT8 by ONNX "
        "Runtime"
    )


def errata() -> str:
    lost = value("errata", "f1", run="as-intended", precision="bf16", engine="torch") - value(
        "errata", "f1", run="as-run", precision="bf16", engine="torch"
    )
    return f"a small model loses {lost:.0f} points of F1"


@pytest.mark.parametrize("sentence", [demo, minilm, minilm_time, large, errata])
def test_what_the_readme_says_is_what_the_tables_hold(sentence: Callable[[], str]):
    assert sentence() in text(ROOT / "README.md")


def test_three_engines_give_the_same_answers_in_fp32():
    for engine in ("openvino", "onnxruntime"):
        key = {"engine": engine, "precision": "fp32"}
        assert value("minilm", "changed_answers", **key) == 0
        assert f1("minilm", "minilm-bf16", engine) == f1("minilm", "minilm-bf16")


def sections(page: Path) -> dict[str, str]:
    """The parts of a page of `make bench`, by heading."""
    found = re.split(r"^## (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


# Each row of the README's two tables, and the part of the page that it is taken from.
ZEN3, ZEN4 = "zen3/benchmarks.md", "benchmarks.md"
BENCHED = {
    (ZEN3, "inference FP32, real lengths"): "Inference, FP32",
    (ZEN3, "inference FP32, padded to 384"): "Inference, FP32",
    (ZEN3, "inference INT8, real lengths"): "Inference, INT8",
    (ZEN3, "fine-tuning FP32, real lengths"): "Fine-tuning, FP32",
    (ZEN3, "texts in, answers out, FP32"): "Texts in, answers out, FP32",
    (ZEN3, "SQuAD train to features, 3.5 s"): "SQuAD's training set to features",
    (ZEN4, "inference BF16, real lengths"): "Inference, BF16",
    (ZEN4, "inference FP32, real lengths"): "Inference, FP32",
    (ZEN4, "inference INT8, real lengths"): "Inference, INT8",
    (ZEN4, "one request at a time, BF16"): "One request at a time, BF16",
    (ZEN4, "texts in, answers out, BF16"): "Texts in, answers out, BF16",
    (ZEN4, "fine-tuning BF16, real lengths"): "Fine-tuning, BF16",
}


def readme_rows(page: str) -> dict[str, list[str]]:
    """The rows of the README's table after the link to a page: the cells by the work's name."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    after = readme.partition(f"(docs/results/{page})")[2]
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[0].splitlines()[2:]]
    return {work: rest for work, *rest in cells}


def test_every_row_of_the_readme_has_its_source():
    named = {(page, work) for page in (ZEN3, ZEN4) for work in readme_rows(page)}
    assert named == set(BENCHED)


NUMBER = re.compile(r"(?<![\w.,])(\d+(?:\.\d+)?)(?: ?(%))?(?![\w.]*\d)")


def numbers(cell: str) -> set[tuple[str, bool]]:
    """The numbers in a cell as they are written, and whether each is a share in percent."""
    return {(number, bool(percent)) for number, percent in NUMBER.findall(cell)}


@pytest.mark.parametrize(("page", "work"), BENCHED, ids=lambda part: part.replace("/", "-"))
def test_figures_of_a_row_stand_in_its_table(page: str, work: str):
    part = sections(RESULTS / page)[BENCHED[page, work]]
    heads, _, *lines = [line.split("|") for line in part.splitlines() if line.startswith("|")]
    goal = heads.index(" goal ") if " goal " in heads else None
    medians = [cell.partition("(")[0] for line in lines for cell in line[3:goal]]
    held = {number for cell in medians for number in numbers(cell)}
    for cell in readme_rows(page)[work]:
        for number, percent in numbers(re.sub(r"padded to 384", "", cell)):
            step = Decimal(1).scaleb(-len(number.partition(".")[2]))
            rounded = {
                Decimal(other).quantize(step, ROUND_HALF_UP)
                for other, share in held
                if share == percent
            }
            assert Decimal(number) in rounded, f"{work}: {number} is not in {page}"


def test_the_time_of_features_is_that_of_their_rate():
    part = sections(RESULTS / ZEN3)[BENCHED[ZEN3, "SQuAD train to features, 3.5 s"]]
    rate = re.search(r"\*\*bertsquad\*\* \|[^|]*\| ([\d,]+) ", part)
    assert rate
    assert f"{87_599 / float(rate[1].replace(',', '')):.1f} s" == "3.5 s"


def test_peak_memory_is_that_of_the_table():
    part = sections(RESULTS / ZEN3)["Peak memory, BERT-Large with all 24 layers"]
    held = set(re.findall(r"[\d,]+(?= MiB|\b)", part))
    told = re.search(
        r"Its (\S+) MiB of FP32 weights are in memory once: the process peaks at (\S+) MiB in FP32 "
        r"and (\S+) in INT8, where ONNX Runtime as people load it takes (\S+) and (\S+)\. ",
        text(ROOT / "README.md") + " ",
    )
    assert told
    layer = 4 * (1024 * 1024 + 1024) + 2 * 1024 * 4096 + 4096 + 1024 + 4 * 1024
    large = (30522 + 512 + 2 + 2) * 1024 + 24 * layer + 2 * 1024 + 2  # BERT's, uncased, in numbers
    assert told[1] == f"{large * 4 / 2**20:,.0f}"
    assert set(told.groups()[1:]) - held == set()


@pytest.mark.parametrize(
    ("engine", "precision"),
    [
        *(("torch", "fp32"), ("onnxruntime", "fp32"), ("openvino", "fp32")),
        *(("torch", "bf16"), ("openvino", "int8"), ("onnxruntime", "int8")),
    ],
)
def test_the_table_of_minilm_is_that_of_its_summary(engine: str, precision: str):
    key = {"engine": engine, "precision": precision}
    of = lambda column: value("minilm", column, **key)  # noqa: E731
    line = next(
        line
        for line in (RESULTS / "minilm/README.md").read_text(encoding="utf-8").splitlines()
        if re.match(rf"\| {engine} \| {precision.upper()}", line)
    )
    cells = [cell.strip() for cell in line.split("|")[3:-1]]
    assert cells[:3] == [
        f"{of('exact_match'):.2f}",
        f"{of('f1'):.2f}",
        f"{of('f1_low'):.1f} to {of('f1_high'):.1f}",
    ]
    if (engine, precision) != ("torch", "fp32"):
        assert cells[4] == f"{of('changed_answers'):.0f}"
        assert float(cells[5]) == pytest.approx(of("max_logit_difference"), rel=0.1, abs=5e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_table_of_precisions_is_that_of_its_summary(seed: int):
    bf16, fp32 = (f1("precision", f"{name}-seed{seed}") for name in ("bf16", "fp32"))
    assert f"| {seed} | {bf16} | {fp32} |" in text(RESULTS / "precision/README.md")


@pytest.mark.parametrize("run", sorted({row["run"] for row in rows("errata")}))
def test_the_table_of_the_errata_is_that_of_its_summary(run: str):
    (row,) = (row for row in rows("errata", run=run) if row["f1"])
    exact, score = f"{float(row['exact_match']):.1f}", f"{float(row['f1']):.1f}"
    line = re.search(rf"^\| `{run}` \|.*$", (RESULTS / "errata/README.md").read_text(), re.M)
    assert line
    cells = [cell.strip(" *") for cell in line[0].split("|")]
    assert cells[4:6] == [exact, score]


def rounding() -> dict[str, Any]:
    return json.loads((RESULTS / "rounding/rounding.json").read_text(encoding="utf-8"))


def test_what_rounding_grows_to_is_said_as_it_was_measured():
    found = rounding()
    columns = [
        (found[precision][name])
        for precision in ("fp32", "bf16")
        for name in ("two_processes", "two_threads")
    ]
    page = text(RESULTS / "rounding/README.md")
    first = " | ".join(f"{column['first_losses_apart']:.0e}" for column in columns)
    assert f"the first 6 losses differ by up to | {first} |" in page
    seed = found["fp32"]["another_seed"]
    losses = " | ".join(f"{100 * column['losses_apart_mean']:.1f} %" for column in columns)
    assert f"on average, by | {losses} | {100 * seed['losses_apart_mean']:.0f} % |" in page
    apart = [column["share_of_the_movement"] for column in columns]
    weights = [f"{100 * share:.{1 if share < 0.1 else 0}f} %" for share in apart]
    moved = f"{100 * seed['share_of_the_movement']:.0f} %"
    assert f"from the start | {' | '.join(weights)} | {moved} |" in page
    told = text(ROOT / "docs/distributed.md")
    assert (
        f"After {found['fp32']['steps']} steps of the demo two processes are {weights[0]} (FP32) "
        f"or {weights[2]} (BF16) of the movement away from one, two threads {weights[1]} or "
        f"{weights[3]}, another seed {moved}"
    ) in told


def kernels(part: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(
        (RESULTS / "kernels/kernels.json").read_text(encoding="utf-8")
    )[part]
    return found


def times(part: str, row: str, contender: str) -> float:
    return float(kernels(part)[row][contender]["times"])


def test_what_kernels_spare_in_attention():
    said = {
        (name, precision, size): f"{times('serving', f'heads of {size}, {precision}', name):.2f}"
        for name in ("products", "compiled")
        for precision in ("bf16", "fp32")
        for size in (32, 64)
    }
    bf16, fp32 = (
        {(name, size): said[name, precision, size] for name, _, size in said}
        for precision in ("bf16", "fp32")
    )
    assert (
        f"in BF16 `products` {bf16['products', 64]} with heads of 64 and {bf16['products', 32]} "
        f"with heads of 32, `compiled` {bf16['compiled', 64]} and {bf16['compiled', 32]}; in FP32 "
        f"`compiled` {fp32['compiled', 64]} and {fp32['compiled', 32]}, `products` "
        f"{fp32['products', 64]} and {fp32['products', 32]}."
    ) in text(ROOT / "docs/engines.md")


def test_what_kernels_spare_in_training():
    ranges = {
        precision: sorted(
            row["compiled"]["times"]
            for name, row in kernels("training").items()
            if f", {precision}, " in name
        )
        for precision in ("fp32", "bf16")
    }
    fp32, bf16 = (f"{found[0]:.1f} to {found[-1]:.1f} times" for found in ranges.values())
    assert f"{fp32} as fast as the products in FP32 and {bf16} in BF16" in text(
        ROOT / "docs/how_it_works.md"
    )


def test_the_tables_of_7_and_8_bits():
    page = (ROOT / "docs/engines.md").read_text(encoding="utf-8")
    names = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}
    for row in rows("int8_bits"):
        label = rf"{names[row['engine']]}, {row['bits']} bits"
        if row["f1"]:
            rest = (
                f"{row['rms']} | {row['other_answers']} | {row['f1']} "
                f"({float(row['f1_low']):+.1f} to {float(row['f1_high']):+.1f})"
            )
        else:
            rest = f"{row['rms']} | {row['same_span']} %"
        assert re.search(rf"\| {label}[^|]*\| {re.escape(rest)} \|", page), label


def test_every_time_in_the_readme_is_one_that_a_file_holds():
    """3.5 s and 3 h 43 min are compared above; other times would have no source."""
    times = re.findall(r"\b\d[\d.,]*\s(?:s|min|minutes?|h|hours?)\b", text(ROOT / "README.md"))
    assert set(times) <= {"3.5 s", "3 h", "43 min"}
