"""docs/errata.md: every entry is complete, and what it says shows it is there."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
ERRATA = (ROOT / "docs/errata.md").read_text(encoding="utf-8")
AS_RUN = ROOT / "config/as_run.yaml"
ENTRIES = dict(re.findall(r"^### (\d+\. .+?)\n(.*?)(?=^##|\Z)", ERRATA, re.M | re.S))
PARTS = ["It says", "What happens", "Here", "Shown by"]


def test_entries_are_numbered_without_a_gap():
    numbers = [int(title.partition(".")[0]) for title in ENTRIES]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 28


@pytest.mark.parametrize("title", ENTRIES)
def test_an_entry_has_its_four_parts_and_points_to_what_is_there(title: str):
    entry = ENTRIES[title]
    assert re.findall(r"^- \*\*(.+?)\*\*", entry, re.M) == PARTS
    shown = re.sub(r"\s+", " ", entry.partition("**Shown by**")[2])
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    rules = names_after("rule", shown)
    assert tests or rules, "no test and no rule"
    assert "@" not in shown
    for path, name in tests:
        assert name in functions(ROOT / path), f"{path} has no {name}"
    assert set(rules) <= rule_names()
    assert set(names_after("run", shown)) <= set(yaml.safe_load(AS_RUN.read_text())["runs"])


def names_after(word: str, text: str) -> list[str]:
    """The names of "rule `a`" or "rules `a` and `b`"."""
    lists = re.findall(rf"\b{word}s? ((?:`[\w-]+`(?:, | and )?)+)", text)
    return [name for names in lists for name in re.findall(r"`([\w-]+)`", names)]


def functions(path: Path) -> set[str]:
    assert path.is_file(), f"no {path.relative_to(ROOT)}"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def rule_names() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk")]
    return {name for text in texts for name in re.findall(r"^rule (\w+):", text, re.M)}


def test_every_link_leads_to_a_file():
    for target in re.findall(r"\]\(([^)#]+)\)", ERRATA):
        assert (ROOT / "docs" / target).is_file(), target
