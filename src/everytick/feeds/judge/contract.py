"""How the columns of a list differ from those that were agreed: the last good list's."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from everytick.feeds.extract.names import canonical
from everytick.feeds.feed import Feed, Response

Kind = Literal["unknown", "moved", "missing"]

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One way in which the columns differ.

    Attributes:
        kind: ``unknown``: there are new ones. ``moved``: some stand in another order than before.
            ``missing``: some are gone.
        columns: Which ones.
        response: What the feed says is to become of the list.
        words: What happened, for people.
    """

    kind: Kind
    columns: tuple[str, ...]
    response: Response
    words: str


def compare(names: Sequence[str], before: Sequence[str] | None, feed: Feed) -> list[Event]:
    """Return how a list's columns differ from those of the last good list.

    A column that is new or gone moves no other. Where the feed names the columns to keep, no other one is
    missed. Nor is the key: a list without its key column is no list, whatever the feed says.

    Args:
        names: The source's columns in their order: ``Extracted.names``.
        before: Those of the last good list; None for the first list ever, which can only lack columns that
            the feed names.
        feed: Which columns it keeps, by which names, and its responses.
    """
    found, known = _each(names), _each(names if before is None else canonical(before, feed))
    wanted = known if feed.columns is None else feed.columns
    differences: tuple[tuple[Kind, list[str], Response, str], ...] = (
        ("unknown", [name for name in found if name not in known], feed.unknown_columns, "new"),
        ("moved", _moved(found, known), feed.moved_columns, "in another place"),
        (
            "missing",
            [name for name in wanted if name not in (*found, feed.key)],
            feed.missing_columns,
            "gone",
        ),
    )
    return [
        Event(kind=kind, columns=tuple(columns), response=response, words=_words(columns, what))
        for kind, columns, response, what in differences
        if columns
    ]


def _each(names: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]


def _moved(found: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the columns that do not stand where they did among those that both lists have."""
    after = [name for name in found if name in known]
    before = [name for name in known if name in found]
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    stayed = {name for block in blocks for name in after[block.b : block.b + block.size]}
    return [name for name in after if name not in stayed]


def _words(columns: Sequence[str], what: str) -> str:
    shown = ", ".join(repr(name if len(name) <= 60 else name[:57] + "...") for name in columns[:_SHOWN])
    rest = f" and {len(columns) - _SHOWN:,} more" if len(columns) > _SHOWN else ""
    return f"columns {shown}{rest} are {what}" if len(columns) > 1 else f"column {shown} is {what}"
