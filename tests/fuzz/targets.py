"""What is fuzzed: for each kind of file, a valid one and what reads it.

Each function gets an empty folder and returns a `Target`. Its reader asserts what must hold of a
damaged file that is accepted all the same: nothing has changed that a reader could see, where the
file carries a checksum; what was read can be used, elsewhere.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import nn

import fake_results
from bertsquad import tensorfile
from bertsquad.answers import logits, metrics, metrics_v2
from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.artifacts.lock import locked_sha256
from bertsquad.artifacts.part import PartialFile
from bertsquad.console.errors import UserError
from bertsquad.data import casing, features, squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary
from bertsquad.data.vocabulary import read_vocabulary
from bertsquad.experiment.config import resolve
from bertsquad.files import read_json
from bertsquad.model.config import encoder_shapes, read_config
from bertsquad.modelzoo import cell
from bertsquad.modelzoo.log import read_log
from bertsquad.reporting.summary.cells import read_cell
from bertsquad.reporting.summary.checking import checked
from bertsquad.reporting.summary.comparisons import comparison_row
from bertsquad.reporting.summary.summary import Summary
from bertsquad.reporting.summary.tables import scores, summarize
from bertsquad.training.optimizer import adam_weight_decay, update
from bertsquad.training.state import History, TrainingState
from fuzz.checkpoints import bundle_data, bundle_index, shard_index
from fuzz.mutations import damaged_json_text
from fuzz.target import Target, bytes_target, json_target

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = "The ferry to Port Anselm leaves at 7.45 from pier three."
DATASET = {
    "version": "1.1",
    "data": [
        {
            "title": "Ferries",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "qas": [
                        {"id": "q1", "question": "When?",
                         "answers": [{"text": "7.45", "answer_start": 35}]},
                        {"id": "q2", "question": "Where to?",
                         "answers": [{"text": "Port Anselm", "answer_start": 13}]},
                    ],
                }
            ],
        }
    ],
}  # fmt: skip
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz0123456789.?"]
WORDS += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]


def squad_json(folder: Path) -> Target:
    def read(path: Path) -> None:
        accepted = []
        for purpose in ("train", "predict", "score"):
            try:
                accepted.append(squad.load(path, purpose=purpose))
            except UserError:
                if purpose == "predict":
                    raise
        vocabulary = Vocabulary(folder / "vocab.txt", lowercase=True)
        lengths = {"max_seq_length": 32, "doc_stride": 8, "max_query_length": 8}
        featurize(accepted[-1], vocabulary, **lengths, training=False)
        negative = squad.load(path, purpose="train", version_2_with_negative=True)
        featurize(negative, vocabulary, **lengths, training=True)

    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return json_target(folder / "dev.json", DATASET, read)


def predictions(folder: Path) -> Target:
    def read(path: Path) -> None:
        found = read_json(path)
        for score in (metrics.score, metrics_v2.score):
            assert 0 <= score(DATASET, found).totals()["f1"] <= 100

    return json_target(folder / "predictions.json", {"q1": "7.45", "q2": "Anselm", "z": ""}, read)


def vocabulary(folder: Path) -> Target:
    path = folder / "vocab.txt"
    path.write_text("\n".join(WORDS) + "\n")

    def read(path: Path) -> None:
        tokens = read_vocabulary(path)
        casing.find_casing(path, tokens)
        assert Vocabulary(path).encode("ferry 7") is not None

    return bytes_target(path, read)


def tokenizer_config(folder: Path) -> Target:
    settings = {"do_lower_case": True, "strip_accents": None}
    return json_target(
        folder / "tokenizer_config.json",
        settings,
        lambda path: casing.find_casing(path.with_name("vocab.txt"), ["a"]),
    )


def features_file(folder: Path) -> Target:
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    dataset = squad.parse(DATASET, source="dev.json", purpose="train")
    lengths = {"max_seq_length": 32, "doc_stride": 8, "max_query_length": 8}
    made = featurize(dataset, Vocabulary(folder / "vocab.txt"), **lengths, training=True)
    features.write(folder / "features", made)
    before = json.dumps(made.metadata, sort_keys=True), made.packed([0, 1]).input_ids.tolist()

    def read(path: Path) -> None:
        found = features.Features.open(path)
        same = json.dumps(found.metadata, sort_keys=True), found.packed([0, 1]).input_ids.tolist()
        assert same == before

    return bytes_target(folder / "features", read)


def logits_file(folder: Path) -> Target:
    values = np.linspace(-1, 1, 12, dtype=np.float32)
    made = logits.Logits(values, -values, np.array([0, 5, 12]), "torch", "fp32", "f00d", "plain")
    logits.write(folder / "logits", made)

    def read(path: Path) -> None:
        found = logits.read(path)
        assert np.array_equal(found.start_logits, values)
        assert np.array_equal(found.end_logits, -values)
        assert found.starts.tolist() == [0, 5, 12]
        assert (found.engine, found.precision, found.kernels) == ("torch", "fp32", "plain")

    return bytes_target(folder / "logits", read)


def training_state(folder: Path) -> Target:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = adam_weight_decay(model.named_parameters(), weight_decay=0.01)
    model(torch.randn(4, 3)).sum().backward()
    update(optimizer, 0.1)
    state = TrainingState(folder, {"features": "f00d"})
    log = [{"step": 1, "loss": 0.5}]
    state.save(model, optimizer, History(log))
    before = [p.detach().clone() for p in model.parameters()]

    def read(path: Path) -> None:
        history, refused = state.restore(model, optimizer)
        for old, new in zip(before, model.parameters(), strict=True):
            assert torch.equal(old, new)
        assert history.log == ([] if refused else log)

    return bytes_target(state.path, read)


def weights(folder: Path) -> Target:
    tensorfile.write(folder / "w", {"a": np.ones((2, 3), np.float32)}, {"format": "pt"})

    def read(path: Path) -> None:
        opened = tensorfile.TensorFile(path)
        for name in opened.shapes:
            opened.read(name)
        assert all(isinstance(text, str) for text in opened.metadata.values())

    return bytes_target(folder / "w", read)


def model_config(folder: Path) -> Target:
    value = {
        **{"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
        **{"intermediate_size": 48, "hidden_act": "gelu", "hidden_dropout_prob": 0.0},
        **{"attention_probs_dropout_prob": 0.1, "max_position_embeddings": 40},
        **{"type_vocab_size": 2, "layer_norm_eps": 1e-12, "model_type": "bert"},
    }
    return json_target(
        folder / "config.json", value, lambda path: encoder_shapes(read_config(path))
    )


def _results(folder: Path) -> fake_results.Results:
    results = fake_results.demo(folder / "results")
    fake_results.add_comparison(results, "demo-fp32", "torch-bf16", 0.999, changed=5)
    return results


def benchmark_cell(folder: Path) -> Target:
    path = _results(folder).cells[0]
    return json_target(
        path, json.loads(path.read_text()), lambda path: checked(path, read_cell(path))
    )


def metrics_json(folder: Path) -> Target:
    path = _results(folder).metrics[0]
    return json_target(path, json.loads(path.read_text()), lambda path: checked(path, scores(path)))


def comparison_json(folder: Path) -> Target:
    path = _results(folder).comparisons[0]

    return json_target(path, json.loads(path.read_text()), comparison_row)


def training_log(folder: Path) -> Target:
    path = _results(folder).logs[0]
    lines = [json.loads(line) for line in path.read_text().splitlines()[:4]]

    def damage(rng: random.Random) -> bytes:
        texts = [json.dumps(line).encode() for line in lines]
        texts[rng.randrange(4)] = damaged_json_text(rng, lines[0])
        return b"\n".join(texts) + b"\n"

    whole = b"\n".join(json.dumps(line).encode() for line in lines)
    return Target(path, whole, damage, lambda path: summarize([], [], [path]))


def summary_csv(folder: Path) -> Target:
    results = _results(folder)
    path = folder / "summary.csv"
    summarize(results.metrics, results.cells[:4], results.logs).to_csv(path, index=False)

    return bytes_target(path, Summary.read)


def modelzoo_run(folder: Path) -> Target:
    settings = {"mode": "benchmark", "batch_size": 32, "precision": "bf16", "processes": 1}
    value = {
        "settings": settings,
        "surroundings": {"cpu": "Example"},
        "arrivals": {"examples": [32, 64, 96], "seconds": [1.0, 2.0, 3.0]},
    }

    def read(path: Path) -> None:
        run = cell.checked_run(path, read_json(path))
        mode = run["settings"]["mode"]
        arrivals = cell.Arrivals(**run["arrivals"])
        made = cell.description(mode, read_log([]), arrivals, run["settings"], run["surroundings"])
        cell.headline(mode, made)

    return json_target(folder / "run.json", value, read)


LOG = """\
INFO:tensorflow:  Num orig examples = 87599
INFO:tensorflow:  Num steps = 96
INFO:tensorflow:examples/sec: 12.5
INFO:tensorflow:Loss for final step: 0.9.
INFO:tensorflow:Processed #examples: 960
Elapsed time: 985.1 num processed examples: 960 threshod_examples: 160
throughput((num_processed_examples-threshod_examples)/Elapsedtime): 0.81
{"exact_match": 80.1, "f1": 88.2}
"""


def modelzoo_log(folder: Path) -> Target:
    path = folder / "launcher.log"
    path.write_text(LOG)

    def read(path: Path) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for mode in ("benchmark", "training", "accuracy"):
            settings = {"mode": mode, "batch_size": 32, "processes": 1}
            made = cell.description(mode, read_log(lines), cell.Arrivals(), settings, {})
            json.dumps(made, allow_nan=False)
            cell.headline(mode, made)

    return bytes_target(path, read)


def experiment_config(folder: Path) -> Target:
    value = yaml.safe_load((ROOT / "config/config.yaml").read_text())

    def read(path: Path) -> None:
        try:
            config = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
            return  # Snakemake reads the file, and says so itself
        if isinstance(config, dict):
            resolve(config, ROOT / "config/schemas/config.schema.yaml", str(path))

    return json_target(folder / "config.yaml", value, read)


def catalogue(folder: Path) -> Target:
    value = {
        "artifacts": {
            "mine": {
                "urls": ["https://example.org/mine.zip"], "size": 10, "sha256": "0" * 64,
                "license": "CC0-1.0", "description": "Made up.", "citation": "None.",
            }
        }
    }  # fmt: skip

    def read(path: Path) -> None:
        given = read_json(path)
        if isinstance(given, dict):
            load_catalogue(ROOT / "config/artifacts.yaml", given, source=str(path))

    return json_target(folder / "artifacts.json", value, read)


def lock_file(folder: Path) -> Target:
    value = {"a.zip": {"sha256": "0" * 64, "size": 7, "url": "https://example.org/a.zip"}}
    return json_target(folder / "lock.json", value, lambda path: locked_sha256(path, "a.zip"))


def partial_download(folder: Path) -> Target:
    value = {"url": "https://example.org/a", "size": 9, "etag": '"x"', "last_modified": None}
    part = PartialFile(folder / "a")

    def read(path: Path) -> None:
        origin = part.origin()
        if origin is not None and origin.validator is not None:
            origin.validator.encode("ascii")

    return json_target(part.sidecar, value, read)


TARGETS: dict[str, Callable[[Path], Target]] = {
    made.__name__: made
    for made in (
        *(squad_json, predictions, vocabulary, tokenizer_config, features_file, logits_file),
        *(training_state, weights, model_config, benchmark_cell, metrics_json, comparison_json),
        *(training_log, summary_csv, modelzoo_run, modelzoo_log, experiment_config, catalogue),
        *(lock_file, partial_download, bundle_index, bundle_data, shard_index),
    )
}
