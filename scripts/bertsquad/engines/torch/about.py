"""What is known of the engine without importing PyTorch (bertsquad.engines.About)."""

DESCRIPTION = "PyTorch on packed batches; bf16 keeps LayerNorm, softmax and logits in FP32."
PRECISIONS = ("fp32", "bf16")
REFUSED_UNLESS_NATIVE = ()  # BF16 is emulated
PACKAGES = ("torch",)
INT8_FILES = ()
INT8_CALIBRATED = False
