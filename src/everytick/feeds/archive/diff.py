"""What two states of a list differ in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

_BEFORE = "\0before"

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
    before: pl.LazyFrame,
    after: pl.LazyFrame,
    *,
    key: str,
    was: str | None = None,
    identity: Sequence[str] | None = None,
) -> Difference:
    """Return what differs between two lists.

    Args:
        before: The earlier list; text columns without nulls, each key once, sorted by key.
        after: The later list, of the same kind.
        key: The column that names a row.
        was: The one that named a row of the earlier list, where it is another; it is compared with ``key``.
        identity: The columns that count; None for all. A column that only one list has is passed over.
    """
    if was not in {None, key}:
        before = before.select(pl.col(was).alias(key), pl.exclude(was, key))
    known = before.collect_schema().names()
    both = [name for name in after.collect_schema().names() if name in known and name != key]
    counting = both if identity is None else [name for name in both if name in identity]
    old, older = f"{key}{_BEFORE}", [(name, f"{name}{_BEFORE}") for name in counting]
    new, gone = pl.col(old).is_null(), pl.col(key).is_null()
    changed = pl.any_horizontal(pl.lit(value=False), *(pl.col(name) != pl.col(was) for name, was in older))
    differs = (
        after.select(pl.col(key).set_sorted(), *counting)
        .join(
            before.select(pl.col(key).set_sorted(), *counting),
            on=key,
            how="full",
            suffix=_BEFORE,
            coalesce=False,
        )
        .filter(new | gone | changed)
        .select(key, old)
        .collect(engine="streaming")
    )
    return Difference(
        added=differs.filter(new).get_column(key).sort(),
        removed=differs.filter(gone).get_column(old).alias(key).sort(),
        changed=differs.filter(~(new | gone)).get_column(key).sort(),
    )


def first(after: pl.LazyFrame, *, key: str) -> Difference:
    """Return what the first list ever differs in from none: every key is added."""
    keys = after.select(key).collect().get_column(key)
    return Difference(added=keys, removed=keys.clear(), changed=keys.clear())


def none() -> Difference:
    """Return what equal lists differ in."""
    keys = pl.Series("key", dtype=pl.String)
    return Difference(added=keys, removed=keys, changed=keys)
