"""What takes turns for a waterfall. It imports nothing, since `--help` of the commands reads it."""

# Sides of a measurement, each a process that takes turns with the others.
PRODUCT_ONE, PRODUCT_ALL = "product-one", "product-all"  # GFLOP/s of matrix products
ALONE_ONE, ALONE_ALL = "alone-one", "alone-all"  # the engine, all features at hand
SINGLE = "single"  # one feature after the other
TEXTS = "texts"  # texts in, answers out
SIDES = (PRODUCT_ONE, PRODUCT_ALL, ALONE_ONE, ALONE_ALL, SINGLE, TEXTS)
THREADS_OF = {PRODUCT_ONE: 1, ALONE_ONE: 1}  # the others take all
