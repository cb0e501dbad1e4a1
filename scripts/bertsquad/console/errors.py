"""One clear line and exit status 2 for what a user can mend; a traceback for a bug."""

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

USAGE_STATUS = 2  # what argparse exits with, too


class UserError(Exception):
    """Something the user can mend. The message is one line: which file, key or question; what was
    found; what was expected; what to do next."""


def exit_with(main: Callable[[], None]) -> NoReturn:
    """Run a command's `main` and leave with its exit status.

    0 when it returns; 2 and one line on stderr for a `UserError`, a full disk or exhausted memory;
    130 for Ctrl-C. Any other exception is a bug and keeps its traceback.
    """
    command = os.path.basename(sys.argv[0])
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        print(f"{command}: error: {message}", file=sys.stderr)
        sys.exit(USAGE_STATUS)
    sys.exit(0)


def explain(error: Exception) -> str | None:
    """The one line a user needs for this exception, or None for a bug in this project."""
    if isinstance(error, UserError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {error.filename}" if error.filename else ""
        return f"disk full{where}: free some space and run again; finished files are kept"
    if isinstance(error, OSError) and error.filename and error.errno is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError) or _is_torch_out_of_memory(error):
        return (
            "out of memory: use a smaller batch size or token budget, or a machine with more memory"
        )
    return None


def _is_torch_out_of_memory(error: Exception) -> bool:
    """PyTorch's CPU allocator reports exhaustion as a plain RuntimeError."""
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
