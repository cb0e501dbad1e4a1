"""Into how many parts the logits of a run are cut, and where these are."""

from dataclasses import dataclass

from bertsquad.experiment.files import Experiment


@dataclass(frozen=True)
class Shards:
    """What `logits.shards` of a configuration asks for; absent, one."""

    experiment: Experiment

    @property
    def count(self) -> int:
        number: int = self.experiment.config.get("logits", {}).get("shards", 1)
        return number

    def whole_runs(self) -> list[str]:
        """The runs whose logits are computed by one job."""
        return list(self.experiment.config["runs"]) if self.count == 1 else []

    def cut_runs(self) -> list[str]:
        """The runs whose logits are computed in parts."""
        return list(self.experiment.config["runs"]) if self.count > 1 else []

    def files(self, run: str, engine: str, precision: str) -> list[str]:
        """The parts of a run's logits."""
        folder = self.experiment.place(f"<results>/{run}/{engine}-{precision}/shards")
        return [f"{folder}/{k}-of-{self.count}.safetensors" for k in range(1, self.count + 1)]
