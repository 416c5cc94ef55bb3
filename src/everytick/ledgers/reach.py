"""How far a half copy is, as the ledger that becomes the copy writes it down."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from everytick.upkeep import KEYS, Copying, Place, Row, Tally

SOURCE = "source"
"""The part that tells which ledger is copied; each of the others is a table."""

_LOWEST = -(2**63)
_TEXTS = {"outcome"}


def begun(source: Tally) -> list[dict[str, str]]:
    """Return the rows that a copy begins with."""
    told = {SOURCE: _text(source)} | dict.fromkeys(KEYS, _text(None))
    return [{"part": part, "reach": reach} for part, reach in told.items()]


def copying(rows: Iterable[tuple[str, str]]) -> Copying:
    """Read the rows of a copy."""
    told = {part: json.loads(reach) for part, reach in rows}
    places = {table: None if told[table] is None else tuple(told[table]) for table in KEYS}
    return Copying(source=told[SOURCE], places=places)


def moved(table: str, rows: Sequence[Row], behind: Place | None) -> dict[str, str]:
    """Return the parameters of move_copy."""
    last = rows[-1][: len(KEYS[table])]
    return {"part": table, "reach": _text(last), "was": _text(behind)}


def moved_to(ledger: str, successor: str) -> str:
    """Return why a ledger that was given up for its copy is refused."""
    return (
        f"{ledger}: this ledger was given up, its tasks went on at {successor}: name that one. To go on with "
        f"what stands here all the same, make a new ledger of it: everytick ledger copy {ledger} TARGET"
    )


def bound(table: str, behind: Place | None) -> Mapping[str, Any]:
    """Return the parameters of a page that name the place it begins behind."""
    names = KEYS[table]
    lowest = tuple("" if name in _TEXTS else _LOWEST for name in names)
    return dict(zip(names, lowest if behind is None else behind, strict=True))


def _text(told: Tally | Place | None) -> str:
    return json.dumps(told if told is None or isinstance(told, tuple) else dict(told), sort_keys=True)
