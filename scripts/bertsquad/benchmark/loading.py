"""Loading an engine, and what it takes: the same in every mode."""

from collections.abc import Callable

from bertsquad.benchmark.timing import NANOSECONDS, Clock, timed
from bertsquad.engines import Engine
from bertsquad.machine.memory import resident_memory_mib


def load_engine(
    load: Callable[[], Engine], clock: Clock, progress: Callable[[str, int, int], None]
) -> tuple[Engine, dict[str, float]]:
    """The engine, and `model_load_s`, `memory_before_load_mib` (the engine's library and the
    features are open) and `memory_after_load_mib`, of the whole process."""
    before = resident_memory_mib()
    progress("load", 0, 1)
    engine, load_ns = timed(load, clock)
    return engine, {
        "model_load_s": load_ns / NANOSECONDS,
        "memory_before_load_mib": before,
        "memory_after_load_mib": resident_memory_mib(),
    }
