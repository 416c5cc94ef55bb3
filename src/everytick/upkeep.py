"""Upkeep: what a person does to a ledger as a whole. The programs know nothing of it."""

from dataclasses import dataclass
from typing import Protocol, Self

from everytick.ledger import Ledger


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


class Editions(Protocol):
    """How a ledger is brought from one release to the next.

    Opening a ledger runs the migrations that only add something: the release before goes on beside them.
    """

    def migrations(self) -> list[MigrationRow]:
        """Return the migrations of this release, in their order."""
        ...

    def migrate(self) -> list[str]:
        """Run what waits until no older release runs any more; return the names of what ran."""
        ...


class Store(Ledger, Editions, Protocol):
    """A ledger, and all that is done to it as a whole."""

    def __enter__(self) -> Self:
        """Return itself; it is closed at the end."""
        ...
