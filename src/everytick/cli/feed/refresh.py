"""The command that refreshes a feed here and now, with bars that show how far it has come."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from everytick.cli import present
from everytick.cli.feed.chosen import Chosen, FeedArgument, chosen
from everytick.cli.feed.next import after_refusal
from everytick.cli.options import AppOption, JsonOption
from everytick.cli.progress import watched
from everytick.cli.verdict import plain, refreshed, sentence
from everytick.clock import SystemClock
from everytick.errors import FeedError
from everytick.feeds.archive.journal import Entry
from everytick.feeds.ask.show import show
from everytick.feeds.progress import SILENT, Progress


def refresh(feed: FeedArgument, app: AppOption = "", *, as_json: JsonOption = False) -> None:
    """Download a list now, and publish it if it is one to believe.

    Exit code 1 where it is not: the last good list stays published.
    """
    from everytick.feeds.refresh import refresh as run

    which, now = chosen(app, feed), SystemClock().now()
    try:
        with _bars() as progress:
            done = run(which.feed, which.data, moment=now, zone=which.zone.key, progress=progress)
    except FeedError as fault:
        _refused(which, now, fault, as_json=as_json)
    else:
        if as_json:
            present.write_json(done.summary())
            return
        present.write(f"{feed}: {refreshed(done.summary())}")
        for warning in done.warnings:
            present.write(f"  warning: {plain(warning)}")
        if done.invalid or done.repeated:
            left = f"{done.invalid:,} invalid, {done.repeated:,} repeated"
            present.write(f"  left out: {left}; everytick feed quarantine {feed} shows them")


def _refused(which: Chosen, now: int, fault: FeedError, *, as_json: bool) -> None:
    """Tell what a refresh came to that published nothing, and end with exit code 1."""
    from everytick.cli import tables

    found = show(which.data, which.name)
    entry = found.last
    if entry is None or entry.at != now or entry.good:  # it ended before it could begin
        raise fault
    if as_json:
        present.write_json(_as_values(entry, found.snapshot.sequence if found.snapshot else None))
        raise typer.Exit(1)
    told = [
        tables.paragraph(f"{which.name}: {sentence(entry)}", rest="  "),
        *(tables.paragraph(plain(reason), "  - ") for reason in entry.reasons),
        *(tables.paragraph(line, rest="  ") for line in after_refusal(found, now)),
    ]
    sys.stderr.writelines(f"{text.plain}\n" for text in told)
    raise typer.Exit(1)


def _as_values(entry: Entry, current: int | None) -> dict[str, object]:
    return {
        "verdict": entry.act,
        "error": entry.kind,
        "reasons": list(entry.reasons),
        "arrived": entry.arrived,
        "as_of": entry.as_of and entry.as_of.isoformat(),
        "rows": entry.rows,
        "added": entry.added,
        "removed": entry.removed,
        "changed": entry.changed,
        "invalid": entry.invalid,
        "repeated": entry.repeated,
        "snapshot": current,
        "warnings": list(entry.warnings),
    }


@contextmanager
def _bars() -> Iterator[Progress]:
    """Show a bar for each stage, on standard error and where a person looks on; they are gone at the end."""
    if not watched():
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[size]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Stages(bars)


class _Stages:
    """Draws the stages of a refresh, one below the other.

    Args:
        bars: Rich's bars.
    """

    def __init__(self, bars: Any) -> None:  # noqa: ANN401 - rich is loaded only where it draws
        self._bars = bars
        self._name = ""
        self._now: Any = None
        self._done = 0

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin the next stage, or learn how much there is to do in this one."""
        if name == self._name:
            self._bars.reset(self._now, total=total)
            self._done = 0
            return
        if self._now is not None:
            self._bars.update(self._now, total=self._done or 1, completed=self._done or 1)
        self._name, self._now = name, self._bars.add_task(name, total=total, size="")
        self._done = 0

    def advance(self, amount: int) -> None:
        """Draw so much more of it."""
        self._done += amount
        self._bars.update(self._now, completed=self._done, size=f"{self._done / 1e6:.1f} MB")
