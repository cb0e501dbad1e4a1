"""README.md of each run's model, as the Hugging Face Hub shows it, with `model-index`.

It holds what the certificate, the scores and the configuration tell. What nobody has told, as a
licence, or measured, as bias, is named as not known. Times are no part of it, so that equal runs
have equal cards. Source of the keys: Hub documentation, "Model Cards", and modelcard.md there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bertsquad.certificate.exports.facts import Facts, Model
from bertsquad.certificate.exports.words import (
    between,
    code_in_words,
    doubts_in_words,
    model_name,
    table,
)
from bertsquad.certificate.schema import Input
from bertsquad.engines import REFERENCE
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.summary import records

# SQuAD 1.1 by its files: a name alone would be a claim.
_SQUAD_TRAIN = "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955"
_SQUAD_DEV = "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9"
_SQUAD_DEV_QUESTIONS = 10_570
# Identifiers of licences on the Hub that are SPDX's in small letters; others are `other`.
_HUB_LICENSES = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "unlicense"),
    *("cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
    *("cc-by-nc-sa-4.0", "gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0"),
)
_UNKNOWN = ("", "not given", "unknown", "null")
_HUB = "https://huggingface.co/"
# The numbers are those of docs/results/padding/padding.json.
PADDING = (
    "It was trained without padding. Software that pads and looks for answers among padding, too, "
    "can lose some: the demo's model 0.20 of its F1 (95.03 to 94.83), one answer of 510. Where "
    "padding is masked out, as in transformers' question-answering pipeline, nothing is lost."
)
_TIMES = ("disturbed", "emulated")  # doubts about times alone


def export(facts: Facts) -> dict[str, str]:
    """`{run}/README.md` of every run."""
    return {f"{run}/README.md": _card(facts, model) for run, model in facts.models.items()}


def _card(facts: Facts, model: Model) -> str:
    import yaml

    scores = [row for row in records(facts.summary.scored) if row["run"] == model.run]
    head = yaml.safe_dump(
        metadata(facts, model, scores), sort_keys=False, allow_unicode=True, width=1000
    )
    parts = [
        f"# {model.run}",
        *_opening(facts, model),
        "## Scores",
        *_scores(model, scores),
        "## How it was trained",
        *_training(facts, model),
        "## Data and licences",
        _data(facts, model),
        "## Limits",
        _listed(_limits(facts, model, scores)),
        "## Not known, so not claimed",
        _listed(_not_known(facts, model)),
        "## How to check it",
        *_checks(facts, model),
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def metadata(facts: Facts, model: Model, scores: list[Row]) -> dict[str, Any]:
    """The card's YAML; keys that would be guesses are not there."""
    found: dict[str, Any] = {}
    if _is_squad(facts, model):
        found["language"] = "en"
    found |= _license(facts, model)
    found |= {"library_name": "transformers", "pipeline_tag": "question-answering"}
    if base := _base_model(facts, model):
        found["base_model"] = base
    if _is_squad(facts, model):
        found["datasets"] = ["squad"]
    found["tags"] = ["bert", "extractive-question-answering", "bertsquad"]
    reference = _reference(scores)
    if reference is not None:
        found["metrics"] = ["exact_match", "f1"]
        results = [
            {
                "task": {"type": "question-answering", "name": "Question Answering"},
                "dataset": _dataset(facts, model, reference),
                "metrics": [
                    _metric("exact_match", "Exact Match", reference),
                    _metric("f1", "F1", reference),
                ],
            }
        ]
        found["model-index"] = [{"name": model.run, "results": results}]
    return found


def _metric(kind: str, name: str, row: Row) -> dict[str, Any]:
    values: dict[str, Any] = dict(row)
    words = name
    if values[f"{kind}_low"] is not None and values["confidence"] is not None:
        ends = between(values[f"{kind}_low"], values[f"{kind}_high"])
        words = f"{name} ({100 * values['confidence']:.0f} % interval {ends})"
    return {"type": kind, "value": round(values[kind], 4), "name": words}


def _dataset(facts: Facts, model: Model, row: Row) -> dict[str, Any]:
    """SQuAD where it is SQuAD and all of it, else the name in the configuration, which says so."""
    whole = not model.selected and row["questions"] == _SQUAD_DEV_QUESTIONS
    if _sha256(facts, model.dev) == _SQUAD_DEV and whole:
        return {
            "type": "squad",
            "name": "SQuAD 1.1",
            "config": "plain_text",
            "split": "validation",
        }
    part = "a part of SQuAD 1.1" if _sha256(facts, model.dev) == _SQUAD_DEV else "not on the Hub"
    name = f"{model.dataset} ({part}, {row['questions']} questions)"
    return {"type": f"bertsquad-{model.dataset}", "name": name, "split": "validation"}


