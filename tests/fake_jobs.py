"""What is read of Snakemake's jobs, made by hand."""

from dataclasses import dataclass, field


@dataclass
class FakeRule:
    name: str
    shellcmd: str | None


@dataclass
class FakeJob:
    """What is read of Snakemake's jobs."""

    rule: FakeRule
    log: list[str]
    wildcards_dict: dict[str, str] = field(default_factory=dict)
    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    params: dict[str, object] = field(default_factory=dict)
