"""What two states of a list differ in."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The keys that differ between two lists; each tuple is sorted.

    Attributes:
        added: Only in the later list.
        removed: Only in the earlier list.
        changed: In both, with a difference in a column that counts.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def difference(
    before: pl.DataFrame, after: pl.DataFrame, *, key: str, identity: Sequence[str] | None = None
) -> Difference:
    """Return what differs between two lists.

    Args:
        before: The earlier list; text columns without nulls, each key once.
        after: The later list, of the same kind.
        key: The column that names a row.
        identity: The columns that count; None for all. A column that only one list has is passed over.
    """
    counting = [name for name in after.columns if name in before.columns and name != key]
    if identity is not None:
        counting = [name for name in counting if name in identity]
    both = after.join(before, on=key, how="inner", suffix="\0before")
    differs = pl.any_horizontal(
        pl.lit(False), *(pl.col(name) != pl.col(f"{name}\0before") for name in counting)
    )
    return Difference(
        added=_keys(after.join(before, on=key, how="anti"), key),
        removed=_keys(before.join(after, on=key, how="anti"), key),
        changed=_keys(both.filter(differs), key),
    )


def _keys(frame: pl.DataFrame, key: str) -> tuple[str, ...]:
    return tuple(frame.get_column(key).sort())
