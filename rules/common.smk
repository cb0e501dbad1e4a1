"""The configuration, checked, and what several rules share. No rule lives here."""

import gc
import hashlib
import inspect
import json
import os
import re
import shlex
import sys
import tempfile
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

# A plan makes a million small objects that stay: looking among them for cycles so often as Python
# does by default is a tenth of what planning 1,000 cells takes.
gc.set_threshold(200_000, 50, 100)

REPOSITORY = Path(workflow.current_basedir).parent
SCRIPTS = REPOSITORY / "scripts"
IMAGE = REPOSITORY / "envs/bertsquad.sif"
APPTAINER = "APPTAINER" in {
    method.name for method in workflow.deployment_settings.deployment_method
}
sys.path.insert(0, str(SCRIPTS))

from snakemake.utils import update_config

from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.benchmark.loads import PATTERN as LOADS
from bertsquad.console.errors import USAGE_STATUS, UserError, one_line
from bertsquad.containers.environment import for_apptainer
from bertsquad.containers.mounts import bind_variables, check_apptainer
from bertsquad.engines import PRECISIONS, about, check_able
from bertsquad.experiment.comparisons import Comparisons, noise_options, pace_options
from bertsquad.experiment.config import (
    check_files,
    check_folders,
    read_schema,
    resolve,
    typed,
)
from bertsquad.experiment.explore import Explore
from bertsquad.experiment.files import (
    Experiment,
    casing_option,
    options,
    training_option,
)
from bertsquad.experiment.negatives import Negatives
from bertsquad.experiment.needs import Memory
from bertsquad.experiment.order import pace_of
from bertsquad.experiment.origin import origin
from bertsquad.experiment.plan_files import PlanFiles
from bertsquad.experiment.sources import (
    CONSOLE,
    NEVER_DECIDES_RESULTS,
    local_sources,
)
from bertsquad.experiment.served import Served
from bertsquad.experiment.speed import SCENARIOS, speed_benchmark
from bertsquad.modelzoo.steps import ModelZoo
from bertsquad.reporting.gallery import figures

# `python` in a rule is the interpreter that runs Snakemake, its environment active or not; and
# profiles/docker has every step run by docker_shell.py, which is found like any other command.
os.environ.update(
    PATH=os.pathsep.join(
        [str(Path(sys.executable).parent), *os.get_exec_path(), str(SCRIPTS)]
    )
)

# Larger than any machine: Snakemake caps it at --cores, so such a job runs alone.
WHOLE_MACHINE = 1024

# --configfile replaces the default instead of being laid over it; without it, the working
# directory's own config/ comes before the one shipped here.
if not workflow.config_settings.configfiles:
    own = Path("config/config.yaml")

    configfile: str(own if own.is_file() else REPOSITORY / own)


def or_exit(function, *arguments, **named):
    """The function's value; a user's mistake ends Snakemake with one line and status 2."""
    try:
        return function(*arguments, **named)
    except UserError as error:
        said = "\n".join(map(one_line, str(error).splitlines()))
        print(f"bertsquad: error: {said}", file=sys.stderr)
        sys.exit(USAGE_STATUS)


CONFIG_SOURCE = " + ".join(map(os.path.relpath, workflow.configfiles)) or "config"
CONFIG_SCHEMA = REPOSITORY / "config/schemas/config.schema.yaml"
or_exit(check_files, workflow.configfiles)
# Snakemake takes what is nested in `--config` as text.
update_config(config, typed(dict(workflow.config_settings.config), CONFIG_SCHEMA))
config.update(or_exit(resolve, config, CONFIG_SCHEMA, CONFIG_SOURCE))
or_exit(check_folders, workflow.pathvars.apply, CONFIG_SOURCE)
CATALOGUE = or_exit(
    load_catalogue,
    REPOSITORY / "config/artifacts.yaml",
    config["artifacts"],
    source=CONFIG_SOURCE,
)
EXPERIMENT = Experiment(config, CATALOGUE, workflow.pathvars.apply)
or_exit(EXPERIMENT.check, CONFIG_SOURCE)
COMPARISONS = Comparisons(EXPERIMENT)
or_exit(COMPARISONS.check, CONFIG_SOURCE)
SERVED = Served(EXPERIMENT)
MEMORY = Memory(EXPERIMENT)
PACE = pace_of([*EXPERIMENT.cells(), *SERVED.cells()], config["benchmark"])
MODELZOO = ModelZoo(EXPERIMENT)
or_exit(MODELZOO.check_names, CONFIG_SOURCE)
EXPERIMENT = replace(EXPERIMENT, also=tuple(MODELZOO.artifacts()))
NEGATIVES = Negatives(EXPERIMENT)
SPEED = speed_benchmark(EXPERIMENT, read_schema(CONFIG_SCHEMA))
PLAN = PlanFiles(EXPERIMENT)
EXPLORE = Explore(PLAN)
KNOWN_FIGURES = figures()
# What a container must see besides the working directory; nothing else reads these variables.
os.environ.update(
    bind_variables(os.environ, Path.cwd(), REPOSITORY, EXPERIMENT.folders())
)
if APPTAINER:
    os.environ.update(for_apptainer(os.environ))


