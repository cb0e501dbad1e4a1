"""Intel's Model Zoo launcher, v1.6.1: its command line, processes, log and failures.

Every statement about it comes from running it: its own scripts with the guide's arguments, with
mpirun, numactl and run_squad.py replaced by recorders (`launcher_v1.6.1` of
tests/fixtures/golden.json).
"""
