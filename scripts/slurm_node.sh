#!/bin/bash
#SBATCH --nodes=1 --exclusive --requeue --open-mode=append --signal=B:USR1@120 --job-name=bertsquad
# One node, the whole workflow on it; words after the script's name go to Snakemake:
#   sbatch --partition=cpu --time=24:00:00 scripts/slurm_node.sh --configfile my.yaml
# Two minutes before its time is up it stops Snakemake, whose training saves its state, and queues itself
# again; after the loss of its node Slurm does. Without Slurm (PBS, LSF, a pod) it just runs; asked to
# end by SIGTERM it stops in the same way.
# Slurm starts it where sbatch was called, or in --chdir; PBS in the home folder.
cd "${PBS_O_WORKDIR:-.}" || exit
[ -x .venv/bin/snakemake ] && export PATH="$PWD/.venv/bin:$PATH"
marker=.snakemake/bertsquad/started-${SLURM_JOB_ID:-here}

say() { echo "slurm_node.sh: $(date +%FT%T) $*"; }

# Anything made since this start, other than logs.
progress() {
    find . -newer "$marker" -type f ! -path './.snakemake/*' ! -path '*/logs/*' ! -name 'slurm-*.out' -print -quit
}

time_is_up() {
    trap '' USR1
    trap - TERM # by which Slurm ends this script once it is queued again
    say "the time is nearly up: stopping"
    kill -INT -- "-$work"
    wait "$work"
    if [ -z "$(progress)" ]; then
        say "error: nothing new was made since $(date -r "$marker" +%FT%T), so another start would do no better;" \
            "ask for a longer --time, or let training save its state more often (training.checkpoint_seconds)"
        exit 1
    fi
    say "stopped; queued again as job $SLURM_JOB_ID"
    scontrol requeue "$SLURM_JOB_ID"
    sleep 60 # Slurm ends this script
}

stop() {
    trap '' TERM
    say "asked to end: stopping"
    kill -INT -- "-$work"
    wait "$work"
    exit 143
}

mkdir -p "$(dirname "$marker")"
touch "$marker"
say "start ${SLURM_RESTART_COUNT:-0} on ${SLURMD_NODENAME:-$(hostname)}: snakemake $*"
trap time_is_up USR1
# What was killed before has left its lock: an earlier start of this job, or an earlier pod.
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] || [ -n "$POD_NAME" ]; then
    snakemake --unlock "$@" > /dev/null 2>&1
fi
# A process group of its own, which is interrupted as a whole; bash has background programs ignore SIGINT,
# which env undoes.
set -m
env --default-signal=INT snakemake --workflow-profile profiles/slurm-node "$@" &
work=$!
set +m
trap stop TERM
status=1
while kill -0 "$work" 2> /dev/null; do
    wait "$work"
    status=$?
done
say "ended with status $status"
exit "$status"