def free_of_braces(folder):
    """A folder's path for an input: in one with braces Snakemake would look for wildcards, so that
    it is reached by a link in the working directory's .snakemake."""
    path = os.path.relpath(folder)
    if not re.search("[{}]", path):
        return path
    number = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    link = Path(".snakemake/bertsquad") / number
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=link.parent)) / number
        part.symlink_to(folder)
        part.replace(link)
        part.parent.rmdir()
    return str(link)


SCRIPTS_SHOWN = free_of_braces(SCRIPTS)


def shown(paths):
    """Files of scripts/ as inputs."""
    return [os.path.join(SCRIPTS_SHOWN, path.relative_to(SCRIPTS)) for path in paths]


def image_file():
    """The image for Apptainer, or None: where Apptainer is not asked for, a space or a brace in its
    path shall not stop Snakemake."""
    path = os.path.relpath(IMAGE)
    return path if APPTAINER or not re.search(r"[\s{}]", path) else None


def json_text(value):
    """The same JSON for the same value."""
    return json.dumps(value, sort_keys=True)


def any_of(names):
    """A wildcard's pattern that admits these names and nothing else."""
    return "|".join(re.escape(name) for name in sorted(names)) or "(?!)"


wildcard_constraints:
    run=any_of(config["runs"]),
    engine=any_of(config["engines"]),
    precision=any_of({name for names in PRECISIONS.values() for name in names}),
    scenario=any_of(config["benchmark"]["scenarios"]),
    checkpoint=any_of(CATALOGUE.checkpoint_names),
    dataset=any_of(CATALOGUE.datasets),
    artifact=any_of(CATALOGUE.artifacts),
    comparison=any_of(config["comparisons"]),
    figure=any_of(KNOWN_FIGURES),
    archive=any_of(name for name in CATALOGUE.artifacts if name.endswith(".zip")),
    split="train|dev",
    length=r"\d+",
    stride=r"\d+",
    query=r"\d+",
    casing="|-cased|-uncased",
    batch=r"\d+|auto",
    threads=r"\d+|all",
    repeat=r"\d+",
    layout=r"\d+x\d+x\d+|auto",
    load=LOADS,


def code(script, without=CONSOLE):
    """The command and the modules it imports, as tracked inputs: editing one reruns its rules."""
    sources = local_sources(SCRIPTS / script, without=without)
    return shown(sources)


@cache
def engine_code(engine, module="bertsquad/engines/{}/engine.py"):
    """The module of an engine and all it imports: one engine's edits leave the others' results."""
    entry = SCRIPTS / module.format(engine)
    sources = local_sources(entry, folder=SCRIPTS, without=NEVER_DECIDES_RESULTS)
    return shown(sources)


def mode_code(scenario, experiment=EXPERIMENT):
    """The module of a scenario's mode and all it imports."""
    return benchmark_code(experiment.mode(scenario).name)


@cache
def benchmark_code(module):
    """A module of the benchmark and all it imports."""
    entry = SCRIPTS / f"bertsquad/benchmark/{module}.py"
    sources = local_sources(entry, folder=SCRIPTS, without=CONSOLE)
    return shown(sources)


@cache
def parts_code(engine, scenario):
    """The modules of an engine and of a scenario's mode, and all they import, each file once and
    without those of every cell: what a plan of many cells costs goes with the number of inputs.
    """
    parts = dict.fromkeys([*engine_code(engine), *mode_code(scenario)])
    return [path for path in parts if path not in CELL_CODE]


def export_code(export):
    """The module of an export and all it imports: one export's edits leave the others as they are."""
    entry = SCRIPTS / f"bertsquad/certificate/exports/{export}.py"
    return shown(local_sources(entry, folder=SCRIPTS, without=CONSOLE))


def compared_code(comparison):
    """The modules of the engines of both sides of a comparison, and all they import."""
    paths = [path for e in COMPARISONS.engines(comparison) for path in engine_code(e)]
    return list(dict.fromkeys(paths))


def compared_for(figure, files):
    """These files for the figure that shows comparisons, none for the others."""
    return files if figure == "comparisons" else []


def measured_for(figure, files):
    """These files for the figure that shows cells over time, none for the others."""
    return files if figure == "timeline" else []


