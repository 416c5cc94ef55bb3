"""Upkeep: what a person does to a ledger as a whole. The programs know nothing of it."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from everytick.ledger import Ledger
from everytick.proof.seal import Prunes

KEYS: Mapping[str, tuple[str, ...]] = {
    "task": ("id",),
    "change": ("id",),
    "process": ("id",),
    "task_version": ("task_id", "version"),
    "cursor": ("task_id", "request"),
    "seal": ("task_id", "through"),
    "slot": ("task_id", "lane"),
    "attempt": ("task_id", "due_at", "request", "attempt", "holder", "outcome"),
    "output": ("task_id", "due_at", "request", "attempt"),
    "tick": ("task_id", "due_at", "request"),
}
"""The tables that a copy takes along, and their keys: the first columns of each row."""

Row = tuple[int | str | None, ...]
"""A row as it is copied: columns and values are alike in all stores."""

Place = tuple[int | str | None, ...]
"""How far a table was read: the key of the last row."""

Tally = Mapping[str, int]
"""What can be counted of a ledger, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """A copy that was begun and is not whole yet.

    Attributes:
        source: The tally of the ledger that is copied.
        places: How far each table was copied; None from the beginning.
    """

    source: Tally
    places: Mapping[str, Place | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRow:
    """A migration that this release knows, and whether the ledger has seen it.

    Attributes:
        name: Its name.
        after: Whether it waits until no older release runs any more.
        done: Whether it has run.
        release: The release that ran it; empty where nobody wrote that down.
    """

    name: str
    after: bool
    done: bool
    release: str


WENT_ON = (
    "the source has changed while it was copied: end whoever writes to it, delete the target, and begin anew"
)
"""Why a copy is not whole any more."""


class Editions(Protocol):
    """How a ledger is brought from one release to the next.

    Opening a ledger runs the migrations that only add something: the release before goes on beside them.

    Attributes:
        migrated: The migrations that opening it has run.
    """

    migrated: list[str]

    def migrations(self) -> list[MigrationRow]:
        """Return the migrations of this release, in their order."""
        ...

    def migrate(self) -> list[str]:
        """Run what waits until no older release runs any more; return the names of what ran."""
        ...


class Copies(Protocol):
    """How a whole ledger is taken to another place, page by page, whatever the stores of both are.

    From begin_copy() to end_copy() a ledger is a half copy: a mark in it keeps programs of this and of
    older releases from using it.
    """

    def tally(self) -> Tally:
        """Count the rows of each table and the ticks in each state, and what no two ledgers have alike."""
        ...

    def numbers(self) -> Mapping[str, int]:
        """Return the highest numbers that were ever given to a task, a change and a process."""
        ...

    def pages(self, table: str, behind: Place | None, limit: int) -> Generator[list[Row], None, None]:
        """Yield the rows of a table behind a place, so many at a time, in an order that all stores share.

        Ticks come in the order of time. Until the last page nothing else is asked of this ledger.
        """
        ...

    def copying(self) -> Copying | None:
        """Return the copy that was begun into this ledger; None where it is whole."""
        ...

    def begin_copy(self, source: Tally) -> None:
        """Mark this ledger, which is empty, as the half copy of another.

        Raises:
            LedgerError: It is not empty.
        """
        ...

    def put(self, table: str, rows: Sequence[Row], behind: Place | None) -> None:
        """Write a page, and how far the copy is; both are committed when it returns.

        Raises:
            LedgerError: The copy is not at that place: somebody else writes it, too.
        """
        ...

    def analyze(self) -> None:
        """Look at what the tables hold by now: statements may be planned by it."""
        ...

    def end_copy(self, numbers: Mapping[str, int]) -> None:
        """Take the mark away: the copy is whole. New numbers will be higher than these."""
        ...

    def move_to(self, successor: str, counted: Tally) -> None:
        """Mark this ledger as given up for another: programs of this and of older releases refuse it.

        It counts and marks at once. Who has opened it before, and writes later, is refused there: it joins
        no more, beats no more, changes nothing, and starts and ends no tick.

        Args:
            successor: The other's URL, as people may see it.
            counted: What is at the other.

        Raises:
            LedgerError: It is counted otherwise by now: it has gone on, and does so.
        """
        ...


class Store(Ledger, Editions, Copies, Prunes, Protocol):
    """A ledger, and all that is done to it as a whole."""

    def __enter__(self) -> Self:
        """Return itself; it is closed at the end."""
        ...
