"""Which rules run again after which change: exactly those that depend on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bertsquad.certificate.record import read_record, write_record
from bertsquad.certificate.schema import read_certificate
from bertsquad.certificate.sentence import in_words
from bertsquad.files import sha256

pytestmark = pytest.mark.slow

# A job for each of the 10 figures.
REPORTED = {"summarize": 1, "plot": 10, "make_certificate": 1, "report": 1}
Edit = Callable[[Path], None]


def config(change: Callable[[dict], None]) -> Edit:
    """Change the default configuration."""

    def edit(project: Path) -> None:
        path = project / "config/config.yaml"
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(settings)
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")

    return edit


def append(name: str) -> Edit:
    """Add a comment to a source file."""

    def edit(project: Path) -> None:
        path = project / name
        path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")

    return edit


def touch(*patterns: str) -> Edit:
    """Give files a new modification time and no new content."""

    def edit(project: Path) -> None:
        touched = [path for pattern in patterns for path in project.glob(pattern)]
        assert touched
        for path in touched:
            path.touch()

    return edit


def delete(name: str) -> Edit:
    return lambda project: (project / name).unlink()


def edited_while_it_ran(name: str, record: str) -> Edit:
    """As after an edit of a source file while a job ran: the job recorded another content than
    Snakemake found when the job had ended (test_edited_while_it_runs.py does it in earnest)."""

    def edit(project: Path) -> None:
        path = project / record
        found = read_record(path)
        write_record(path, {**found, "code": {**found["code"], name: "0" * 64}})

    return edit


# The demo has 3 runs, of which one is timed; 5 precisions (torch: 2, openvino: 2 of which one is
# quantized, onnxruntime: 1); 2 scenarios with 2 batch sizes, and 2 in which the engine cuts the
# batches.
EDITS: dict[str, tuple[Edit, dict[str, int]]] = {
    "every source file touched": (
        touch("scripts/**/*.py", "scripts/**/*.yaml", "rules/*.smk", "Snakefile"),
        {},
    ),
    "the training questions touched": (touch("results/resources/demo/demo-train.json"), {}),
    "the demo's sentences edited": (
        append("scripts/bertsquad/demo/world/places.yaml"),
        {
            "generate_demo": 1,
            "download": 3,
            "unzip": 4,
            "convert_checkpoint": 1,
            "featurize": 2,
            "finetune": 3,
            "quantize": 3,
            "compute_logits": 15,
            "predict": 15,
            "evaluate": 15,
            "compare_answers": 12,
            "benchmark_inference": 30,
            "record_inputs": 1,
        }
        | REPORTED,
    ),
    "the metrics edited": (
        append("scripts/bertsquad/answers/metrics.py"),
        {"evaluate": 15, "compare_answers": 12} | REPORTED,
    ),
    "the comparison edited": (
        append("scripts/bertsquad/answers/comparison.py"),
        {"compare_answers": 12} | REPORTED,
    ),
    "another limit of F1": (
        config(lambda settings: settings.update(evaluation={"minimum_f1_share": 0.9})),
        {"compare_answers": 12, "record_inputs": 1} | REPORTED,
    ),
    "the certificate edited": (
        append("scripts/bertsquad/certificate/doubts.py"),
        {"make_certificate": 1, "report": 1},
    ),
    "a log edited": (append("results/logs/demo-fp32/finetune.log"), {}),
    "the certificate deleted": (
        delete("results/certificate.json"),
        {"make_certificate": 1, "report": 1},
    ),
    "a list of n-best answers touched up by hand": (
        append("results/demo-bf16/torch-fp32/nbest_predictions.json"),
        {"make_certificate": 1, "report": 1},
    ),
    "a figure edited": (
        append("scripts/bertsquad/reporting/figures/accuracy.py"),
        {"plot": 1, "make_certificate": 1, "report": 1},
    ),
    "the training loop edited": (
        append("scripts/bertsquad/training/loop.py"),
        {
            "finetune": 3,
            "quantize": 3,
            "compute_logits": 15,
            "predict": 15,
            "evaluate": 15,
            "compare_answers": 12,
            "benchmark_inference": 30,
        }
        | REPORTED,
    ),
    "the optimizer edited while a model was trained": (
        edited_while_it_ran(
            "bertsquad/training/optimizer.py", "results/logs/demo-fp32/finetune.record.json"
        ),
        {
            "finetune": 1,
            "quantize": 1,
            "compute_logits": 5,
            "predict": 5,
            "evaluate": 5,
            "compare_answers": 4,
            "benchmark_inference": 30,
        }
        | REPORTED,
    ),
    "scoring edited while it ran": (
        edited_while_it_ran(
            "bertsquad/answers/metrics.py", "results/logs/demo-fp32/evaluate/torch-bf16.record.json"
        ),
        {"evaluate": 1} | REPORTED,
    ),
    "an engine edited": (
        append("scripts/bertsquad/engines/onnxruntime/engine.py"),
        {
            "compute_logits": 3,
            "predict": 3,
            "evaluate": 3,
            "compare_answers": 3,
            "benchmark_inference": 6,
        }
        | REPORTED,
    ),
    "an engine of two precisions edited": (
        append("scripts/bertsquad/engines/openvino/engine.py"),
        {
            "compute_logits": 6,
            "predict": 6,
            "evaluate": 6,
            "compare_answers": 6,
            "benchmark_inference": 12,
        }
        | REPORTED,
    ),
    "what both runs and is quantized edited": (
        append("scripts/bertsquad/engines/openvino/graph.py"),
        {
            "quantize": 3,
            "compute_logits": 6,
            "predict": 6,
            "evaluate": 6,
            "compare_answers": 6,
            "benchmark_inference": 12,
        }
        | REPORTED,
    ),
    "the quantization edited": (
        append("scripts/bertsquad/engines/openvino/int8.py"),
        {
            "quantize": 3,
            "compute_logits": 3,
            "predict": 3,
            "evaluate": 3,
            "compare_answers": 3,
            "benchmark_inference": 6,
        }
        | REPORTED,
    ),
    "the timed loop edited": (
        append("scripts/bertsquad/benchmark/timing.py"),
        {"benchmark_inference": 30} | REPORTED,
    ),
    "the run of batches edited": (
        append("scripts/bertsquad/benchmark/scenario.py"),
        {"benchmark_inference": 20} | REPORTED,
    ),
    "one way to shape the work edited": (
        append("scripts/bertsquad/benchmark/offline.py"),
        {"benchmark_inference": 5} | REPORTED,
    ),
    "the table of modes edited": (append("scripts/bertsquad/benchmark/modes.py"), REPORTED),
    "decoding edited": (
        append("scripts/bertsquad/answers/decoding.py"),
        {"predict": 15, "evaluate": 15, "compare_answers": 12, "benchmark_inference": 5} | REPORTED,
    ),
    "a progress line edited": (append("scripts/bertsquad/console/progress.py"), {}),
    "how a duration is written edited": (
        append("scripts/bertsquad/console/quantities.py"),
        {"report": 1},
    ),
    "an error message edited": (append("scripts/bertsquad/console/errors.py"), {"report": 1}),
    "what finds the tracked files edited": (
        append("scripts/bertsquad/experiment/sources.py"),
        {},
    ),
    "the choice of threads edited": (
        append("scripts/bertsquad/machine/threads.py"),
        {"probe_machine": 1, "benchmark_inference": 30} | REPORTED,
    ),
    "the downloader edited": (append("scripts/bertsquad/artifacts/transfer.py"), {}),
    "a hyperparameter of one run": (
        config(lambda settings: settings["runs"]["demo-bf16"].update(learning_rate=5.0e-4)),
        {
            "finetune": 1,
            "quantize": 1,
            "compute_logits": 5,
            "predict": 5,
            "evaluate": 5,
            "compare_answers": 4,
            "record_inputs": 1,
        }
        | REPORTED,
    ),
    "a new batch size": (
        config(lambda settings: settings["benchmark"]["batch_sizes"].append(2)),
        {"benchmark_inference": 10, "record_inputs": 1} | REPORTED,
    ),
    "more answers per question": (
        config(lambda settings: settings.update(decoding={"n_best_size": 30})),
        {"predict": 15, "evaluate": 15, "compare_answers": 12, "record_inputs": 1} | REPORTED,
    ),
    "a new run": (
        config(
            lambda settings: settings["runs"].update(
                another=settings["runs"]["demo-fp32"] | {"seed": 1, "benchmark": False}
            )
        ),
        {
            "finetune": 1,
            "quantize": 1,
            "compute_logits": 5,
            "predict": 5,
            "evaluate": 5,
            "compare_answers": 4,
            "record_inputs": 1,
        }
        | REPORTED,
    ),
    "offline mode": (
        config(lambda settings: settings.update(offline=True)),
        {"record_inputs": 1} | REPORTED,
    ),
    "more processes": (
        config(
            lambda settings: settings.update(
                distributed={"processes": 2},
                runs={name: run | {"threads": 2} for name, run in settings["runs"].items()},
            )
        ),
        {"record_inputs": 1} | REPORTED,
    ),
    "other threads of a training": (
        config(lambda settings: settings["runs"]["demo-fp32"].update(threads="all")),
        {"record_inputs": 1} | REPORTED,
    ),
    "the start of processes edited": (append("scripts/bertsquad/distributed/supervisor.py"), {}),
    "a score deleted": (
        delete("results/demo-fp32/torch-bf16/metrics.json"),
        {"evaluate": 1} | REPORTED,
    ),
    "a figure deleted": (
        delete("results/figures/latency.svg"),
        {"plot": 1, "make_certificate": 1, "report": 1},
    ),
    "the report deleted": (delete("results/report.html"), {"report": 1}),
}


def test_after_a_whole_run_there_is_nothing_to_do(demo):
    assert demo.planned() == {}
    assert demo.planned("--cores", "1") == {}


def test_the_certificate_holds_every_step_and_is_printed(demo):
    done = demo.snakemake("certify", "--cores", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    certificate = read_certificate(demo.folder / "results/certificate.json")
    assert in_words(certificate) in done.stdout
    assert [step["id"] for step in certificate["steps"] if not step["record"]] == []
    # Of a copy without git, on whatever machine tests run.
    of_the_machine = {"dirty-tree", "unpinned-image", "disturbed", "emulated"}
    assert {doubt["kind"] for doubt in certificate["doubts"]} <= of_the_machine
    assert demo.planned() == {}


def test_snakemakes_own_report_holds_ours(demo):
    own = demo.folder / "snakemake.html"
    done = demo.snakemake("--report", own.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Adding report.html" in done.stdout + done.stderr
    assert own.stat().st_size > (demo.folder / "results/report.html").stat().st_size
    own.unlink()


@pytest.mark.parametrize(("edit", "expected"), EDITS.values(), ids=EDITS)
def test_an_edit_reruns_what_depends_on_it(demo, edit: Edit, expected: dict[str, int]):
    results = demo.folder / "results"
    sources = [
        path
        for path in demo.folder.rglob("*")
        if path.is_file() and results not in path.parents and ".snakemake" not in path.parts
    ]
    kept = {path: path.read_bytes() for path in [*sources, *outputs(demo.folder)]}
    edit(demo.folder)
    try:
        assert demo.planned() == expected
    finally:
        for path, content in kept.items():
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)


def test_once_each_edit_is_undone_there_is_nothing_to_do(demo):
    """Nothing ran in between: what an edit had left to do would still be there."""
    assert demo.planned() == {}


def outputs(project: Path) -> list[Path]:
    """What an edit deletes or changes beside sources."""
    metadata = (project / ".snakemake/metadata").rglob("*")
    return [
        project / "results/demo-fp32/torch-bf16/metrics.json",
        project / "results/figures/latency.svg",
        project / "results/certificate.json",
        project / "results/logs/demo-fp32/finetune.log",
        project / "results/demo-bf16/torch-fp32/nbest_predictions.json",
        project / "results/report.html",
        *(project / "results/logs").rglob("*.record.json"),
        *(path for path in metadata if path.is_file()),
    ]


def test_a_rerun_of_scoring_changes_no_result(demo):
    metrics = demo.folder / "results/demo-fp32/torch-fp32/metrics.json"
    before = sha256(metrics)
    done = demo.snakemake("--cores", "all", "--forcerun", "evaluate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sha256(metrics) == before
    assert demo.planned() == {}
