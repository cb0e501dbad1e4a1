"""The table of comparisons in the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from bertsquad.reporting.page.sections import Cell, Table
from bertsquad.reporting.summary.standing import DISTURBED
from bertsquad.reporting.verdicts import HEADS, cells


def compared_table(comparisons: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each; those without a verdict are marked as disturbed cells are."""
    return Table(
        heads=[(head, "") for head in HEADS],
        numeric=[False] * len(HEADS),
        rows=[[Cell(text) for text in cells(found)] for found in comparisons],
        common=[],
        marks=["" if found["verdict"] else DISTURBED for found in comparisons],
    )
