"""Score a model's folder on questions: predictions, exact match and F1 with intervals, speed.

Example:
    bertsquad score --model models/mine --dataset dev.json --engine torch --precision fp32

The files are those of the workflow, in RESULTS/NAME/: model/, ENGINE-PRECISION/predictions.json,
nbest_predictions.json, metrics.json and logits.safetensors. Called again it does what has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsquad import engines
from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from bertsquad.experiment.stamps import Runner, Step

SCRIPTS = Path(__file__).resolve().parent
MODEL = ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json")
ALL_CORES = 4096


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add(
        "--model",
        required=True,
        type=Path,
        metavar="DIR",
        help="fine-tuned model: config.json, vocab.txt or tokenizer.json, weights in safetensors",
    )
    add("--dataset", required=True, type=Path, metavar="JSON", help="questions, SQuAD's format")
    add(
        "--engine",
        choices=list(engines.PRECISIONS),
        help="what runs the model; default: the first that is installed",
    )
    add("--precision", default="fp32", help="fp32, bf16 or int8, as far as the engine has it")
    add("--results", type=Path, default=Path("results"), metavar="DIR", help="(default: results)")
    add("--name", help="of the folder in RESULTS; default: from the paths of model and questions")
    add("--threads", type=positive, default=ALL_CORES, help="at most; default: a socket's cores")
    add("--max-seq-length", type=positive, help="of a window; default: 384, or the model's")
    add("--doc-stride", type=positive, default=128, help="between windows (default: 128)")
    add("--max-query-length", type=positive, help="of a question; default: 64, or less if small")
    return parser.parse_args()


def steps(args: argparse.Namespace, folder: Path, lengths: dict[str, int]) -> list[Step]:
    """What is to be done, in order."""
    from bertsquad.experiment.stamps import Step

    def step(name: str, options: dict[str, Any], inputs: list[Path], outputs: list[Path]) -> Step:
        given = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        command = SCRIPTS / f"{name}.py"
        of = cell if made in outputs[0].parents or name == "quantize" else ""
        return Step(f"{name} {of}".strip(), command, given, inputs, outputs, logs / f"{name}.log")

    cell = f"{args.engine}-{args.precision}"
    logs, made = folder / "logs" / cell, folder / cell
    model = [folder / "model" / name for name in MODEL]
    config, vocab = model[0].parent, model[2]
    features, logits = folder / "features.safetensors", made / "logits.safetensors"
    answers = [made / "nbest_predictions.json", made / "predictions.json"]
    nulls = [made / "null_odds.json"] if may_lack_answers(args.dataset) else []
    engine = {"engine": args.engine, "precision": args.precision, "model": config}
    quantized = folder / f"{args.engine}-int8/quantized"
    found = [
        step("convert_checkpoint", {"model": args.model, "output": config}, parts(args), model),
        step(
            "featurize",
            {"dataset": args.dataset, "vocab": vocab, "output": features} | lengths,
            [args.dataset, vocab, model[3]],
            [features],
        ),
    ]
    if args.precision == "int8":
        files = [quantized / name for name in engines.about(args.engine).INT8_FILES]
        asked = {"engine": args.engine, "model": config, "threads": 1, "output": quantized}
        found.append(step("quantize", asked, model, files))
        engine["quantized"] = quantized
    found += [
        step(
            "compute_logits",
            {**engine, "features": features, "threads": args.threads, "output": logits},
            [*model, features, *(found[2].outputs if args.precision == "int8" else [])],
            [logits],
        ),
        step(
            "predict",
            {
                **{"dataset": args.dataset, "vocab": vocab, "features": features, "logits": logits},
                **{"nbest": answers[0], "predictions": answers[1]},
                **({"null-odds": nulls[0]} if nulls else {}),
            },
            [args.dataset, vocab, features, logits],
            [*answers, *nulls],
        ),
        step(
            "evaluate",
            {
                **{"dataset": args.dataset, "predictions": answers[1]},
                "output": made / "metrics.json",
                # What counts as unanswered is what was predicted so: predict's own threshold.
                **({"na-prob-file": nulls[0], "na-prob-thresh": "0.0"} if nulls else {}),
            },
            [args.dataset, answers[1], *nulls],
            [made / "metrics.json"],
        ),
    ]
    return found


def may_lack_answers(dataset: Path) -> bool:
    """Whether the file is one of SQuAD 2.0: some of its questions are marked as unanswerable."""
    from bertsquad.answers.metrics_v2 import is_version_2
    from bertsquad.files import read_json

    return is_version_2(read_json(dataset))


def parts(args: argparse.Namespace) -> list[Path]:
    """The files of the model's folder; `UserError` for one that cannot answer."""
    from bertsquad.checkpoint.given_folder import find_parts
    from bertsquad.checkpoint.ready import check_head

    found = find_parts(args.model)
    check_head(args.model, found)
    return found.files


def check(args: argparse.Namespace) -> None:
    """`UserError` before anything is made, where this cannot end well."""
    from bertsquad import api
    from bertsquad.answers import metrics_v2
    from bertsquad.data import squad
    from bertsquad.files import read_json

    installed = api.installed_engines()
    if args.engine is None:
        able = [name for name in installed if args.precision in engines.PRECISIONS[name]]
        args.engine = next(iter(able or installed), None)
    if args.engine not in installed:
        wanted = args.engine or "torch, openvino or onnxruntime"
        raise UserError(
            f"the packages of {wanted} are not installed; install the extra, as in "
            f"pip install '.[{args.engine or 'torch'}]'"
        )
    has = engines.PRECISIONS[args.engine]
    if args.precision not in has:
        raise UserError(f"{args.engine} has no precision {args.precision!r}: {', '.join(has)}")
    engines.check_able(args.engine, args.precision)
    if args.precision == "int8" and engines.about(args.engine).INT8_CALIBRATED:
        raise UserError(
            f"{args.engine} calibrates int8 on training questions, which score has not; use the "
            "workflow with `dataset: {dev: ..., train: ...}`, or --engine onnxruntime"
        )
    content = read_json(args.dataset)
    squad.parse(content, source=str(args.dataset))
    if metrics_v2.is_labelled(content) and not metrics_v2.is_version_2(content):
        squad.parse(content, source=str(args.dataset), purpose="score")  # all are, or none


