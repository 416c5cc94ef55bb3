"""How far a refresh has come, told to whoever waits for it."""

from typing import Protocol


class Progress(Protocol):
    """Hears what a refresh does."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin the next stage.

        Args:
            name: In a word or two, for people.
            total: How much there is to do, in bytes; None where nobody knows.
        """
        ...

    def advance(self, amount: int) -> None:
        """Say that so much more of the stage is done."""
        ...


class Silent:
    """Hears everything and tells nobody."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, amount: int) -> None:
        """Do nothing."""


SILENT = Silent()
"""Where nobody listens."""
