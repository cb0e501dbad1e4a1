"""Which files must be equal wherever a run was made, and which hold times: one table.

A file is `exact`, `timed` (it holds what was measured, or is drawn from it) or a `log`. Of a timed
file a part may be exact: a training log without its times, the summary's columns of scores.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bertsquad.certificate.json_hash import json_sha256 as json_sha256
from bertsquad.certificate.schema import FileClass

# Keys of the configuration that say how and where something is made, not what.
NOT_SETTINGS = ("distributed", "drop_folder", "offline", "pathvars")
# Parameters of rules that hold the whole configuration: what they write has its own exact part.
NOT_PARAMS = {"record_inputs": ("config", "catalogue", "models")}
_SOURCES = ("url", "urls")  # of an artifact: its SHA-256 says what it is
TIMES_OF_A_STEP = ("elapsed_s", "tokens_per_second")
# Columns of summary.csv that neither a clock nor the machine decides.
_EXACT_COLUMNS = """run checkpoint dataset training_precision engine precision questions exact_match
    exact_match_low exact_match_high f1 f1_low f1_high confidence unanswered official_script
    reference f1_share changed_answers max_logit_difference minimum_f1_share passed scenario mode
    padding max_seq_length batch_size threads_requested repeat warmup_iterations train_steps
    train_examples train_tokens train_final_loss exact_match_low_articles exact_match_high_articles
    f1_low_articles f1_high_articles gate layout load has_answer_exact_match has_answer_f1
    has_answer_f1_low has_answer_f1_high no_answer_f1 no_answer_f1_low no_answer_f1_high best_f1
    best_f1_threshold"""
EXACT_COLUMNS = frozenset(_EXACT_COLUMNS.split())


@dataclass(frozen=True, slots=True)
class Pattern:
    """Files by name, relative to the results folder; `*` is any text, `/` too."""

    pattern: str
    kind: FileClass
    reason: str
    exact_part: Callable[[bytes], Any] | None = None  # as a JSON value; ValueError: damaged


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """A resolved configuration less what says how and where its results are made."""
    kept = {key: value for key, value in config.items() if key not in NOT_SETTINGS}
    return kept | {"artifacts": _without(config.get("artifacts", {}), _SOURCES)}


def _without(value: Any, keys: tuple[str, ...]) -> Any:
    """A JSON value without these keys, at any depth."""
    if isinstance(value, dict):
        return {key: _without(part, keys) for key, part in value.items() if key not in keys}
    return [_without(part, keys) for part in value] if isinstance(value, list) else value


def _settings_of(content: bytes) -> Any:
    return settings(json.loads(content))


def _without_sources(content: bytes) -> Any:
    return _without(json.loads(content), _SOURCES)


def _losses(content: bytes) -> Any:
    return [_without(json.loads(line), TIMES_OF_A_STEP) for line in content.splitlines()]


def _scores(content: bytes) -> Any:
    rows = csv.DictReader(io.StringIO(content.decode()), strict=True)
    return [{k: v for k, v in row.items() if k in EXACT_COLUMNS} for row in rows]


# The first that fits counts; what fits none is exact.
PATTERNS = (
    Pattern("logs/*", "log", "what commands said, when, and how long it took"),
    Pattern("benchmarks/*", "timed", "Snakemake's time and memory of each job"),
    Pattern("*/benchmark/*", "timed", "measured cells"),
    Pattern("machine.json", "timed", "the machine, and who else computed at that moment"),
    Pattern("machines/*", "timed", "the same of each kind of machine, and what it can do"),
    Pattern("certificate.*", "timed", "when and where each step ran"),
    Pattern("summary.csv", "timed", "speeds beside scores", _scores),
    Pattern("report.html", "timed", "shows what was measured"),
    Pattern("figures/accuracy.svg", "exact", "drawn from scores"),
    Pattern("figures/lengths.svg", "exact", "drawn from the questions"),
    Pattern("figures/training_loss.svg", "exact", "drawn from losses by step"),
    Pattern("figures/*", "timed", "drawn from what was measured"),
    Pattern("*/training_log.jsonl", "timed", "losses, and the time of each step", _losses),
    Pattern("config.json", "timed", "settings, and where they are computed", _settings_of),
    Pattern("inputs.json", "timed", "checksums, and where files came from", _without_sources),
    Pattern("comparisons/*", "timed", "speeds of two sides"),
    Pattern("comparisons.*", "timed", "speeds of two sides"),
    Pattern("noise.json", "timed", "how far equal measurements differ"),
    Pattern("cells.json", "timed", "speeds of this machine"),
    Pattern("plan/*", "timed", "computed from speeds"),
    Pattern("explore/*", "timed", "speeds of layouts that were raced"),
    Pattern("waterfall/*", "timed", "computed from speeds"),
    Pattern("*/waterfall.json", "timed", "speeds of parts"),
    Pattern("exports/*", "timed", "the same facts for other tools, speeds among them"),
    Pattern("verified_cells.json", "timed", "somebody's speeds measured again"),
    Pattern("speed/*", "timed", "speeds of a random model"),
    Pattern("modelzoo/*/command.txt", "timed", "names folders of this machine"),
    Pattern("modelzoo/*/launcher.log", "log", "what the Model Zoo's launcher said"),
    Pattern("modelzoo/*/run.json", "timed", "when the launcher ran and for how long"),
    Pattern("modelzoo/*/result.json", "timed", "speeds that the launcher printed"),
    Pattern("resources/hub/*/fetched.json", "timed", "where a model was fetched from"),
    Pattern("*.record.json", "log", "what a job used, and when"),
    Pattern("resources/.sha256.json", "log", "checksums that are known already"),
)
_REST = Pattern("*", "exact", "computed from inputs, code and settings alone")


def pattern_of(name: str) -> Pattern:
    """The row of the table that a file's name fits."""
    return next((row for row in PATTERNS if fnmatchcase(name, row.pattern)), _REST)


def class_of(name: str) -> FileClass:
    """exact, timed or log."""
    return pattern_of(name).kind


def exact_sha256(name: str, path: Path, sha256: str | None = None) -> str | None:
    """The SHA-256 of the part of a file that is equal in every equal run: of an exact file all of
    it (`sha256`, where that is known already), of another None where it has no such part.

    A damaged file, of which no part can be told, counts as a whole.
    """
    row = pattern_of(name)
    if row.kind == "exact":
        return sha256 or _of(path.read_bytes())
    if row.exact_part is None:
        return None
    content = path.read_bytes()
    try:
        return json_sha256(row.exact_part(content))
    except (ValueError, csv.Error, AttributeError, RecursionError):
        return _of(content)


def _of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
