"""run_keys.py: what the configuration and its README have of the hyperparameters."""

from pathlib import Path

import pytest

from bertsquad.experiment.run_keys import BEGIN, END, schema_properties, with_table, yaml_text

ROOT = Path(__file__).resolve().parents[2]


def test_keys_of_the_schema():
    properties = schema_properties()
    assert properties["learning_rate"] == {
        "description": "Peak learning rate of the linear schedule.",
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "default": 3e-5,
    }
    assert properties["attention_dropout"]["type"] == ["number", "null"]
    assert properties["attention_dropout"]["default"] is None
    assert properties["batch_size"]["type"] == "integer"
    assert properties["rank_data"]["enum"] == ["split", "same"]


def test_the_readme_is_up_to_date():
    """Where it is not: `make format`."""
    readme = (ROOT / "config/README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme


def test_a_table_is_written_between_its_marks_and_nowhere_else():
    text = with_table(f"before\n{BEGIN}\nan old table\n{END}\nafter\n")
    assert text.startswith(f"before\n{BEGIN}\n\n| key | what it says | value | default |\n")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "an old table" not in text
    assert (
        "| `max_grad_norm` | Gradients are scaled down to this joint L2 norm of all of them. "
        "| number, > 0 | `1.0` |\n"
    ) in text
    assert "| `fp32` \\| `bf16` | `fp32` |\n" in text


@pytest.mark.parametrize(
    ("value", "text"), [(3e-5, "3.0e-05"), (2.5e-7, "2.5e-07"), (0.1, "0.1"), (24, "24")]
)
def test_numbers_are_written_as_yaml_reads_them(value, text):
    assert yaml_text(value) == text
