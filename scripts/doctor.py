"""Say what this machine is, what would spoil a run or a measurement on it, and what to do.

Example:
    python scripts/doctor.py --configfile config/minilm.yaml

It makes no file. The exit status is 0 unless something makes a run impossible.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bertsquad.distributed.placement import Place
    from bertsquad.experiment.files import Experiment
    from bertsquad.machine.doctor_page import Page

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = REPOSITORY / "envs/requirements.txt"
WIDEST = 100  # longer lines are hard to read
LITTLE_BYTES = 100_000_000  # logs and figures are not counted
# Snakemake's own, and those of the Snakefile.
PATHVARS = {"results": "results", "resources": "<results>/resources"}


def diagnose(
    config: dict[str, Any] | None, source: Path, page: Page, time_left: Callable[[], str]
) -> tuple[list[str], int, int]:
    """The page's lines, the number of warnings, and that of obstacles to any run; `time_left` says
    how long a run takes."""
    from bertsquad import engines
    from bertsquad.kernels.report import status_of_a_child
    from bertsquad.machine.checks import checks
    from bertsquad.machine.description import describe
    from bertsquad.machine.doctor_page import check_lines, default_lines, machine_lines

    obstacles = [
        f"{name} is not installed; `make run` installs it, or: pip install -r {REQUIREMENTS.name}"
        for name in missing_packages(REQUIREMENTS)
    ]
    machine = describe(packages=engines.packages(), kernels=status_of_a_child())
    lines: list[str] = []
    needed_mib = None
    try:
        experiment = configured(config, source)
        lines, needed_mib, problems = experiment_lines(experiment, source, page, time_left)
        obstacles += problems
    except (UserError, ImportError) as error:
        obstacles.append(f"the configuration cannot be read: {error}")
    found = checks(machine, needed_mib)
    lines = [
        *machine_lines(machine, page),
        *check_lines(found, page),
        *default_lines(machine, page),
        *lines,
        page.heading("Verdict"),
        *(page.marked("impossible", obstacle) for obstacle in obstacles),
    ]
    return lines, sum(check.level == "warning" for check in found), len(obstacles)


def configured(config: dict[str, Any] | None, source: Path) -> Experiment:
    """The experiment of a configuration: `config`, already resolved, or the file `source`."""
    from bertsquad.artifacts.catalogue import load_catalogue
    from bertsquad.experiment.config import read_config, resolve
    from bertsquad.experiment.files import Experiment

    if config is None:
        config = resolve(
            read_config(source), REPOSITORY / "config/schemas/config.schema.yaml", str(source)
        )
    catalogue = load_catalogue(
        REPOSITORY / "config/artifacts.yaml", config["artifacts"], source=str(source)
    )
    folders = PATHVARS | (config.get("pathvars") or {})
    experiment = Experiment(config, catalogue, lambda path: spelled_out(path, folders))
    experiment.check(str(source))
    return experiment


def spelled_out(path: str, pathvars: Mapping[str, str]) -> str:
    """A path without <pathvars>, as Snakemake spells them out."""
    for _ in pathvars:  # they may hold each other
        for name, value in pathvars.items():
            path = path.replace(f"<{name}>", value)
    return path


def experiment_lines(
    experiment: Experiment, source: Path, page: Page, time_left: Callable[[], str]
) -> tuple[list[str], int | None, list[str]]:
    """What a configured experiment makes and needs; its memory in MiB, all processes together
    (None: unknown); and what of it makes a run impossible."""
    from bertsquad.console.quantities import readable_bytes
    from bertsquad.experiment.needs import free_bytes, needs
    from bertsquad.experiment.served import Served

    obstacles = []
    runs = experiment.config["runs"]
    cells = len(experiment.cell_files()) + len(Served(experiment).files())
    announcement, possible = experiment.announcement()
    folder = Path(experiment.place("<results>"))
    plan = experiment.download_plan()
    needed, free = needs(experiment, plan), free_bytes(folder)
    distributed, count = experiment.config.get("distributed") or {}, 1
    try:
        places = training_places(distributed)
        count, trained = len(places), training(places, distributed.get("hosts") or [])
    except UserError as error:
        trained = "impossible, see below"
        obstacles.append(str(error))
    if not possible:
        obstacles.append(announcement)
        announcement = "impossible, see below"
    if plan.known_bytes > free:
        obstacles.append(
            f"{readable_bytes(plan.known_bytes)} to download, but {folder.absolute()} has only "
            f"{readable_bytes(free)} of free disk; free some, or use another --directory"
        )
    disk = "unknown" if needed.disk_bytes is None else f"about {readable_bytes(needed.disk_bytes)}"
    if needed.disk_bytes is not None and needed.disk_bytes < LITTLE_BYTES:
        disk = f"less than {readable_bytes(LITTLE_BYTES)}"
    short = needed.disk_bytes is not None and needed.disk_bytes > free
    memory = None if needed.memory_mib is None else count * needed.memory_mib
    return (
        [
            page.heading("The experiment"),
            page.fact("config", f"{source}: {experiment.config['title']}"),
            page.fact("makes", f"{len(runs)} models ({', '.join(runs)}), {cells} timed cells"),
            page.fact("training", trained),
            page.fact("time", time_left()),
            page.fact("downloads", announcement or "nothing left to download"),
            page.fact(
                "disk", f"{disk} needed, {readable_bytes(free)} free" + short * ": TOO LITTLE"
            ),
            page.fact(
                "memory",
                "unknown, for the size of the weights is"
                if memory is None
                else f"about {memory / 1024:.1f} GiB at its peak, by the size of the weights",
            ),
        ],
        memory,
        obstacles,
    )


def training_places(distributed: dict[str, Any]) -> list[Place]:
    """Where the processes that train a model compute on this machine; `UserError` where there are
    too few cores for as many as the configuration asks."""
    from bertsquad.distributed.placement import place, usable_nodes
    from bertsquad.machine.cores import read_cores

    cores = read_cores()
    count, communication = (
        None if distributed.get(name, "auto") == "auto" else distributed[name]
        for name in ("processes", "communication_cores")
    )
    return place(
        usable_nodes(cores), count, limit=cores.whole_quota, communication_cores=communication
    )


def training(places: list[Place], hosts: str | list[str]) -> str:
    """How a model is trained here, in words."""
    from bertsquad.machine.reading import format_cpu_list

    where = f", on each of {hosts if hosts == 'slurm' else ', '.join(hosts)}" if hosts else ""
    if len(places) == 1:
        return f"1 process, with the default threads{where}"
    cores = " | ".join(format_cpu_list(list(each.cpus)) for each in places)
    return f"{len(places)} processes, {places[0].threads} threads each, on {cores}{where}"


def missing_packages(requirements: Path) -> list[str]:
    """Packages of a requirements file (`name==version # why` lines) that are not installed; none
    where there is no such file, as in an image."""
    from importlib import metadata

    missing: list[str] = []
    if not requirements.is_file():
        return missing
    for line in requirements.read_text(encoding="utf-8").splitlines():
        name = line.partition("#")[0].partition("==")[0].strip()
        if name:
            try:
                metadata.version(name)
            except metadata.PackageNotFoundError:
                missing.append(name)
    return missing


def verdict(warnings: int, obstacles: int) -> str:
    if obstacles:
        return "A run is not possible here."
    if warnings:
        things = "1 thing" if warnings == 1 else f"{warnings} things"
        return f"A run is possible; {things} above would spoil measurements or slow it down."
    return "A run is possible, and nothing was found that would spoil it."


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to colour: on a terminal that has colours, unless NO_COLOR is set (no-color.org)."""
    return (
        stream.isatty()
        and not environment.get("NO_COLOR")
        and environment.get("TERM", "dumb") != "dumb"
    )


def default_configfile() -> Path:
    """As Snakemake chooses it: the working directory's own, or the one shipped here."""
    own = Path("config/config.yaml")
    return own if own.is_file() else REPOSITORY / own


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--configfile", type=Path, metavar="YAML", help="of the experiment (config/config.yaml)")
    add("--config", type=json.loads, metavar="JSON", help="the same, resolved (from Snakemake)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from bertsquad.experiment.dry_run import planned_time
    from bertsquad.machine.doctor_page import Page

    page = Page(
        width=min(WIDEST, shutil.get_terminal_size().columns),
        colour=wants_colour(sys.stdout, os.environ),
    )
    source = args.configfile or default_configfile()
    # It takes seconds, as does the rest.
    with planned_time(REPOSITORY / "Snakefile", source, args.config) as time_left:
        lines, warnings, obstacles = diagnose(args.config, source, page, time_left)
    print("\n".join(lines).lstrip("\n"))
    print(page.hang("  ", verdict(warnings, obstacles)))
    if obstacles:
        sys.exit(1)


if __name__ == "__main__":
    exit_with(main)