def lengths(args: argparse.Namespace) -> dict[str, int]:
    """How questions are cut, as options: by default as run_squad.py, where the model is as long."""
    from bertsquad.model.config import read_config

    positions = read_config(args.model / "config.json")["max_position_embeddings"]
    longest = args.max_seq_length or min(384, positions)
    if longest > positions:
        raise UserError(
            f"--max-seq-length {longest}: {args.model}/config.json has max_position_embeddings "
            f"{positions}; expected at most that"
        )
    query = args.max_query_length or min(64, max(longest // 2 - 3, 1))
    return {
        "max-seq-length": longest,
        "doc-stride": args.doc_stride,
        "max-query-length": query,
    }


def write_config(args: argparse.Namespace, folder: Path, name: str) -> Path:
    """The same experiment for the workflow, to go on from."""
    from bertsquad.files import write_text

    run = {key.replace("-", "_"): value for key, value in lengths(args).items()} | {"epochs": 0}
    config = {
        "checkpoint": {"folder": str(args.model.absolute())},
        "dataset": {"dev": str(args.dataset.absolute())}
        | ({"version_2_with_negative": True} if may_lack_answers(args.dataset) else {}),
        "runs": {re.sub(r"[^A-Za-z0-9_.-]", "-", name): run},
        "engines": {args.engine: [args.precision]},
    }
    path = folder / "config.yaml"
    write_text(path, json.dumps(config, indent=2, ensure_ascii=False) + "\n")  # JSON is YAML
    return path


def page(folder: Path, cell: str) -> str:
    """What was found: scores with intervals, and how fast the model ran."""
    from bertsquad.own_json import as_written
    from bertsquad.reporting.summary.result_files import read_object

    metrics = folder / cell / "metrics.json"
    with as_written(metrics):
        return "\n".join([*scores(read_object(metrics), cell), *speed(folder, cell)])


def scores(result: dict[str, Any], cell: str) -> list[str]:
    """A metrics.json in words."""
    lines = [f"{result['questions']} questions, by {cell}"]
    for label, key in (("exact match", "exact_match"), ("F1", "f1")):
        if result.get(key) is None:
            lines = [*lines[:1], f"not scored: {result.get('not_scored', 'no answers are known')}"]
            break
        low, high = result[f"{key}_interval"]
        articles = result.get(f"{key}_interval_articles")
        line = f"{label}: {result[key]:.2f} ({low:.2f} to {high:.2f} on other questions on these"
        line += " articles"
        if articles:
            line += f", {articles[0]:.2f} to {articles[1]:.2f} on other articles"
        lines.append(f"{line}; 95 % intervals)")
    for prefix, what in (("HasAns", "answerable"), ("NoAns", "unanswerable")):
        if f"{prefix}_total" in result:
            low, high = result[f"{prefix}_f1_interval"]
            lines.append(
                f"{result[f'{prefix}_total']} {what} questions: exact match "
                f"{result[f'{prefix}_exact']:.2f}, F1 {result[f'{prefix}_f1']:.2f} "
                f"({low:.2f} to {high:.2f})"
            )
    return lines


def speed(folder: Path, cell: str) -> list[str]:
    """How fast the logits were computed, as their log says."""
    log = folder / "logs" / cell / "compute_logits.log"
    said = log.read_text(encoding="utf-8") if log.is_file() else ""  # somebody tidied up
    found = re.findall(r"^logits: (\d+) of .*?, ([\d.]+/s)", said, re.M)
    return [
        f"speed: {n} windows, {count} in all, in one pass without warm-up"
        for count, n in found[-1:]
    ]


def workflow_call(config: Path) -> str:
    """The workflow on that configuration, as it can be called from this folder."""
    snakefile = Path(__file__).resolve().parents[1] / "Snakefile"
    beside = Path(sys.executable).with_name("snakemake")
    call = [shortest(beside) if beside.is_file() else "snakemake", "--cores", "all"]
    if snakefile.is_file() and snakefile.parent != Path.cwd():
        call += ["--snakefile", shortest(snakefile)]
    return shlex.join([*call, "--configfile", str(config)])


def shortest(path: Path) -> str:
    """A path as one would type it here: from this folder, or absolute where that is shorter."""
    return min(os.path.relpath(path), str(path.absolute()), key=len)


def main() -> None:
    args = parse_args()
    from bertsquad.experiment.names import name_of
    from bertsquad.experiment.stamps import Runner

    parts(args)
    check(args)
    dataset = name_of(str(args.dataset).removesuffix(".json"))
    name = args.name or f"{name_of(str(args.model))}--{dataset}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise UserError(f"--name {name}: expected letters, digits, '-', '_' and '.'")
    folder = args.results / name
    runner: Runner = Runner(folder / "steps.json")
    done = [runner.run(step) for step in steps(args, folder, lengths(args))]
    config = write_config(args, folder, name)
    cell = f"{args.engine}-{args.precision}"
    if not any(done):
        print("nothing to do: all is as it was made")
    print(page(folder, cell))
    print(f"files: {folder / cell}/")
    print(f"benchmark and report, made from the start by Snakemake: {workflow_call(config)}")


if __name__ == "__main__":
    exit_with(main)
