"""What a measurement's result holds of the machine and the moment it was taken in."""

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bertsquad.machine.container import describe_container
from bertsquad.machine.cpu import cpu_model
from bertsquad.machine.kernel import load_average, measurement_environment

# What a batch system calls the job and the node, by its own variables.
_JOB = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID", "POD_NAME")
_NODE = ("SLURMD_NODENAME", "NODE_NAME")


def describe_place(environment: Mapping[str, str]) -> dict[str, Any]:
    """Where it ran: the host's name, the batch system's for it, and the job's; None without one."""
    return {
        "host": socket.gethostname(),
        "node": next((environment[name] for name in _NODE if environment.get(name)), None),
        "job": next((environment[name] for name in _JOB if environment.get(name)), None),
    }


def describe_surroundings(versions: Mapping[str, Any]) -> dict[str, Any]:
    """What was true when the measurement began, beside the software's `versions`
    (`machine.versions`). `started_at` is in UTC."""
    return {
        "cpu": cpu_model(),
        "load_average": load_average(),
        "environment": measurement_environment(),
        "versions": dict(versions),
        "container": describe_container(),
        **describe_place(os.environ),
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
