"""How many times as fast as whom this project means to be, what share of the ceiling it means to
reach, and in how much memory: measured against in the table, and nowhere else."""

# (work, title of the contender, its form, its precision) -> our rate at real lengths over its rate.
RATIOS = {
    ("data", "tokenizers", "texts", "fp32"): 5.0,
    ("data", "Google-style Python", "texts", "fp32"): 20.0,
    ("inference-bf16", "OpenVINO", "real", "bf16"): 1.05,
    ("inference-bf16", "OpenVINO, groups", "real", "bf16"): 1.05,
    ("inference-bf16", "OpenVINO", "padded", "bf16"): 2.0,
    ("inference-bf16", "TensorFlow", "padded", "bf16"): 2.4,
    ("inference-bf16", "TensorFlow", "padded", "fp32"): 4.0,
    ("inference-int8", "OpenVINO", "real", "int8"): 1.05,
    ("inference-int8", "OpenVINO, groups", "real", "int8"): 1.05,
    ("inference-int8", "ONNX Runtime", "real", "int8"): 1.2,
    ("training-bf16", "transformers", "padded", "fp32"): 4.5,
    ("training-bf16", "transformers", "padded", "bf16"): 2.8,
    ("training-bf16", "TensorFlow", "padded", "bf16"): 2.0,
}

# (work, form) -> the share of the ceiling that our fastest contender means to reach.
SHARES = {
    ("inference-bf16", "real"): 0.88,
    ("inference-int8", "real"): 0.85,
    ("training-bf16", "real"): 0.80,
}

# What inference may take beside the weights, as a part of the FP32 weights. In other precisions the
# weights take less.
_BESIDE_WEIGHTS = 0.2
_BYTES = {"fp32": 4, "bf16": 2, "int8": 1}

_FINETUNING_GB = {"bf16": 6.5}


def memory_goal_mib(kind: str, precision: str, weights_mib: float) -> float | None:
    """The peak that one of our contenders aims to stay under. `weights_mib`: FP32 weights."""
    if kind == "inference":
        return weights_mib * (_BESIDE_WEIGHTS + _BYTES[precision] / _BYTES["fp32"])
    if precision in _FINETUNING_GB:
        return _FINETUNING_GB[precision] * 1e9 / 2**20
    return None