def _license(facts: Facts, model: Model) -> dict[str, str]:
    """That of the checkpoint, where all its files have one and the same."""
    told = {each for _, each in _licenses(facts, model.started_from)}
    if len(told) != 1 or None in told:
        return {"license": "unknown"}
    (only,) = told
    known = str(only).lower().replace(" ", "-")
    if known in _HUB_LICENSES:
        return {"license": known}
    return {"license": "other", "license_name": known}


def _base_model(facts: Facts, model: Model) -> str | None:
    """The checkpoint's name on the Hub, where it came from there."""
    names = set()
    for name in model.started_from:
        url = _input(facts, name).get("url") or ""
        rest = url.removeprefix(_HUB) if url.startswith(_HUB) else ""
        names.add("/".join(rest.split("/")[:2]) if rest.count("/") else "")
    (only,) = names if len(names) == 1 else ("",)
    return only or None


def _opening(facts: Facts, model: Model) -> Iterator[str]:
    if facts.certificate["config"].get("demo"):
        yield (
            "> **A demo.** Passages and questions are made up and the model is tiny: its scores "
            "show that every step works, and say nothing about real questions."
        )
    shape = model.shape
    sizes = (
        f"{shape.get('num_hidden_layers', '?')} layers of width {shape.get('hidden_size', '?')}, "
        f"{shape.get('num_attention_heads', '?')} heads, {shape.get('vocab_size', '?')} word pieces"
    )
    how = "fine-tuned" if _steps(facts, model) else "taken as it came, not trained,"
    yield (
        f"BERT ({sizes}) for extractive question answering: it marks the answer in a passage that "
        f"is given. It started from `{model.checkpoint}` and was {how} by "
        f"{code_in_words(facts.certificate)}."
    )
    yield (
        "    from transformers import AutoModelForQuestionAnswering, AutoTokenizer\n"
        '    model = AutoModelForQuestionAnswering.from_pretrained("FOLDER")\n'
        '    tokenizer = AutoTokenizer.from_pretrained("FOLDER")'
    )


def _scores(model: Model, scores: list[Row]) -> Iterator[str]:
    if not scores:
        yield "It was not scored."
        return
    questions = next((row["questions"] for row in scores if row["questions"]), None)
    confidence = next((row["confidence"] for row in scores if row["confidence"]), None)
    level = "" if confidence is None else f"; intervals of {100 * confidence:.0f} % in brackets"
    yield (
        f"On {questions} development questions of `{model.dataset}`, in percent, by what ran the "
        f"model{level}: for other questions on these articles, then for other articles."
    )
    yield table(
        ("engine", "precision", "exact match", "F1", "F1, other articles", "beside FP32"),
        (
            (
                row["engine"],
                row["precision"],
                _score(row["exact_match"], row["exact_match_low"], row["exact_match_high"]),
                _score(row["f1"], row["f1_low"], row["f1_high"]),
                between(row["f1_low_articles"], row["f1_high_articles"]),
                _beside(row),
            )
            for row in scores
        ),
    )


