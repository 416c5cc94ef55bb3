"""What the newest accepted snapshot gained and lost against the one before."""

from dataclasses import asdict
from pathlib import Path

import polars as pl

from everytick.errors import UnknownName
from everytick.feeds import content
from everytick.feeds.archive import Archive, Snapshot
from everytick.feeds.diff import difference


def changes(data: Path, name: str) -> dict[str, list[str] | int]:
    """Return ``added``, ``removed`` and ``changed`` (sorted lists of keys) and ``snapshot``, its number.

    Of the first snapshot every key is added.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.

    Raises:
        UnknownName: The feed has no accepted snapshot.
        FeedError: A file of its archive is damaged.
    """
    archive = Archive(data, name)
    sequences = archive.sequences()
    if not sequences:
        raise UnknownName(f"feed '{name}' has no accepted snapshot yet")
    newest = archive.snapshot(sequences[-1])
    after = _frame(archive, newest)
    before = after.clear()
    if len(sequences) > 1:
        last = archive.snapshot(sequences[-2])
        before = _frame(archive, last).rename({last.key: newest.key})
    differs = difference(before, after, key=newest.key, identity=newest.identity)
    lists = {kind: list(keys) for kind, keys in asdict(differs).items()}
    return {**lists, "snapshot": newest.sequence}


def _frame(archive: Archive, snapshot: Snapshot) -> pl.DataFrame:
    return content.from_parquet(archive.content(snapshot), snapshot.digest)
