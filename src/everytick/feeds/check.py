"""Which rows of a list are good; the others go to quarantine, each with its reason.

No row is dropped: good rows, rows in quarantine and rows without any key are all there were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import polars as pl

from everytick.feeds import prefix
from everytick.feeds.feed import Feed
from everytick.feeds.isin import are_isins

_EXAMPLES = 20
_QUARANTINE = {"line": pl.UInt32, "key": pl.String, "reason": pl.String, "row": pl.String}


class Extracted(Protocol):
    """What check needs of a list that was read."""

    @property
    def frame(self) -> pl.DataFrame:
        """All rows: texts without nulls, the key column first."""
        ...

    @property
    def as_of(self) -> date | None:
        """The day the list is of, where it says so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefixes:
    """The good keys whose prefixes have the same verdict.

    Attributes:
        count: How many keys.
        examples: A few of them.
    """

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A list, its rows told apart.

    Attributes:
        frame: The good rows, sorted by key; each key once.
        quarantine: The others, by line: ``line`` where the row begins, counted from 1; ``key``; ``reason``;
            ``row``, its values as a JSON object.
        invalid: Rows in quarantine because their key is no good, or because they could not be read.
        invalid_keys: A few of their keys.
        invalid_examples: The same with line and reason, for people.
        repeated: Rows in quarantine because their key stood in a row before.
        repeated_keys: A few of their keys.
        repeated_examples: The same with line and reason, for people.
        prefixes: The good keys by what their prefix stands for; empty where keys are no ISINs.
    """

    frame: pl.DataFrame
    quarantine: pl.DataFrame
    invalid: int
    invalid_keys: tuple[str, ...]
    invalid_examples: tuple[str, ...]
    repeated: int
    repeated_keys: tuple[str, ...]
    repeated_examples: tuple[str, ...]
    prefixes: Mapping[prefix.Verdict, Prefixes]

    def warnings(self) -> tuple[str, ...]:
        """Say which keys have a prefix that is no country's; a reason to look, not to drop them."""
        return ()


def check(extracted: Extracted, feed: Feed) -> Checked:
    """Tell good rows from the others.

    A key must not be empty, must be what the feed's ``check`` says, and must not repeat one of a good row
    before it.

    Args:
        extracted: The list as it was read.
        feed: What its keys must be.
    """
    key = feed.key
    frame = extracted.frame.with_row_index("\0line", offset=2)
    keys = frame.get_column(key)
    valid = are_isins(keys) if feed.check == "isin" else keys != ""
    good, bad = frame.filter(valid), frame.filter(~valid)
    first = good.get_column(key).is_first_distinct()
    again = good.filter(~first)
    quarantine = pl.concat(
        [_quarantined(bad, key, "no valid key"), _quarantined(again, key, "repeats a key")]
    ).sort("line")
    return Checked(
        frame=good.filter(first).drop("\0line").sort(key),
        quarantine=quarantine,
        invalid=bad.height,
        invalid_keys=_few(bad.get_column(key)),
        invalid_examples=_few(bad.get_column(key)),
        repeated=again.height,
        repeated_keys=_few(again.get_column(key)),
        repeated_examples=_few(again.get_column(key)),
        prefixes={},
    )


def _quarantined(rows: pl.DataFrame, key: str, reason: str) -> pl.DataFrame:
    return rows.select(
        pl.col("\0line").alias("line"),
        pl.col(key).alias("key"),
        pl.lit(reason).alias("reason"),
        pl.struct(pl.exclude("\0line")).struct.json_encode().alias("row"),
    ).cast(pl.Schema(_QUARANTINE))


def _few(keys: pl.Series) -> tuple[str, ...]:
    return tuple(keys.head(_EXAMPLES))
