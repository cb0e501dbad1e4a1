"""Where a measuring process runs, and what it says of that."""

import sys
from typing import Any

from bertsquad.machine.cpu import allowed_cpus
from bertsquad.machine.threads import Team, default_team, settle, team_of


def settle_down(threads: str | int, at_most: int | None) -> dict[str, Any]:
    """Keep this process on the processors of its threads; `all` is `at_most` so many. What the cell
    says of it: how many `threads`, on which `cpus`, of which `allowed_cpus`, and `not_bound`, why
    not (None: bound)."""
    allowed = allowed_cpus()
    team: Team = default_team(at_most) if threads == "all" else team_of(int(threads))
    if team.threads > len(allowed):
        print(
            f"warning: {team.threads} threads on {len(allowed)} allowed CPUs take turns and "
            "measure the scheduler",
            file=sys.stderr,
        )
    not_bound = settle(team)
    print(f"{team}; not bound: {not_bound}" if not_bound else team, file=sys.stderr)
    return {
        "threads": team.threads,
        "cpus": list(team.cpus),
        "allowed_cpus": allowed,
        "not_bound": not_bound,
    }
