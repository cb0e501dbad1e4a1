"""The demo's made-up world: a small reading-comprehension set and an untrained encoder for it."""
