"""The hyperparameters as keys of a run: their part of the configuration's schema, and their table
in config/README.md. Both follow from the fields of training/hyperparameters.py."""

from typing import Any

from bertsquad.training.hyperparameters import Hyperparameter, hyperparameters

# The table in config/README.md is between these lines.
BEGIN = (
    "<!-- `make format` writes this table from scripts/bertsquad/training/hyperparameters.py -->"
)
END = "<!-- end of the table -->"


def schema_properties() -> dict[str, dict[str, Any]]:
    """Key -> its JSON schema, with description and default."""
    return {each.name: _schema(each) for each in hyperparameters()}


def with_table(readme: str) -> str:
    """The text of config/README.md with its table as the fields have it."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    head = "| key | what it says | value | default |\n|---|---|---|---|\n"
    rows = "".join(_row(each) for each in hyperparameters())
    return f"{before}{BEGIN}\n\n{head}{rows}\n{END}{after}"


def _schema(each: Hyperparameter) -> dict[str, Any]:
    facts = {"description": each.about.help, "default": each.default}
    if each.choices:
        return facts | {"enum": list(each.choices)}
    kind = "integer" if each.kind is int else "number"
    limits = {
        "minimum": each.about.range.at_least,
        "exclusiveMinimum": each.about.range.above,
        "maximum": each.about.range.at_most,
        "exclusiveMaximum": each.about.range.below,
    }
    return {
        **facts,
        "type": [kind, "null"] if each.optional else kind,
        **{name: limit for name, limit in limits.items() if limit is not None},
    }


def _row(each: Hyperparameter) -> str:
    default = each.about.when_none if each.default is None else f"`{yaml_text(each.default)}`"
    values = " \\| ".join(f"`{choice}`" for choice in each.choices)
    return f"| `{each.name}` | {each.about.help} | {values or each.values} | {default} |\n"


def yaml_text(value: Any) -> str:
    """A value as YAML 1.1 reads it: `3e-05` would be text."""
    text = str(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text
