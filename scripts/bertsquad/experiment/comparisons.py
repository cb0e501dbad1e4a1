"""The configuration's `comparisons`: what each side is, its files, and its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.modes import MODES
from bertsquad.console.errors import UserError
from bertsquad.console.suggestions import did_you_mean
from bertsquad.engines import PRECISIONS
from bertsquad.experiment.files import MODEL_FILES, Experiment
from bertsquad.experiment.options import options

BY_TURNS = ("batches", "offline", "end_to_end")  # modes that benchmark/side.py runs
SIDES = ("a", "b")


@dataclass(frozen=True)
class Comparisons:
    """The pairs of cells of an experiment that are measured by turns."""

    experiment: Experiment

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.experiment.config["comparisons"])

    def check(self, source: str) -> None:
        """`UserError` for a side that is no cell of this configuration, and for two sides that no
        metric compares; `source` names the configuration."""
        for name in self.names:
            for side in SIDES:
                self._check_side(name, side, f"{source}: comparisons.{name}.{side}")
            self._check_pair(name, f"{source}: comparisons.{name}")

    def _check_side(self, name: str, side: str, place: str) -> None:
        found = self.side(name, side)
        config = self.experiment.config
        precisions = config["engines"].get(found["engine"], [])
        for key, known in (
            ("run", list(config["runs"])),
            ("engine", list(config["engines"])),
            ("precision", precisions),
            ("scenario", list(config["benchmark"]["scenarios"])),
        ):
            if found[key] not in known:
                raise UserError(
                    f"{place}.{key}: found {found[key]!r}, expected one of the configuration; "
                    f"{did_you_mean(found[key], known)}"
                )
        mode = self.experiment.mode(found["scenario"])
        if mode.name not in BY_TURNS:
            raise UserError(
                f"{place}.scenario: {found['scenario']} is of mode {mode.name}, which is not run "
                f"by turns; expected a scenario of mode {', '.join(BY_TURNS)}"
            )
        given = config["comparisons"][name][side].get("batch")
        if mode.whole_set and given is not None:
            raise UserError(
                f"{place}.batch: found {given}, but in mode {mode.name} the engine cuts the "
                "batches itself; leave it out"
            )

    def _check_pair(self, name: str, place: str) -> None:
        metric = self.settings(name)["metric"]
        modes = [self.experiment.mode(self.side(name, side)["scenario"]) for side in SIDES]
        if metric != "rate" and any(mode.whole_set for mode in modes):
            raise UserError(
                f"{place}.metric: found {metric}, but only mode batches has a latency; expected "
                "rate"
            )
        if len({mode.from_texts for mode in modes}) > 1:
            raise UserError(
                f"{place}: one side starts from texts and the other from features, so they do not "
                "do the same; take two scenarios of one kind"
            )

    def side(self, name: str, side: str) -> dict[str, Any]:
        """A side with all that was left out: `run`, `engine`, `precision`, `scenario`, `batch`,
        `threads`."""
        config = self.experiment.config
        given = {k: v for k, v in config["comparisons"][name][side].items() if v is not None}
        benchmark = config["benchmark"]
        engine = given.get("engine", next(iter(config["engines"])))
        precisions = config["engines"].get(engine) or [None]
        scenarios = list(benchmark["scenarios"])
        offline = [s for s in scenarios if benchmark["scenarios"][s]["mode"] == "offline"]
        found = {
            "run": next(iter(config["runs"])),
            "engine": engine,
            "precision": precisions[0],
            "scenario": (offline or scenarios)[0],
            "threads": benchmark["threads"][0],
            **given,
        }
        scenario = benchmark["scenarios"].get(found["scenario"])
        if scenario and MODES[scenario["mode"]].whole_set:
            return {"batch": "auto", **found}
        return {"batch": benchmark["batch_sizes"][0], **found}

    def settings(self, name: str) -> dict[str, Any]:
        """All but the sides; `metric` is the modes' own where none is given."""
        given = self.experiment.config["comparisons"][name]
        modes = [self.experiment.mode(self.side(name, side)["scenario"]) for side in SIDES]
        own = "rate" if any(mode.whole_set for mode in modes) else "p50"
        rest = {key: value for key, value in given.items() if key not in SIDES}
        return rest | {"metric": given["metric"] or own}

    def files(self) -> list[str]:
        """The result of every comparison."""
        return [self.experiment.place(f"<results>/comparisons/{name}.json") for name in self.names]

    def noise(self) -> list[str]:
        """The noise floor of the machine, where something is compared."""
        return [self.experiment.place("<results>/noise.json")] if self.names else []

    def engines(self, name: str) -> list[str]:
        """The engines of both sides."""
        return list(dict.fromkeys(self.side(name, side)["engine"] for side in SIDES))

    def inputs(self, name: str) -> list[str]:
        """What both sides read: models, features, INT8 models, texts."""
        found: dict[str, None] = {}
        for side in SIDES:
            cell, experiment = self.side(name, side), self.experiment
            run = cell["run"]
            found |= dict.fromkeys(
                [
                    *(
                        experiment.place(f"<results>/{run}/model/{file}")
                        for file in MODEL_FILES[:3]
                    ),
                    experiment.features_file(run, "dev"),
                    *experiment.quantized(run, cell["engine"], cell["precision"]),
                    *experiment.benchmark_texts(run, cell["scenario"]),
                ]
            )
        return list(found)

    def options(self, name: str) -> str:
        """The options of compare_speed.py that are a comparison's own."""
        settings = self.settings(name)
        looks = " ".join(map(str, sorted(settings["looks"])))
        own = options(
            [
                *((side, self.side_options(name, side)) for side in SIDES),
                *(
                    (key, settings[key])
                    for key in ("metric", "turn_seconds", "same_within", "seed")
                ),
            ]
        )
        return f"{own} --looks {looks}"

    def side_options(self, name: str, side: str) -> str:
        """A side as options of take_turns.py."""
        cell, experiment = self.side(name, side), self.experiment
        run, scenario = cell["run"], experiment.config["benchmark"]["scenarios"][cell["scenario"]]
        pairs = [
            *((key, cell[key]) for key in ("engine", "precision", "scenario", "threads")),
            ("mode", scenario["mode"]),
            ("padding", scenario["padding"]),
            ("batch_size", cell["batch"]),
            ("count", self.settings(name)["features"]),
            ("model", experiment.place(f"<results>/{run}/model")),
            ("features", experiment.features_file(run, "dev")),
            *(
                ("quantized", p)
                for p in experiment.quantized(run, cell["engine"], cell["precision"])
            ),
            *(("dataset", path) for path in experiment.benchmark_texts(run, cell["scenario"])),
        ]
        return options(pairs)


def noise_options(experiment: Experiment) -> str:
    """The engine and precision whose noise is measured: the first engine's FP32, which needs no
    INT8 model and which no processor emulates."""
    engine = next(iter(experiment.config["engines"]))
    precision = "fp32" if "fp32" in PRECISIONS[engine] else PRECISIONS[engine][0]
    return options([("engine", engine), ("precision", precision)])


def pace_options(experiment: Experiment) -> str:
    """How long a comparison, and the noise floor, may wait for a quiet machine."""
    return options([("quiet_seconds", experiment.config["benchmark"]["quiet_seconds"])])
