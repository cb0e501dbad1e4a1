"""Settings of PyTorch's libraries that are read when it is first imported."""

import os

# How long OpenMP's threads wait for each other by spinning. The default, 300,000, is as fast on an
# idle machine (7 % faster where a batch takes a millisecond, which a benchmark may measure), but
# where other processes want the cores, threads spin while those they wait for cannot run: on 2
# cores with 2 other processes, training took 1.5 to 10 times as long, inference 2 to 15 times.
SETTINGS = {"GOMP_SPINCOUNT": "3000"}


def prepare() -> None:
    """Call before the first `import torch` of a process; what the user has set stays."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
