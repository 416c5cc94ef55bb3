"""A progress bar for long work: on standard error, and only where a person looks on."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[float, float], None]
"""Told how much is done, of how much."""


def watched() -> bool:
    """Tell whether standard error is a terminal that can draw a line anew."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def progress(what: str, *, long: bool = True) -> Iterator[Progress]:
    """Show a bar while something goes on; it is gone when that is done.

    Args:
        what: What goes on, in a word or two.
        long: Whether it takes long enough to look on.
    """
    if not (long and watched()):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        line = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(line, completed=done, total=total)
