"""One command's session: which ledger, which zone, who acts, and how it ends."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from everytick.app import CONFIG, Everytick, find_app, open_ledger
from everytick.clock import SystemClock
from everytick.config import load
from everytick.edits import Author, Edits
from everytick.errors import UsageError
from everytick.ledger import Ledger
from everytick.settings import duration
from everytick.versions import Versions
from everytick.when import Instant, instant_of
from everytick.when.walltime import zone_named

LedgerOption = Annotated[
    str,
    typer.Option(
        "--ledger",
        "-l",
        metavar="URL",
        envvar="EVERYTICK_LEDGER",
        help="The ledger, such as sqlite:///file.db.",
    ),
]
AppOption = Annotated[
    str, typer.Option("--app", "-a", metavar="APP", help="A .toml file, a .py file, or module:app.")
]
AppArgument = Annotated[
    str,
    typer.Argument(
        metavar="[APP]", help="A .toml file, a .py file, or module:app; everytick.toml by default."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines: one JSON value.")]
NoteOption = Annotated[str, typer.Option("--note", "-m", help="Why; kept with the change.")]
ZoneOption = Annotated[
    str, typer.Option("--zone", "-z", help="The zone of times that name none, such as Europe/Berlin.")
]


class Session:
    """An open ledger and what commands do with it.

    Args:
        ledger: The ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.clock = SystemClock()
        self.versions = Versions(ledger)
        self.edits = Edits(ledger, self.versions)

    def now(self) -> Instant:
        """Return the moment."""
        return self.clock.now()


@contextmanager
def session(ledger: str, app: str = "") -> Iterator[Session]:
    """Open the ledger that the options, the environment or the configuration name.

    Raises:
        UsageError: None of them names one, or it is not there.
    """
    url = ledger or ledger_of(app)
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path and not Path(path).exists():
        raise UsageError(f"there is no ledger at {path}; everytick up or everytick apply makes it")
    with open_ledger(url) as opened:
        yield Session(opened)


def ledger_of(app: str) -> str:
    """Return the URL of the ledger that an app, or everytick.toml of this folder, names."""
    if not app and not Path(CONFIG).exists():
        raise UsageError(
            f"name the ledger: --ledger sqlite:///file.db, --app APP, or a {CONFIG} in this folder"
        )
    return load(Path(app or CONFIG)).ledger if (app or CONFIG).endswith(".toml") else find_app(app).ledger


def the_app(place: str) -> Everytick:
    """Return the tasks that an argument names; everytick.toml of this folder by default."""
    if not place and not Path(CONFIG).exists():
        raise UsageError(f"name the tasks: a .toml file, a .py file or module:app; there is no {CONFIG} here")
    return find_app(place or CONFIG)


def author(note: str) -> Author:
    """Return who is at the keyboard, and why."""
    try:
        name = os.environ.get("EVERYTICK_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Author(actor=name, note=note)


def moment(text: str, zone: str, now: Instant, *, past: bool = False) -> Instant:
    """Read a moment: an RFC 3339 time, ``now``, or a duration from now (``2h``).

    Args:
        text: What was typed.
        zone: The zone of a time that names none.
        now: The moment.
        past: A duration is counted back.

    Raises:
        UsageError: It is none of these, or a time without a zone.
    """
    if text == "now":
        return now
    if text[:1].isdigit() and text[-1:].isalpha() and text[-1:] != "Z":
        return now - duration(text) if past else now + duration(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"'{text}' is no time; write 2026-11-21T06:00:00Z, or a duration such as 2h"
        ) from None
    if found.tzinfo is None:
        if not zone:
            raise UsageError(f"'{text}' names no zone; put Z or an offset behind it, or give --zone")
        found = found.replace(tzinfo=ZoneInfo(zone_named(zone).name))
    return instant_of(found)
