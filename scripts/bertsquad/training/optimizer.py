"""Google's AdamWeightDecayOptimizer and gradient clipping (BERT optimization.py)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.autograd.graph import increment_version
from torch.nn import Parameter

_BETAS = (0.9, 0.999)
_EPSILON = 1e-6

# Parameters whose name holds one of these are not decayed.
_EXCLUDED_FROM_DECAY = ("LayerNorm", "layer_norm", "bias")

# A step count at which both of Adam's bias corrections, 1 - beta ** count, are exactly 1.
_BIAS_CORRECTION_OVER = 1e9


def adam_weight_decay(
    named_parameters: Iterable[tuple[str, Parameter]], *, weight_decay: float
) -> torch.optim.AdamW:
    """Adam with decoupled weight decay and without bias correction.

    m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 g^2; w -= rate (m / (sqrt(v) + 1e-6) + weight_decay w).
    PyTorch's fused AdamW computes just this once its bias corrections are 1, so every parameter
    starts with a very large step count. Its state holds m and v as `exp_avg` and `exp_avg_sq`.
    """
    decayed: list[Parameter] = []
    plain: list[Parameter] = []
    for name, parameter in named_parameters:
        (plain if any(part in name for part in _EXCLUDED_FROM_DECAY) else decayed).append(parameter)
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ],
        lr=0.0,
        betas=_BETAS,
        eps=_EPSILON,
        fused=True,
    )
    for parameter in decayed + plain:
        optimizer.state[parameter] = {
            "step": torch.tensor(_BIAS_CORRECTION_OVER),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimizer


def update(optimizer: torch.optim.AdamW, learning_rate: float) -> None:
    """One step at this rate."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    # The fused kernel does not count its change of the weights; copies in BF16 are renewed by it.
    increment_version(p for group in optimizer.param_groups for p in group["params"])


def clip_by_global_norm(gradients: list[Tensor], max_norm: float) -> float:
    """Scale all gradients, in place, so that their joint L2 norm is at most `max_norm`.

    Returns the norm before. As tf.clip_by_global_norm: no epsilon, untouched where small enough.
    """
    norm = float(torch.nn.utils.get_total_norm(gradients))
    if norm > max_norm:
        torch._foreach_mul_(gradients, max_norm / norm)
    return norm
