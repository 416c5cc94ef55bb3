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
def progress(
    what: str, *, long: bool = True, of: str = "", first: int = 0, instead: str = ""
) -> Iterator[Progress]:
    """Show a bar while something goes on; it is gone when that is done.

    Args:
        what: What goes on, in a word or two.
        long: Whether it takes long enough to look on.
        of: What is counted: then the bar also shows how much of it is done, and how quickly.
        first: How much was done before.
        instead: What to say, once it goes on, where no bar is drawn.
    """
    if not (long and watched()):
        words = [instead] if instead else []

        def say(done: float, total: float) -> None:
            del done, total
            while words:
                sys.stderr.write(f"{words.pop()}\n")

        yield say
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TextColumn

    console = Console(stderr=True)
    counted = [TextColumn("{task.fields[counted]}")] if of else []
    with Bars(*Bars.get_default_columns(), *counted, console=console, transient=True) as bars:
        line = bars.add_task(what, total=None, completed=first, counted="")

        def tell(done: float, total: float) -> None:
            rate = (done - first) / max(bars.tasks[0].elapsed or 0, 0.1)
            bars.update(line, completed=done, total=total, counted=f"{done:,.0f} {of}, {rate:,.0f}/s")

        yield tell
