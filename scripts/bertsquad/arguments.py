"""Types of options that several commands have; for commands alone, the library takes values."""

import argparse


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def natural(text: str) -> int:
    """A whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def thread_count(text: str) -> str | int:
    """A number of threads, or `all`."""
    return "all" if text == "all" else positive(text)