def noise_code():
    """The module of the engine whose noise is measured, and all it imports."""
    return engine_code(noise_options(EXPERIMENT).split()[1])


@cache
def figure_code(figure):
    """The module of a figure and all it imports: one figure's edits leave the others as they are."""
    entry = SCRIPTS / f"bertsquad/reporting/figures/{figure}.py"
    # Of the console, how quantities are written may stand in a drawing; an error message does not.
    sources = local_sources(
        entry, folder=SCRIPTS, without=("bertsquad/console/errors.py",)
    )
    return shown(sources)


def figure_caption(figure):
    """What Snakemake's own report writes beside a figure."""
    return KNOWN_FIGURES[figure].caption


def quantizer_code(engine):
    """The module that makes an engine's INT8 models, and all it imports."""
    return engine_code(engine, "bertsquad/engines/{}/int8.py")


def quantizer_threads(engine):
    """Calibration runs the model on all cores; without it one thread quantizes."""
    return WHOLE_MACHINE if about(engine).INT8_CALIBRATED else 1


def files_in(folder):
    """The files of a folder of scripts/, as tracked inputs."""
    return shown(sorted((SCRIPTS / folder).iterdir()))


# Snakemake asks for it before each of the 20 calls of a job, and finding it out takes longer.
OF_A_JOB = inspect.signature(lambda wildcards: None)


def of(names, function, *arguments):
    """An input or params function: `function(*the job's wildcards of these names, *arguments)`."""
    wanted = names.split()

    def of_job(wildcards):
        return function(*[wildcards[name] for name in wanted], *arguments)

    of_job.__signature__ = OF_A_JOB
    return of_job


# How answers are scored, this project's and the Model Zoo's.
SCORING = options(
    (key, config["evaluation"][key]) for key in ("bootstrap_samples", "seed")
)


def report_again():
    """What makes the report again: the configuration as it was resolved, with all that --config and
    defaults put into it. A copy, since the workflow writes that file itself."""
    path = shlex.quote(EXPERIMENT.place("<results>/config.json"))
    return f"cp {path} again.json\nsnakemake --cores all --configfile again.json"


def drawn_waterfall():
    """The waterfall, once it was asked for: the report shows it from then on."""
    path = EXPERIMENT.place("<results>/waterfall/waterfall.svg")
    return [path] if Path(path).is_file() else []


@cache
def certified_origin():
    """Version, commit and changed files of the code; a container may have no git to ask."""
    return json.dumps(asdict(origin(REPOSITORY)), sort_keys=True)


def announce_downloads():
    """Tell the user, before the first of them, what will be downloaded and stored."""
    line, possible = EXPERIMENT.announcement()
    if not possible:
        raise UserError(line)
    if line:
        print(f"bertsquad: {line}", file=sys.stderr)


def check_modelzoo():
    """Tell the user what the Model Zoo's launcher would drop, ignore or break on."""
    found = MODELZOO.findings()
    for step, finding in found:
        if finding.severity == "warning":
            place = f"{CONFIG_SOURCE}: modelzoo.steps.{step}"
            print(f"bertsquad: warning: {place}: {finding.message}", file=sys.stderr)
    MODELZOO.refuse(found, CONFIG_SOURCE)


def check_image():
    """Tell the user what is missing before Snakemake asks Apptainer for it."""
    path = os.path.relpath(IMAGE)
    if APPTAINER and re.search(r"[\s{}]", path):
        raise UserError(
            f"{path}: Apptainer takes no image whose path has white space or braces; "
            "move the repository to a folder without"
        )
    if APPTAINER and not IMAGE.exists():
        raise UserError(f"{path}: no such image; `make sif` builds it")
    if APPTAINER:
        check_apptainer([Path.cwd(), REPOSITORY])


def refuse_engines():
    """Stop before the first job where a planned one would end so on this machine."""
    if workflow.local_exec:
        for job in workflow.dag.needrun_jobs():
            wildcards = job.wildcards_dict
            if "engine" in wildcards and "precision" in wildcards:
                check_able(wildcards["engine"], wildcards["precision"])


if workflow.is_main_process:
    or_exit(check_image)
    # Other machines' files are read by a plan alone.
    if {"plan", "make_plan", "check_plan"} & set(sys.argv[1:]):
        or_exit(PLAN.check_machines, read_schema(CONFIG_SCHEMA), CONFIG_SOURCE)
    # `snakemake speed` and `snakemake noise` need no experiment: skip its checks. Targets are unknown
    # while parsing, hence sys.argv.
    if not {"speed", "noise"} & set(sys.argv[1:]):
        or_exit(check_modelzoo)
        or_exit(announce_downloads)
