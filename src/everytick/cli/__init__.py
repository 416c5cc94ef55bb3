"""The command line: `everytick`.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration, 130 ended by Ctrl-C.
"""

import sys

from everytick.cli.commands import application
from everytick.errors import EverytickError, FeedError

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name."""
    try:
        application()
    except FeedError as fault:
        sys.exit(_told(fault, 1))
    except EverytickError as fault:
        sys.exit(_told(fault, 2))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _told(fault: EverytickError, code: int) -> int:
    sys.stderr.write(f"everytick: {fault}\n")
    return code
