"""How many times as fast as whom this project means to be, and what share of the ceiling it means
to reach: measured against in the table, and nowhere else."""

# (work, title of the side, its form, its precision) -> our rate at real lengths over its rate.
RATIOS = {
    ("data", "tokenizers", "texts", "fp32"): 5.8,
    ("data", "Google-style Python", "texts", "fp32"): 30.0,
    ("inference-bf16", "OpenVINO", "padded", "bf16"): 2.0,
    ("inference-bf16", "TensorFlow", "padded", "bf16"): 2.4,
    ("inference-bf16", "transformers, compiled", "padded", "bf16"): 2.4,
    ("inference-bf16", "TensorFlow", "padded", "fp32"): 4.0,
    ("inference-int8", "OpenVINO", "padded", "int8"): 2.0,
    ("inference-int8", "ONNX Runtime", "padded", "int8"): 2.8,
    ("inference-int8", "ONNX Runtime", "real", "int8"): 1.2,
    ("inference-int8", "TensorFlow", "padded", "fp32"): 7.4,
    ("training-bf16", "transformers", "padded", "fp32"): 4.5,
    ("training-bf16", "transformers", "padded", "bf16"): 2.8,
    ("training-bf16", "TensorFlow", "padded", "bf16"): 2.0,
    ("training-bf16", "TensorFlow", "padded", "fp32"): 3.6,
}

# (work, form) -> the share of the ceiling that our fastest side means to reach.
SHARES = {
    ("inference-bf16", "real"): 0.85,
    ("inference-bf16", "padded"): 0.88,
    ("inference-int8", "padded"): 0.82,
    ("training-bf16", "real"): 0.74,
    ("training-bf16", "padded"): 0.74,
}
