"""The demo: a small reading-comprehension set about a made-up world, and an untrained BERT."""
