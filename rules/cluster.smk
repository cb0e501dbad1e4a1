"""Before the first job is submitted to a cluster."""

from copy import copy

from bertsquad.distributed.slurm_limits import (
    accounting_storage,
    check_accounting,
    check_nodes,
    check_partition,
    check_processors,
    partitions,
)
from bertsquad.machine.claim import expect
from bertsquad.machine.slurm import orphans, orphans_line


def refuse_what_waits_for_ever():
    """Stop before the first submission where a job asks a cluster for 1,024 processors, or for more
    than Slurm's partition has: it would wait for ever, and Snakemake with it, in silence. And where
    the command that is asked which jobs have ended knows of none, or a training asks for nodes that
    it would not use.
    """
    if workflow.local_exec:
        return
    status_command = getattr(workflow.executor_settings, "status_command", None)
    check_accounting(status_command, accounting_storage())
    known = partitions()
    for job in workflow.dag.needrun_jobs():
        if not job.is_local:
            asked = int(job.resources.get("cpus_per_task", job.threads))
            check_processors(job.rule.name, job.threads, asked, WHOLE_MACHINE)
            processors = (
                {} if "cpus_per_task" in job.resources.keys() else {"threads": asked}
            )
            check_partition(job.rule.name, {**job.resources, **processors}, known)
            nodes = int(job.resources.get("nodes", 1))
            check_nodes(job.rule.name, nodes, config["distributed"]["hosts"])
            group = workflow.dag.get_job_group(job)
            if group is not None and len(group) > 1:
                # A copy's: an original would keep what it knows before its inputs are there.
                together = copy(group).resources
                check_partition(
                    job.rule.name, dict(together.items()), known, len(group)
                )


def name_orphans():
    """Tell what jobs of an earlier run still compute; a training among them leaves its work to this
    run's."""
    found = [] if workflow.local_exec else orphans(Path.cwd())
    if not found:
        return
    print(f"bertsquad: {orphans_line(found)}", file=sys.stderr)
    trainings = [orphan.job for orphan in found if orphan.rule == "finetune"]
    for job in workflow.dag.needrun_jobs():
        if trainings and job.rule.name == "finetune":
            expect(Path(job.params.state) / "training_state", trainings)
