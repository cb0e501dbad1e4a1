"""One training on several processes, on one host or several.

How many processes compute a step decides who computes what, never what is computed: the step's
batch, its loss and its gradient are those of one process, up to rounding (and dropout's masks).

On every host a supervisor (`supervisor.py`, started by scripts/distribute.py) runs torchrun
(`agent.py`), which runs the processes of that host; supervisors of several hosts hear each other's
heartbeat (`links.py`), so that the loss of one ends them all. The processes meet in `gloo.py`.
"""
