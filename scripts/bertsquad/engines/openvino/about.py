"""What is known of the engine without importing OpenVINO (bertsquad.engines.About)."""

DESCRIPTION = "OpenVINO at real lengths; int8 by NNCF's post-training quantization."
PRECISIONS = ("fp32", "bf16", "int8")
REFUSED_UNLESS_NATIVE = ("bf16",)
PACKAGES = ("openvino", "nncf")
INT8_FILES = ("model.xml", "model.bin")
INT8_CALIBRATED = True
