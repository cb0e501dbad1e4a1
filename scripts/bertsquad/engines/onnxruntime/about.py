"""What is known of the engine without importing ONNX Runtime (bertsquad.engines.About)."""

DESCRIPTION = "ONNX Runtime, the plain reference that people compare with."
PRECISIONS = ("fp32", "int8")
REFUSED_UNLESS_NATIVE = ()
PACKAGES = ("onnxruntime", "onnx")
INT8_FILES = ("model.onnx", "model.onnx.data")
INT8_CALIBRATED = False