def _score(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None else f"{value:.2f} [{between(low, high)}]"


def _beside(row: Row) -> str:
    if not row["reference"]:
        return "what others are compared with" if row["precision"] == "fp32" else "not compared"
    share = "" if row["f1_share"] is None else f", {100 * row['f1_share']:.2f} % of its F1"
    changed = row["changed_answers"]
    answers = "1 answer" if changed == 1 else f"{changed} answers"
    return f"{row['gate'] or 'not judged'}{share}; {answers} changed"


def _training(facts: Facts, model: Model) -> Iterator[str]:
    totals = next((r for r in records(facts.summary.runs) if r["run"] == model.run), None)
    if not _steps(facts, model) or totals is None:
        yield "It was not trained here: its weights are the checkpoint's."
        return
    loss = totals["train_final_loss"]
    yield (
        f"{totals['train_steps']:,} steps on {totals['train_examples'] or 0:,} examples "
        f"({totals['train_tokens'] or 0:,} tokens)"
        + ("." if loss is None else f"; mean loss of the last 5 % of the steps {loss:.4f}.")
    )
    settings = facts.certificate["config"]["runs"][model.run]
    yield table(("hyperparameter", "value"), ((f"`{k}`", settings[k]) for k in sorted(settings)))
    packages = facts.certificate["environment"]["packages"]
    versions = ", ".join(
        f"{name} {packages[name]}" for name in ("torch", "numpy") if name in packages
    )
    cpus = sorted({each["cpu"] for each in facts.certificate["machines"].values() if each["cpu"]})
    place = " and ".join(cpus) or "an unknown processor"
    yield f"By {versions or 'packages that are not known'}, on {place}."


def _data(facts: Facts, model: Model) -> str:
    rows = []
    named = [(name, "checkpoint") for name in model.started_from]
    named += [(model.train, "training questions")] if model.train and _steps(facts, model) else []
    named += [(model.dev, "development questions")]
    for name, what in named:
        found = _input(facts, name)
        _, told = next(_licenses(facts, (name,)))
        url = found.get("url") or ""
        place = url if url.startswith(("http://", "https://")) else "a file of the authors'"
        rows.append((name, what, told or "not known", place, found.get("citation") or "–"))
    return table(("file", "what", "licence", "from", "cite"), rows)


def _limits(facts: Facts, model: Model, scores: list[Row]) -> Iterator[str]:
    settings = facts.certificate["config"]["runs"].get(model.run, {})
    if any(row["no_answer_f1"] is not None for row in scores):
        yield "Whether a passage has no answer is judged by a threshold; see the scores' own file."
    else:
        yield "It always answers: whether a passage holds no answer at all it was not scored on."
    if "max_seq_length" in settings:
        yield (
            f"Passages that are longer than {settings['max_seq_length']} word pieces, question "
            f"included, are read in windows, {settings.get('doc_stride', '?')} further each."
        )
    if _steps(facts, model):
        yield PADDING
    if _is_squad(facts, model):
        yield "SQuAD 1.1 is English Wikipedia: other texts and languages were not looked at."
    for row in scores:
        if row["gate"] == "failed":
            yield f"Do not use {model_name(row)}: it loses too much of FP32's F1."
        elif row["gate"] == "cannot tell":
            yield f"Whether {model_name(row)} keeps FP32's F1 cannot be told from so few questions."


def _not_known(facts: Facts, model: Model) -> Iterator[str]:
    yield "Bias, safety, robustness and energy: not measured."
    yield "Speed: no part of this card, since it is the machine's as much as the model's."
    for name, told in _licenses(facts, (*model.started_from, model.train or model.dev, model.dev)):
        if told is None:
            yield f"The licence of {name}: nobody gave it."
    if facts.certificate["project"]["commit"] is None:
        yield "The commit of the code."
    if _weights(facts, model) is None:
        yield "The checksum of the weights."


def _checks(facts: Facts, model: Model) -> Iterator[str]:
    lines = [f"The run's certificate has the chain `{facts.certificate['chain_sha256']}`"]
    if weights := _weights(facts, model):
        lines.append(f"and holds these weights: `sha256 {weights}  model.safetensors`")
    yield " ".join(lines) + "."
    doubts = doubts_in_words(facts.certificate, without=_TIMES)
    about_times = sum(each["kind"] in _TIMES for each in facts.certificate["doubts"])
    if doubts:
        yield "What the certificate doubts:"
        yield _listed(doubts)
    else:
        yield "The certificate has no doubts about what is said here."
    if about_times:
        more = "1 doubt is" if about_times == 1 else f"{about_times} doubts are"
        yield f"{more} about times, which this card does not hold."


# What several parts look at


def _reference(scores: list[Row]) -> Row | None:
    """What ran the model for the scores of `model-index`: FP32, PyTorch's where it is there."""
    exact = [row for row in scores if row["precision"] == "fp32"]
    ours = [row for row in exact if row["engine"] == REFERENCE]
    return next(iter([*ours, *exact, *scores]), None)


def _is_squad(facts: Facts, model: Model) -> bool:
    hashes = {_sha256(facts, name) for name in (model.train, model.dev) if name}
    return bool(hashes & {_SQUAD_TRAIN, _SQUAD_DEV})


def _steps(facts: Facts, model: Model) -> int:
    totals = (r["train_steps"] for r in records(facts.summary.runs) if r["run"] == model.run)
    return next(totals, 0) or 0


def _licenses(facts: Facts, names: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Each input once, and its licence; None: not known."""
    for name in dict.fromkeys(names):
        told = (_input(facts, name).get("license") or "").strip()
        yield name, None if told.lower() in _UNKNOWN else told


def _input(facts: Facts, name: str) -> dict[str, Any]:
    found: Input | None = facts.certificate["inputs"].get(name)
    return dict(found) if found else {}


def _sha256(facts: Facts, name: str) -> str | None:
    return _input(facts, name).get("sha256")


def _weights(facts: Facts, model: Model) -> str | None:
    file = facts.certificate["files"].get(f"{model.run}/model/model.safetensors")
    return file["sha256"] if file else None


def _listed(lines: Iterator[str] | list[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)
