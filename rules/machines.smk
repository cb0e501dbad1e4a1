"""Several kinds of machines, where the configuration names them, and what each can run."""

from bertsquad.experiment.machines import Machines
from bertsquad.machine.identity import read_identity
from bertsquad.machine.surroundings import describe_place

MACHINES = Machines(EXPERIMENT)
# The profile's default-resources, as each rule starts with them.
FOR_ALL_JOBS = workflow.resource_settings._parsed_default_resources


wildcard_constraints:
    machine=any_of(MACHINES.asked),


def check_engines():
    """Tell the user what is configured that a machine cannot run."""
    # Which executor there will be is not known yet; only one of other machines is told of nodes.
    elsewhere = workflow.resource_settings.nodes is not None
    for line in MACHINES.warnings(elsewhere=elsewhere):
        print(f"bertsquad: warning: {CONFIG_SOURCE}: {line}", file=sys.stderr)


def warn_of_mixed_machines():
    """Before the first job of a local run: refuse what would measure a kind on another machine than
    before, and tell the user where several kinds are measured on one."""
    # What is compared was computed before, on whichever machine.
    planned = [
        job.wildcards_dict
        for job in workflow.dag.needrun_jobs()
        if job.rule.name != "compare_answers_on_machine"
    ]
    if workflow.local_exec and MACHINES.asked:
        here = {"cpu_identity": read_identity(), **describe_place(os.environ)}
        MACHINES.refuse_others(planned, here)
    line = MACHINES.mixed(planned) if workflow.local_exec else ""
    if line:
        print(f"bertsquad: warning: {line}", file=sys.stderr)


def refuse_speed_elsewhere():
    """Which engines and precisions `speed` measures follows from the processor that plans it."""
    if not workflow.local_exec:
        for job in workflow.dag.needrun_jobs():
            if job.rule.name in ("measure_speed", "measure_ceilings"):
                raise UserError(
                    "speed measures the machine that plans it, and here jobs run elsewhere; run it "
                    "in one allocation: sbatch scripts/slurm_node.sh speed"
                )


if workflow.is_main_process and not {"speed", "noise"} & set(sys.argv[1:]):
    check_engines()
