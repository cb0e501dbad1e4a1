"""docs/index.md is the map: every room and module is on it, and what pages name is there."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from project import ROOT

LIBRARY = ROOT / "scripts/bertsquad"
INDEX = (ROOT / "docs/index.md").read_text(encoding="utf-8")
ROOMS = dict(re.findall(r"^\*\*([a-z]+)/\*\*: (.*?)(?=\n\n)", INDEX, re.MULTILINE | re.DOTALL))
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/decisions").glob("*.md")])
PAGES += [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
# These name paths inside one room, or of other projects.
PATHS_OF_THEIR_OWN = {"containers.md", "engines.md", "errata.md", "modelzoo.md"}
# The map shortens paths: from the repository, the library, or the room of the paragraph.
STARTS = [ROOT, LIBRARY, ROOT / "config", *(path.parent for path in LIBRARY.glob("*/__init__.py"))]
# A path in backticks: a folder in it, and no wildcard or placeholder.
PATH = re.compile(r"`([\w.-]+/[\w./-]*)`")
NOT_OF_THE_REPOSITORY = (
    "results/",
    ".snakemake/",
    ".venv/",
    "figures/",
    "n/",
    "envs/wheels/",
    "config/artifacts.lock.json",
)


def folders_with_modules() -> set[str]:
    return {path.parent.name for path in LIBRARY.glob("*/__init__.py")}


def test_every_room_is_on_the_map():
    assert set(ROOMS) == folders_with_modules()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_every_module_of_a_room_is_named_there(room: str):
    named = set(re.findall(r"`([^`]+?)/?`", ROOMS[room]))
    modules = {path.stem for path in (LIBRARY / room).rglob("*.py") if path.stem != "__init__"}
    inside = {path.name for path in (LIBRARY / room).iterdir() if path.is_dir()}
    hidden = {  # modules of folders that are named as a whole: an engine, a figure, a check
        path.stem for folder in inside & named for path in (LIBRARY / room / folder).rglob("*.py")
    }
    assert modules - named - hidden == set()


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in PATHS_OF_THEIR_OWN],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_paths_that_a_page_names_are_there(page: Path):
    text = page.read_text(encoding="utf-8")
    missing = [
        name
        for name in dict.fromkeys(PATH.findall(text))
        if not name.startswith(NOT_OF_THE_REPOSITORY)
        and not any((start / name).exists() for start in STARTS)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_map_says_each_thing_once():
    rows = [line for line in INDEX.splitlines() if line.startswith("| ")]
    looked_for = [row.split(" | ")[0] for row in rows]
    twice = sorted({each for each in looked_for if looked_for.count(each) > 1})
    assert twice == ["| where"] or twice == []


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_names_a_module_once(room: str):
    named = Counter(re.findall(r"`(\w+)`", ROOMS[room]))
    there = Counter(path.stem for path in (LIBRARY / room).rglob("*.py"))
    assert {name: times for name, times in named.items() if times > max(1, there[name])} == {}


def test_every_decision_is_listed():
    listed = re.findall(r"\]\((\w+\.md)\)", (ROOT / "docs/decisions/README.md").read_text())
    files = {path.name for path in (ROOT / "docs/decisions").glob("*.md")} - {"README.md"}
    assert sorted(listed) == sorted(files)


def test_glossary_is_in_alphabetical_order():
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)[1:]
    assert words == sorted(words, key=lambda word: re.sub(r"[^a-z]", "", word.lower()))


def test_what_padding_does_is_said_as_it_was_measured():
    folder = ROOT / "docs/results/padding"
    measured = json.loads((folder / "padding.json").read_text(encoding="utf-8"))
    served, trained = measured["served"], measured["trained"]
    page = " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    scores = f"| {served['f1_real_tokens']} | {served['f1_padded']} |"
    assert f"| F1, {served['questions']} questions {scores}" in page
    lists, answers = served["nbest_lists_that_differ"], served["answers_that_differ"]
    assert f"n-best lists {lists} differ, of the answers {len(answers)}, which" in page
    assert [after for _, after in answers] == ["empty"]
    real, window = trained["tokens_per_step"]
    assert f"computes {window} tokens in place of {real}" in page
    low, high = trained["ratio_least_and_most"]
    rounds = f"(median of {trained['rounds']} rounds, {low} to {high}:"
    assert f"took {trained['ratio_of_seconds']} times as long {rounds}" in page
    told = " ".join((ROOT / "docs/how_it_works.md").read_text(encoding="utf-8").split())
    assert f"F1 {served['f1_real_tokens']} becomes {served['f1_padded']}" in told
