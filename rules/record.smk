"""Every step records what it really used, and what used code that was edited meanwhile is made again."""

from bertsquad.certificate.mending import Mender
from bertsquad.certificate.record import Places
from bertsquad.certificate.sheets import write_sheets
from bertsquad.engines import packages
from bertsquad.machine.versions import PACKAGES

LOGS_FOLDER = Path(EXPERIMENT.place("<logs>"))
PLACES = Places(
    results=EXPERIMENT.place("<results>"),
    resources=EXPERIMENT.place("<resources>"),
    scripts=SCRIPTS_SHOWN,
)
# What computes, solves and draws.
COMPUTING_PACKAGES = dict.fromkeys(
    [*PACKAGES, *packages(), "scipy", "pulp", "matplotlib"]
)


def tell_what_to_record():
    """Leave a sheet for each job that will run. Without one it runs and records nothing."""
    if workflow.touch:
        return
    try:
        write_sheets(workflow.dag.needrun_jobs(), PLACES, COMPUTING_PACKAGES)
    except OSError as error:
        print(f"bertsquad: steps record nothing: {error}", file=sys.stderr)


def doubt_what_was_edited_meanwhile():
    """Have Snakemake make again what used code that was edited while it ran; say so."""
    try:
        for line in Mender(PLACES).mend(LOGS_FOLDER):
            print(f"bertsquad: {line}", file=sys.stderr)
    except OSError as error:
        print(
            f"bertsquad: warning: not known whether code was edited while steps ran: {error}",
            file=sys.stderr,
        )


if workflow.is_main_process:
    doubt_what_was_edited_meanwhile()
