"""The command line: `everytick`.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration, 130 ended by Ctrl-C, 141 nobody reads
the answer to its end (`| head -1`).
"""

import os
import sys
from pathlib import Path

from everytick.cli.commands import application
from everytick.errors import EverytickError, FeedError

__all__ = ["main"]

_UNREAD = 141


def main() -> None:
    """Run the command that the arguments name."""
    if sys.stdout is None:  # started with a closed output
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    try:
        application()
        code = 0
    except SystemExit as end:
        code = _UNREAD if isinstance(end.__context__, BrokenPipeError) else _number(end.code)
    except FeedError as fault:
        code = _told(str(fault), 1)
    except EverytickError as fault:
        code = _told(str(fault), 2)
    except OSError as fault:  # a full disk, a folder that is gone: the machine's trouble, in its own words
        code = _told(": ".join(part for part in (str(fault.filename or ""), fault.strerror) if part), 2)
    sys.exit(_written(code))


def _number(code: object) -> int:
    return code if isinstance(code, int) else 0 if code is None else 2


def _told(fault: str, code: int) -> int:
    sys.stderr.write(f"everytick: {fault}\n")
    return code


def _written(code: int) -> int:
    """Write what still waits to be written; return the exit code, which tells if that failed."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _UNREAD
    except OSError as fault:
        code = _told(f"the answer cannot be written: {fault.strerror}", 2)
    else:
        return code
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
