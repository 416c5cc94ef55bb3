"""Rows that were left out of a list, each with its line and the reason, kept by what arrived."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from everytick.errors import UnknownName
from everytick.feeds.archive import content
from everytick.feeds.archive.folder import Archive

FIRST = 1_000
"""How many rows are returned unless more are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that was left out.

    Attributes:
        line: Its line in what arrived, counted from 1; None where it has none.
        key: Its key, as it stands there.
        reason: Why.
        row: All of it, as a JSON object.
    """

    line: int | None
    key: str
    reason: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """The rows that were left out of one download.

    Attributes:
        raw_sha256: The download.
        total: How many rows there are.
        reasons: How many by reason, the most frequent first.
        rows: The first of them, by line.
    """

    raw_sha256: str
    total: int
    reasons: tuple[tuple[str, int], ...]
    rows: tuple[Row, ...]


def quarantined(data: Path, name: str, raw_sha256: str = "", *, limit: int = FIRST) -> Quarantine:
    """Return the rows that were left out of a list.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        raw_sha256: Which download, by the start of its digest; the newest that was read if empty.
        limit: How many rows to return at most; all are counted.

    Raises:
        UnknownName: The feed was never refreshed, or nothing was read from such a download.
        FeedError: A file of its archive is damaged.
    """
    archive = Archive(data, name).known()
    read = (entry.raw_sha256 for entry in archive.entries() if entry.digest)
    wanted = next((each for each in read if each.startswith(raw_sha256)), None)
    if wanted is None:
        which = f" {raw_sha256}" if raw_sha256 else ""
        raise UnknownName(f"feed '{name}' has read no download{which} yet")
    path = archive.quarantine(wanted)
    if not path.exists():
        return Quarantine(raw_sha256=wanted, total=0, reasons=(), rows=())
    frame = content.read(path)
    reasons = frame.group_by("reason").len().sort("len", "reason", descending=[True, False])
    return Quarantine(
        raw_sha256=wanted,
        total=frame.height,
        reasons=tuple(reasons.iter_rows()),
        rows=tuple(Row(**row) for row in frame.sort(pl.col("line")).head(limit).iter_rows(named=True)),
    )
