"""Intel's Model Zoo launcher, v1.6.1: its command line, what it makes of it, its log, its failures.

What is said of it was found by running it: its own scripts with the guide's arguments, mpirun,
numactl and run_squad.py replaced by recorders (tests/fixtures/golden.json, `launcher_v1.6.1`).
"""
