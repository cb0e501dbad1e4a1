"""How many steps, and at which learning rate: the arithmetic of Google's run_squad.py."""

from dataclasses import dataclass

from bertsquad.console.errors import UserError


@dataclass(frozen=True, slots=True)
class Schedule:
    """Linear warm-up, then linear decay to 0 (BERT optimization.py create_optimizer).

    The decay is a line from step 0 and not from the end of warm-up: right after warm-up the rate
    drops to (1 - warmup_steps / total_steps) of its peak. With warm-up, step 0 has rate 0.
    """

    peak_learning_rate: float
    total_steps: int
    warmup_steps: int

    def learning_rate(self, step: int) -> float:
        """The rate of step `step`, counted from 0."""
        if step < self.warmup_steps:
            return self.peak_learning_rate * step / self.warmup_steps
        return self.peak_learning_rate * (1 - min(step, self.total_steps) / self.total_steps)


def share(batch_size: int, ranks: int) -> int:
    """One rank's examples of a step; UserError where the batch does not divide among the ranks."""
    if batch_size % ranks:
        raise UserError(
            f"batch_size {batch_size} does not divide among {ranks} ranks; expected a multiple, "
            "for it counts the examples of all ranks together"
        )
    return batch_size // ranks


def plan(
    count: int,
    *,
    batch_size: int,
    epochs: float,
    warmup_proportion: float,
    peak_learning_rate: float,
) -> Schedule:
    """The schedule for `epochs` passes over `count` examples or features, rounded down as in
    run_squad.py. Zero epochs are zero steps."""
    total_steps = int(count / batch_size * epochs)
    return Schedule(peak_learning_rate, total_steps, int(total_steps * warmup_proportion))
