"""The live view of `up`: what is due next, what ran, what the lists gained and lost.

On a terminal it is one screen, drawn again each second; elsewhere a line for each tick that ended. It reads
through a connection of its own and can only look; while the ledger is away it waits, as the programs do.
"""

import sys
import threading
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from everytick.app import open_ledger
from everytick.cli import present, tables
from everytick.cli.lists import Lists, still_served
from everytick.cli.verdict import complaint
from everytick.clock import SystemClock
from everytick.errors import EverytickError, LedgerError, UsageError
from everytick.feeds.tasks import REFRESH
from everytick.ledger import Ledger, TickFilter, VersionRow
from everytick.plan import Status, Version
from everytick.tick import SECOND, TERMINAL, Reason, State, TickRow, rfc3339, tick_name
from everytick.versions import revived
from everytick.when import Instant

_PERIOD = 1.0
_NEXT = 6
_RECENT = 12
_LEAST = 3
_HEADING = 1
_SPARE = 1
"""The cursor's line, below the last one."""
_READ = 200
_RUNNING = "Ctrl-C ends it."
_ENDING = "Ending: what runs may finish first. Ctrl-C again ends it at once."


class View:
    """A thread that shows what the ledger says.

    Args:
        url: The ledger.
        data: The folder of the feeds' lists.
        ending: Set when the programs were told to stop, and wait for what still runs.
    """

    def __init__(self, url: str, data: Path, ending: threading.Event) -> None:
        self._url = url
        self._data = data
        self._ending = ending
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="view", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Show what happened to the end, then stop."""
        self._over.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            with open_ledger(self._url) as ledger:
                screen = _Screen(ledger, self._data)
                if sys.stdout.isatty():
                    self._live(screen)
                else:
                    self._lines(screen)
        except (EverytickError, OSError) as fault:  # OSError: nobody reads any more
            sys.stderr.write(f"the live view ended, the programs go on: {fault}\n")

    def _live(self, screen: "_Screen") -> None:
        with Live(console=Console(markup=False, emoji=False), auto_refresh=False, transient=False) as live:
            over = False
            drawn: RenderableType = ""
            while not over:
                over = self._over.wait(_PERIOD)
                foot = _ENDING if self._ending.is_set() and not over else "" if over else _RUNNING
                try:
                    shown = drawn = screen.draw(live.console, foot)
                except LedgerError as fault:
                    shown = Group(drawn, Text(f"as it was before the ledger was away: {fault}", style="red"))
                live.update(shown, refresh=True)

    def _lines(self, screen: "_Screen") -> None:
        over = False
        while not over:
            over = self._over.wait(_PERIOD)
            with suppress(LedgerError):  # the programs tell of it
                for line in screen.news():
                    sys.stdout.write(line + "\n")
            sys.stdout.flush()


class _Screen:
    """What there is to see, read from the ledger."""

    def __init__(self, ledger: Ledger, data: Path) -> None:
        self._ledger = ledger
        self._clock = SystemClock()
        self._data = data
        self._seen: set[object] = set()
        self._begun = self._clock.now()
        self._tasks: list[tuple[str, Version]] = []
        self._paused = 0
        self._edited: int | None = None

    def news(self) -> list[str]:
        """Return a line for each tick that has ended since the last call."""
        now = self._clock.now()
        self._read_tasks()
        rows = self._ledger.ticks(
            TickFilter(states=tuple(TERMINAL), since=self._begun - 3600 * SECOND, until=now, limit=500)
        )
        fresh = [row for row in rows if row.key not in self._seen and (row.ended_at or 0) >= self._begun]
        lines = [self._line(row) for row in reversed(fresh)]
        self._seen = {row.key for row in rows}
        return lines

    def _line(self, row: TickRow) -> str:
        said = self._said(row)
        if row.state is State.FAILED and row.task in self._feeds():
            served = still_served(self._data, row.task, self._clock.now())
            said = "; ".join(part for part in (said, served) if part)
        more = f" and {row.count - 1} more" if row.count > 1 else ""
        name = tick_name(row.task, row.key.due_at, row.key.request) + more
        ended = rfc3339((row.ended_at or 0) // SECOND * SECOND)
        return f"{ended}  {name}  {present.outcome(row)}  {said}".rstrip()

    def _said(self, row: TickRow) -> str:
        if row.state is State.FAILED:
            return complaint((self._ledger.output(row.key, row.attempt)[0] or "").partition("\n")[0])
        return present.said(row)

    def draw(self, console: Console, foot: str) -> Group:
        """Return the screen, with a line at its foot; what ran gets the room that the rest leaves."""
        now = self._clock.now()
        self._read_tasks()
        lists = Lists(self._data, self._feeds(), now).draw(console.width)
        above: list[RenderableType] = [self._header(now), self._next(now), Text("")]
        below: list[RenderableType] = [Text(""), *lists] if lists else []
        below.append(Text(foot, style="dim"))
        taken = sum(len(console.render_lines(part, pad=False)) for part in (*above, *below))
        room = console.height - taken - _HEADING - _SPARE
        states = (*TERMINAL, State.RUNNING)
        recent = self._ledger.ticks(TickFilter(states=states, until=now, limit=_READ))
        return Group(*above, self._ran(_alike(recent)[: max(_LEAST, min(_RECENT, room))], now), *below)

    def _read_tasks(self) -> None:
        hint = self._ledger.hint()
        if hint == self._edited and self._tasks:
            return
        every = list(self._ledger.tasks())
        self._paused = sum(row.newest.status is Status.PAUSED for row in every)
        rows = [row for row in every if row.newest.status is Status.ACTIVE]
        self._tasks = [(row.newest.name, version) for row in rows if (version := _readable(row.newest))]
        self._edited = hint

    def _header(self, now: Instant) -> Text:
        return Text.assemble(
            ("Everytick", "bold"),
            f"  {rfc3339(now // SECOND * SECOND)}  ",
            (present.many(len(self._tasks), "task"), "dim"),
            (f" and {self._paused} paused" if self._paused else "", "yellow"),
            "  ",
            (present.many(len(self._ledger.processes()), "process", "processes"), "dim"),
        )

    def _next(self, now: Instant) -> Table:
        made = tables.table("due next", "task", "schedule")
        due = [
            (instant, name, version)
            for name, version in self._tasks
            if (instant := version.schedule.instant_after(max(now, version.since))) is not None
        ]
        for instant, name, version in sorted(due, key=lambda one: one[0])[:_NEXT]:
            made.add_row(present.ago(instant, now), name, str(version.task.schedule))
        return made

    def _ran(self, groups: list[list[TickRow]], now: Instant) -> Table:
        made = tables.table(
            "ran", "task", "state", "late", "took", "said", right=("late", "took"), clip=("said",)
        )
        for alike in groups:
            row, count = alike[0], sum(one.count for one in alike)
            made.add_row(
                present.ago(row.started_at or row.ended_at or now, now),
                row.task + (f" and {count - 1} more" if count > 1 else ""),
                tables.styled(row.state.value, _state(row)),
                present.late(row),
                present.took(row),
                tables.clipped(self._said(row) or (row.reason.value if row.reason else "")),
            )
        return made

    def _feeds(self) -> list[str]:
        return [name for name, version in self._tasks if getattr(version.task.work, "call", "") == REFRESH]


def _state(row: TickRow) -> str:
    """Return a tick's state, with its reason where what is said of it does not tell that."""
    told = row.reason is Reason.ERROR or row.state is State.SKIPPED
    return row.state.value if told else present.outcome(row)


def _alike(rows: list[TickRow]) -> list[list[TickRow]]:
    """Put neighbours that were skipped for one reason together."""
    return [list(group) for _, group in groupby(rows, key=_likeness)]


def _likeness(row: TickRow) -> object:
    return (row.task, row.reason) if row.state is State.SKIPPED else row.key


def _readable(row: VersionRow) -> Version | None:
    """Return a version, or None where nobody can read it: the log tells of such a task."""
    try:
        return revived(row)
    except UsageError:
        return None
