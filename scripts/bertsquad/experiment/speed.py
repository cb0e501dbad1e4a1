"""`snakemake speed` as a configuration of the benchmark: BERT-Large of random weights, by every
engine and precision, whatever the experiment."""

from dataclasses import dataclass
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.engines import PRECISIONS, check_able, native
from bertsquad.experiment.files import Experiment, options
from bertsquad.schema import with_defaults

RUN = "speed"
# Names are those of reporting/summary/speed.py. Padded products run at full speed from 384 rows on;
# larger batches would only give fewer samples.
SCENARIOS = {
    "offline": {"mode": "offline", "count": 1_000_000},
    "padded": {"padding": "max_length", "batch_sizes": [4]},
    "requests": {"batch_sizes": [1]},
}
_CEILING_S = 0.5  # for each of a layer's four products


@dataclass(frozen=True)
class SpeedBenchmark(Experiment):
    """What `speed_benchmark` makes. Its one run has the folder <results>/speed."""

    def quantized(self, run: str, engine: str, precision: str) -> list[str]:
        """The folder of the random INT8 model that this precision takes, if it takes one."""
        folder = self.place(f"<resources>/speed/{engine}-int8")
        return [folder] if precision == "int8" else []

    def cells_of(self, machine: str) -> list[str]:
        """The cells of a kind of machine."""
        return [path for path in self.cell_files() if f"/benchmark/{machine}/" in path]

    def made(self, name: str) -> list[str]:
        """The file of this name, as speed.txt, of each kind of machine, or of the one there is."""
        kinds = self.config.get("machines") or {}
        folders = [f"machines/{kind}/" for kind in kinds] or [""]
        return [self.place(f"<results>/speed/{folder}{name}") for folder in folders]

    def scenario_options(self, scenario: str) -> str:
        """As for any scenario; the process that has a whole set at hand measures its ceiling."""
        ceiling = _CEILING_S if self.mode(scenario).whole_set else None
        given = [super().scenario_options(scenario), options([("ceiling_seconds", ceiling)])]
        return " ".join(filter(None, given))


def speed_benchmark(experiment: Experiment, schema: dict[str, Any]) -> SpeedBenchmark:
    """By the processor and by `speed` of the configuration, whose `schema` has the defaults. Of
    several kinds of machines each has all cells: what its processor lacks is refused there."""
    settings, kinds = experiment.config["speed"], experiment.config.get("machines")
    engines = {
        engine: [
            name for name in precisions if kinds or _measured(engine, name, settings["emulated"])
        ]
        for engine, precisions in PRECISIONS.items()
    }
    emulated = "refuse" if kinds and settings["emulated"] == "leave_out" else "mark"
    config = {
        **({"machines": {name: {} for name in kinds}} if kinds else {}),
        "runs": {RUN: {}},
        "engines": engines,
        "benchmark": {
            "scenarios": SCENARIOS,
            "threads": [settings["threads"]],
            "warmup": 0,  # beside one of each shape
            "seconds": settings["seconds"],
            "emulated": emulated,
            "quiet_seconds": experiment.config["benchmark"]["quiet_seconds"],
        },
    }
    filled = with_defaults(config, schema, schema)
    return SpeedBenchmark(filled, experiment.catalogue, experiment.place)


def _measured(engine: str, precision: str, emulated: str) -> bool:
    """Whether the processor has the precision, or the engine emulates it and that is wanted."""
    if native(precision):
        return True
    try:
        check_able(engine, precision)
    except UserError:
        return False
    return emulated == "mark"
