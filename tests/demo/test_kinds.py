"""Every kind of entry: its templates agree with its facts."""

from string import Formatter

import pytest

from bertsquad.demo.dataset import KINDS, REFERENCES
from bertsquad.demo.kinds import Kind


def facts_of(template: str) -> list[str]:
    placeholders = [placeholder for _, placeholder, _, _ in Formatter().parse(template)]
    return sorted(
        placeholder
        for placeholder in placeholders
        if placeholder and placeholder not in REFERENCES and not placeholder.startswith("another_")
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_alternatives_of_a_sentence_state_the_same_facts(kind: Kind):
    for alternatives in (kind.opening, *kind.statements):
        assert len({tuple(facts_of(template)) for template in alternatives}) == 1, alternatives


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_every_fact_is_stated_and_asked_for(kind: Kind):
    sentences = [kind.opening[0], *(alternatives[0] for alternatives in kind.statements)]
    stated = {fact for sentence in sentences for fact in facts_of(sentence)}
    assert stated == set(kind.facts) == set(kind.questions)
    assert min(len(alternatives) for alternatives in kind.questions.values()) >= 2
