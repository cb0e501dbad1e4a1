"""One clear line and exit status 2 for what a user can mend; a traceback for a bug."""

import contextlib
import errno
import importlib
import io
import os
import select
import sys
from collections.abc import Callable
from typing import NoReturn

USAGE_STATUS = 2  # what argparse exits with, too
GONE_STATUS = 141  # what a shell says of a command that SIGPIPE ended: its reader has gone
LONGEST_LINE = 300  # characters of a message


class UserError(Exception):
    """Something the user can mend. The message is one line: which file, key or question; what was
    found; what was expected; what to do next."""


class LongUserError(UserError):
    """A message that names several addresses and checksums, all of which a user needs whole."""

    longest = 2 * LONGEST_LINE


_at_once = [False]


def leave_at_once() -> None:
    """From now on `exit_with` ends the process without the interpreter's own end, which threads of
    a library may abort ("terminate called without an active exception"): its status would be lost.
    """
    _at_once[0] = True


def _leave(status: int) -> NoReturn:
    if _at_once[0]:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def exit_with(main: Callable[[], None]) -> NoReturn:
    """Run a command's `main` and leave with its exit status. It ends with its Snakemake, if any,
    and records what it used where a rule called it.

    0 when it returns; 2 and one line on stderr for a `UserError`, a full disk or exhausted memory;
    130 for Ctrl-C; 141, without a word, where the reader of its output has gone (`| head`). Any
    other exception is a bug and keeps its traceback.
    """
    from bertsquad.console.starter import end_with_starter

    command = os.path.basename(sys.argv[0])
    try:
        _show_any_text()
        end_with_starter()
        # Not an import statement, so not tracked: how a step is recorded decides no result.
        recording = importlib.import_module("bertsquad.certificate.recording")
        with recording.recorded():
            main()
            sys.stdout.flush()
    except KeyboardInterrupt:
        _leave(130)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_has_gone():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            _leave(GONE_STATUS)
        message = explain(error)
        if message is None:
            raise
        longest = getattr(error, "longest", LONGEST_LINE)
        print(one_line(f"{command}: error: {message}", longest), file=sys.stderr)
        _leave(USAGE_STATUS)
    _leave(0)


def _show_any_text() -> None:
    """Print what the terminal's encoding lacks as escapes: a result is no reason to fail."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _reader_has_gone() -> bool:
    """Whether standard output, and no other pipe, is the one that broke."""
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), select.POLLOUT)
    except (OSError, ValueError):  # no file, or closed
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def note(text: str, longest: int = LONGEST_LINE) -> None:
    """A warning or remark on stderr at once, which may quote what a file or a server says."""
    print(one_line(text, longest), file=sys.stderr, flush=True)


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """A text as one line that a terminal can show: spare white space gone, control characters as
    escapes, and the middle of a long one left out, since its ends name the file and what to do."""
    line = shown(" ".join(text.split()))
    if len(line) <= longest:
        return line
    end = longest * 2 // 5
    return f"{line[: longest - end - 3]} … {line[-end:]}"


def shown(text: str) -> str:
    """The text with control characters, which could rewrite a terminal, as escapes."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text.replace("\N{NO-BREAK SPACE}", " ")
    )


def explain(error: Exception) -> str | None:
    """The one line a user needs for this exception, or None for a bug in this project."""
    if isinstance(error, UserError):
        return one_line(str(error), sys.maxsize)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {error.filename}" if error.filename else ""
        return f"disk full{where}: free some space and run again; finished files are kept"
    if isinstance(error, OSError) and error.filename and error.errno is not None:
        # Of a file that cannot be renamed, the name that it was to get: that is the user's.
        return f"{error.filename2 or error.filename}: {error.strerror}"
    if isinstance(error, MemoryError) or _is_torch_out_of_memory(error):
        return (
            "out of memory: use a smaller batch size or token budget, or a machine with more memory"
        )
    return None


def _is_torch_out_of_memory(error: Exception) -> bool:
    """PyTorch's CPU allocator reports exhaustion as a plain RuntimeError."""
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
