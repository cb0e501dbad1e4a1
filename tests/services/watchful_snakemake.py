"""Snakemake, whose Slurm executor looks after its jobs twice a second.

Of itself it waits ten seconds longer after each look at which nothing had ended (2, 14, 36, 68
seconds after a submission), which is kind to a cluster and slow for jobs of seconds.
"""

import sys

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda self: 0.5, lambda self, seconds: None)

if __name__ == "__main__":
    sys.exit(main())
