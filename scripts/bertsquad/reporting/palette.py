"""The colours of figures and page, each for a light and a dark ground.

Figures are drawn in the light ones; the page turns each into its dark partner where the reader
prefers a dark screen. On white every series colour has a contrast of at least 3:1.
"""

PAPER, INK, MUTED, RULE = "#ffffff", "#1c2329", "#56616b", "#d9dee3"
OTHER = "#6b7680"  # a precision without a colour of its own
PRECISION = {"fp32": "#1d4e89", "bf16": "#d9661f", "int8": "#1a8573"}
RUNS = ("#3a4149", "#8a4fb0", "#b03a72", "#7d6a12", "#4c6fb1", "#5d8a3c")
REFERENCE = "#97a3ad"  # lines that help to read: means, medians

DARK = {
    PAPER: "#15191d",
    INK: "#e8ecef",
    MUTED: "#a3aeb8",
    RULE: "#323a42",
    OTHER: "#a9b3bc",
    REFERENCE: "#6f7c87",
    "#1d4e89": "#7db4f0",
    "#d9661f": "#f79a5b",
    "#1a8573": "#56cdb5",
    "#3a4149": "#d5dbe0",
    "#8a4fb0": "#c79be6",
    "#b03a72": "#ee8bb5",
    "#7d6a12": "#d8c25a",
    "#4c6fb1": "#9db9ee",
    "#5d8a3c": "#a5d281",
}
