"""How fast a machine serves a model: workload, timed loop, statistics, and the cell they make."""
