"""Several kinds of machines: where their files lie, and what the jobs of each ask for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.engines import check_able
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.options import options
from bertsquad.machine.identity import other_machine
from bertsquad.machine.reading import value
from bertsquad.own_json import object_or_empty

# Resources that the workflow itself, or Snakemake, gives a job.
_TAKEN = frozenset({"pace", "place", "tmpdir", "threads", "_cores", "_nodes", "attempt"})
_OfJob = Callable[[Any], Any]
# The key of a kind that is no resource of its jobs.
_ACCURACY = "accuracy"


def check(machines: Mapping[str, Mapping[str, Any]], source: str) -> None:
    """What a schema cannot say: `UserError` for a resource that is not the user's to give."""
    for machine, asked in machines.items():
        for name in asked:
            if name in _TAKEN:
                raise UserError(
                    f"{source}: machines.{machine}: {name} is given by the workflow itself; "
                    "expected what a scheduler finds the machine by, as slurm_partition"
                )


def with_own_machines(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration; where it has `machines` and its plan names none, the plan is of all of
    them."""
    plan = config.get("plan", {})
    if not config.get("machines") or "machines" in plan:
        return config
    return config | {"plan": plan | {"machines": {name: {} for name in config["machines"]}}}


def on_machine(path: str, machine: str, name: str = "") -> str:
    """Where a kind of machine makes its own of a file of an engine and precision, or the file
    `name` beside it: `demo/torch-fp32/machines/half/metrics.json`."""
    folder, _, own = path.rpartition("/")
    return f"{folder}/machines/{machine}/{name or own}"


@dataclass(frozen=True, slots=True)
class Machines:
    """The kinds of machines of a configuration; without `machines` there is one, without a name,
    and files lie where they always did."""

    experiment: Experiment

    @property
    def asked(self) -> dict[str, dict[str, Any]]:
        """What the jobs of each kind ask for, by its name."""
        kinds: dict[str, dict[str, Any]] = self.experiment.config.get("machines") or {}
        return {
            kind: {name: each for name, each in asked.items() if name != _ACCURACY}
            for kind, asked in kinds.items()
        }

    @property
    def scored(self) -> list[str]:
        """The kinds whose logits, answers and scores are computed there, too."""
        kinds = self.experiment.config.get("machines") or {}
        return [kind for kind, asked in kinds.items() if asked.get(_ACCURACY)]

    def answers(self, name: str) -> list[str]:
        """The file of this name, as metrics.json, by each of those kinds, of every run, engine and
        precision."""
        made = self.experiment.metrics_files()
        return [on_machine(path, kind, name) for kind in self.scored for path in made]

    @property
    def folder(self) -> str:
        """What comes between `benchmark/` and a scenario in the path of a cell, as a pattern."""
        return "{machine}/" if self.asked else ""

    @property
    def probed(self) -> str:
        """machine.json of a kind, as a pattern."""
        return "<results>/machines/{machine}.json" if self.asked else "<results>/machine.json"

    @property
    def probe_log(self) -> str:
        """The log of its probe."""
        return f"<logs>/probe_machine{'/{machine}' if self.asked else ''}.log"

    @property
    def exported(self) -> str:
        """cells.json of a kind, as a pattern."""
        return "<results>/machines/{machine}/cells.json" if self.asked else "<results>/cells.json"

    @property
    def export_log(self) -> str:
        """The log of its export."""
        return f"<logs>/export_cells{'/{machine}' if self.asked else ''}.log"

    def files(self) -> dict[str, str]:
        """machine.json of every kind, by its name; "" where there is one."""
        place = self.experiment.place(self.probed)
        return {name: place.replace("{machine}", name) for name in self.asked or {"": {}}}

    def first(self) -> str:
        """machine.json of the first kind, for what takes one alone."""
        return next(iter(self.files().values()))

    def options(self) -> str:
        """The same as options of summarize.py and report.py."""
        if not self.asked:
            return options([("machine", self.files()[""])])
        files = self.files().items()
        return " ".join(f"--kind {shlex.quote(name)} {shlex.quote(path)}" for name, path in files)

    def named(self, machine: str) -> str:
        """The name of a kind as an option."""
        return options([("machine", machine)])

    def here(self) -> str:
        """The option of what runs on one machine: without it, it looks which one of several."""
        return "" if self.asked else self.options()

    def resources(self, default: Mapping[str, Any], **own: _OfJob) -> dict[str, Any]:
        """A rule's `own` resources, each a function of a job's wildcards, and in front of them what
        its kind of machine asks for; in place of what only other kinds ask for the `default` of all
        jobs (snakemake.resources.Resources), which a rule's own would hide. What has a dot or slash
        in its name is a label of a node, which no job of Snakemake's asks for."""
        names = {name for asked in self.asked.values() for name in asked if name.isidentifier()}
        given = {name: self._given(name, own.get(name), default) for name in sorted(names)}
        return own | given

    def _given(self, name: str, own: _OfJob | None, default: Mapping[str, Any]) -> Any:
        # Snakemake goes by the names of these; a default that is an expression takes them all.
        def of_job(
            wildcards: Any, input: Any, attempt: Any, threads: Any, rulename: Any, async_run: Any
        ) -> Any:
            asked = self.asked[wildcards.machine]
            if name in asked:
                return asked[name]
            if own is not None or name not in default:
                return None if own is None else own(wildcards)
            found = default[name].evaluate(
                wildcards,
                input=input,
                attempt=attempt,
                threads=threads,
                rulename=rulename,
                async_run=async_run,
            )
            return found.value

        return of_job

    def each(self, files: Callable[[str], list[str]]) -> Any:
        """`files` of a job's kind of machine, as an input; the files of "" where there is one."""
        return (lambda wildcards: files(wildcards.machine)) if self.asked else files("")

    def warnings(self, *, elsewhere: bool) -> Iterator[str]:
        """What is configured that a machine cannot run, a line each. Where jobs run `elsewhere`, or
        on several kinds, their machine.json tells, as far as it is there; else this processor."""
        if not (elsewhere or self.asked):
            yield from self._unable("", None)
            return
        for path in self.files().values():
            flags = _flags(Path(path))
            if flags is not None:
                yield from self._unable(f"{path}: ", flags)

    def _unable(self, place: str, flags: frozenset[str] | None) -> Iterator[str]:
        for engine, precision in self.experiment.engine_precisions():
            try:
                check_able(engine, precision, flags)
            except UserError as error:
                yield f"{place}{error}"

    def refuse_others(self, planned: Iterable[Mapping[str, str]], here: Mapping[str, Any]) -> None:
        """`UserError` where jobs of a kind, by their wildcards, are about to run on this machine,
        whose surroundings are `here`, and machine.json of that kind describes another one: its good
        results would go."""
        for name in sorted({each["machine"] for each in planned if "machine" in each}):
            path = Path(self.files()[name])
            if said := other_machine(here, object_or_empty(path)):
                raise UserError(
                    f"machine {name} would be {said} ({path}); run it there, or delete that file "
                    f"if this machine is to be {name} from now on"
                )

    def mixed(self, planned: Iterable[Mapping[str, str]]) -> str:
        """A warning where jobs of several kinds, by their wildcards, are about to run on one."""
        kinds = sorted({each["machine"] for each in planned if "machine" in each})
        if len(kinds) < 2:
            return ""
        first = self.experiment.place(self.exported).replace("{machine}", kinds[0])
        return (
            f"machines {', '.join(kinds)} are all measured on this one, since no executor takes "
            f"their jobs elsewhere; to measure one, ask for its files alone: snakemake {first}"
        )


def _flags(path: Path) -> frozenset[str] | None:
    """The instructions in a machine.json; None where it is not there, or does not tell."""
    flags = value(object_or_empty(path), "cpu", "flags")
    return frozenset(map(str, flags)) if isinstance(flags, list) else None
