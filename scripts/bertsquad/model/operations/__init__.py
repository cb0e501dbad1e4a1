"""The encoder's operations for training, as autograd functions that move less memory.

They add the gradients of weights where they are accumulated instead of handing them to autograd,
keep for the backward pass only what it needs, and take the products' operands in BF16 or FP32.
"""
