"""What two states of a list differ in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """The keys that differ between two lists; each series is sorted.

    Attributes:
        added: Only in the later list.
        removed: Only in the earlier list.
        changed: In both, with a difference in a column that counts.
    """

    added: pl.Series
    removed: pl.Series
    changed: pl.Series

    @property
    def frame(self) -> pl.DataFrame:
        """All of them, by key: ``key`` and ``kind``."""
        kinds = {"added": self.added, "removed": self.removed, "changed": self.changed}
        parts = [pl.DataFrame({"key": keys}).with_columns(kind=pl.lit(kind)) for kind, keys in kinds.items()]
        return pl.concat(parts).sort("key")


def difference(
    before: pl.DataFrame, after: pl.DataFrame, *, key: str, identity: Sequence[str] | None = None
) -> Difference:
    """Return what differs between two lists.

    Args:
        before: The earlier list; text columns without nulls, each key once, sorted by key.
        after: The later list, of the same kind.
        key: The column that names a row.
        identity: The columns that count; None for all. A column that only one list has is passed over.
    """
    counting = [name for name in after.columns if name in before.columns and name != key]
    if identity is not None:
        counting = [name for name in counting if name in identity]
    return Difference(
        added=_keys(after.join(before, on=key, how="anti"), key),
        removed=_keys(before.join(after, on=key, how="anti"), key),
        changed=_changed(before, after, key, counting),
    )


def first(after: pl.DataFrame, *, key: str) -> Difference:
    """Return what the first list ever differs in from none: every key is added."""
    keys = after.get_column(key)
    return Difference(added=keys, removed=keys.clear(), changed=keys.clear())


def none() -> Difference:
    """Return what equal lists differ in."""
    keys = pl.Series("key", dtype=pl.String)
    return Difference(added=keys, removed=keys, changed=keys)


def _changed(before: pl.DataFrame, after: pl.DataFrame, key: str, counting: Sequence[str]) -> pl.Series:
    if not counting:
        return after.get_column(key).clear()
    both = after.select(key, *counting).join(
        before.select(key, *counting), on=key, how="inner", suffix="\0before"
    )
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}\0before") for name in counting)
    return _keys(both.filter(differs), key)


def _keys(frame: pl.DataFrame, key: str) -> pl.Series:
    return frame.get_column(key).sort()
