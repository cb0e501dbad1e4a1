"""What a run says of itself: how long it will take, how far it is, what failed."""

import atexit
import time
from collections import Counter

from bertsquad.console.failures import failures
from bertsquad.console.suggestions import unknown_target
from bertsquad.console.watching import Job, begin as watch_run
from bertsquad.experiment.durations import KNOWN_RULES, Job as PlannedJob
from bertsquad.experiment.estimate import CEILINGS, estimate, rates_here

# A module's rules may have other names, and its workflow rules of its own.
OWN_NAMES = {workflow.modifier.modify_rulename(name): name for name in KNOWN_RULES}


def planned_jobs():
    """The planned jobs of the rules here, by their names here."""
    return [
        PlannedJob(OWN_NAMES.get(job.rule.name, job.rule.name), job.wildcards_dict)
        for job in workflow.dag.needrun_jobs(exclude_finished=False)
        if Path(job.rule.snakefile).is_relative_to(REPOSITORY)
    ]


def tell_estimate():
    """How long the planned jobs take on this machine, printed and returned; None where it cannot be
    said, which is no reason for a run to fail."""
    try:
        # A dry run that is not told has one core.
        given = None if workflow.dryrun and workflow.cores == 1 else workflow.cores
        found = estimate(EXPERIMENT, rates_here(EXPERIMENT, given), planned_jobs())
        for line in found.lines(os.path.relpath(EXPERIMENT.place(CEILINGS))):
            print(f"bertsquad: {line}", file=sys.stderr)
        return found
    except Exception as error:
        print(f"bertsquad: no estimate of the time ({error!r:.200})", file=sys.stderr)
        return None


def tell_estimate_of_a_dry_run():
    """A dry run has no hook of its own: at its end all that is planned is known."""
    if workflow.dryrun and workflow.dag is not None:
        tell_estimate()


def explain_unknown_targets():
    """Snakemake says of a target that nothing makes what those need who write rules; what was meant
    is said behind it."""
    if workflow.dag is None:
        return  # not planned, and told why
    for target in workflow.dag_settings.targets:
        path = os.path.relpath(target)
        makers = (rule for rule in workflow.rules if rule.is_producer(path))
        if not workflow.is_rule(target) and not any(makers):
            whole = [rule for rule in workflow.rules if not rule.has_wildcards()]
            files = [
                path
                for rule in whole
                for path in [*rule.input, *rule.output]
                if isinstance(path, str)
            ]
            said = unknown_target(target, [rule.name for rule in whole], files)
            print(f"bertsquad: {said}", file=sys.stderr)


if workflow.is_main_process:
    atexit.register(explain_unknown_targets)
    atexit.register(tell_estimate_of_a_dry_run)


def running_jobs():
    """The jobs that run now, and how many of each rule have finished."""
    jobs = []
    for each in list(workflow.scheduler.running):
        for job in each.jobs if each.is_group() else [each]:
            named = [job.rule.name, *filter(None, job.wildcards_dict.values())]
            jobs.append(
                Job(job.rule.name, " ".join(named), str(next(iter(job.log), "")))
            )
    return jobs, Counter(job.rule.name for job in workflow.dag.finished_jobs)


EXPECTED = []  # the estimate and the time of the start


onstart:
    or_exit(refuse_engines)
    or_exit(refuse_what_waits_for_ever)
    or_exit(refuse_speed_elsewhere)
    or_exit(warn_of_mixed_machines)
    tell_what_to_record()
    or_exit(name_orphans)
    if workflow.local_exec:
        EXPECTED[:] = [tell_estimate(), time.monotonic()]
    # Jobs say how far they are into their logs, which nobody sees meanwhile.
    watch_run(
        Counter(job.rule.name for job in workflow.dag.needrun_jobs()), running_jobs
    )


onsuccess:
    doubt_what_was_edited_meanwhile()
    if EXPECTED and EXPECTED[0] and EXPECTED[0].jobs:
        took = time.monotonic() - EXPECTED[1]
        print(f"bertsquad: {EXPECTED[0].verdict(took)}", file=sys.stderr)


# A quiet call (`make run`) hides failed jobs: what they said is shown whatever else is.
onerror:
    for line in failures(map(Path, log)):
        print(f"bertsquad: {line}", file=sys.stderr)
