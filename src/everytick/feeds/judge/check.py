"""Which rows of a list are good; the others go to quarantine, each with its line and its reason.

No row is dropped: good rows, rows in quarantine and rows without any key are all that arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from everytick.feeds.extract import Extracted
from everytick.feeds.feed import Feed
from everytick.feeds.isin import are_isins, faults
from everytick.feeds.judge import prefix

_EXAMPLES = 20
_QUARANTINE = pl.Schema({"line": pl.UInt32, "key": pl.String, "reason": pl.String, "row": pl.String})
_PLACE = "\0place"
"""A row's place in the source, beside its columns; no source can have a column of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefixes:
    """The good keys whose prefixes have the same verdict.

    Attributes:
        count: How many keys.
        prefixes: Each prefix with how many of the keys have it, the most frequent first.
        examples: A few of the keys, one of each of the most frequent prefixes.
    """

    count: int
    prefixes: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A list, its rows told apart.

    Attributes:
        frame: The good rows, sorted by key; each key once.
        quarantine: The others, by line: ``line`` where the row begins, counted from 1; ``key``, empty where
            the row could not be read; ``reason``; ``row``, its values as a JSON object.
        invalid: How many are in quarantine because their key is no good, or because they could not be read.
        invalid_keys: A few of their keys.
        invalid_examples: A few of them with line and reason, for people.
        repeated: How many are in quarantine because their key stood in a good row before.
        repeated_keys: A few of their keys.
        repeated_examples: A few of them with line and reason, for people.
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
        """Say which keys have a prefix that is no country's; a reason to look, never one to drop them."""
        return tuple(
            f"{found.count:,} {'ISIN has' if found.count == 1 else 'ISINs have'} {_ARTICLE[verdict]} prefix: "
            + ", ".join(f"{name} {count:,}" for name, count in found.prefixes[:5])
            + (", ..." if len(found.prefixes) > 5 else "")
            + f" ({', '.join(found.examples[:3])})"
            for verdict, found in self.prefixes.items()
            if verdict != "known"
        )


_ARTICLE: Mapping[prefix.Verdict, str] = {
    "special": "a special",
    "withdrawn": "a withdrawn",
    "user": "a user-assigned",
    "unknown": "an unknown",
}


def check(extracted: Extracted, feed: Feed) -> Checked:
    """Tell good rows from the others.

    A key must not be empty, must be what the feed's ``check`` says, and must not repeat the key of a good row
    before it.

    Args:
        extracted: The list as it was read.
        feed: What its keys must be.
    """
    key = feed.key
    keys = extracted.frame.get_column(key)
    valid = are_isins(keys) if feed.check == "isin" else keys != ""
    rows = extracted.frame.with_row_index(_PLACE)
    invalid = pl.concat([_invalid(rows.filter(~valid), extracted, feed), _broken(extracted.broken)])
    good = rows if valid.all() else rows.filter(valid)
    good = _by_key(good, key)
    again = (good.get_column(key) == good.get_column(key).shift()).fill_null(value=False)
    repeated = pl.DataFrame(schema=_QUARANTINE)
    if again.any():
        repeated = _repeated(good, again, extracted, key)
        good = good.filter(~again)
    frame = good.drop(_PLACE)
    return Checked(
        frame=frame,
        quarantine=pl.concat([invalid, repeated]).sort("line", maintain_order=True),
        invalid=invalid.height,
        invalid_keys=_keys(invalid),
        invalid_examples=_examples(invalid),
        repeated=repeated.height,
        repeated_keys=_keys(repeated),
        repeated_examples=_examples(repeated),
        prefixes=_prefixes(frame, key, extracted.as_of) if feed.check == "isin" else {},
    )


def _by_key(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Sort rows by key, then by place; the streaming engine does it several times faster than the other."""
    if rows.get_column(key).is_sorted():
        return rows
    return rows.lazy().sort(key, maintain_order=True).collect(engine="streaming")


def _invalid(rows: pl.DataFrame, extracted: Extracted, feed: Feed) -> pl.DataFrame:
    keys = rows.get_column(feed.key)
    reasons = faults(keys) if feed.check == "isin" else pl.repeat("empty", rows.height, eager=True)
    return _quarantined(rows, keys, reasons, extracted)


def _repeated(good: pl.DataFrame, again: pl.Series, extracted: Extracted, key: str) -> pl.DataFrame:
    """Return the rows that repeat a key, out of good ones in the order of keys and then of places."""
    rows, nth = good.filter(again), (~again).cum_sum().filter(again) - 1
    firsts = good.filter(~again)[nth].rename(lambda name: f"{name}\0first")
    differing = pl.concat_str(
        [
            pl.when(pl.col(name) != pl.col(f"{name}\0first")).then(pl.lit(name))
            for name in rows.columns
            if name != _PLACE
        ],
        separator=", ",
        ignore_nulls=True,
    )
    line = extracted.lines_of(firsts.get_column(f"{_PLACE}\0first"))
    compared = rows.hstack(firsts).select(line, differing.alias("differing")).rechunk()
    reasons = compared.select(
        pl.when(pl.col("differing") == "")
        .then(pl.format("repeats line {} in every column", "line"))
        .otherwise(pl.format("repeats line {}, but differs in {}", "line", "differing"))
    ).to_series()
    return _quarantined(rows, rows.get_column(key), reasons, extracted)


def _broken(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "line",
        pl.lit("").alias("key"),
        "reason",
        pl.struct(pl.col("row").alias("as written")).struct.json_encode().alias("row"),
    ).match_to_schema(_QUARANTINE)


def _quarantined(
    rows: pl.DataFrame, keys: pl.Series, reasons: pl.Series, extracted: Extracted
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "line": extracted.lines_of(rows.get_column(_PLACE)),
            "key": keys,
            "reason": reasons,
            "row": rows.select(pl.struct(pl.exclude(_PLACE)).struct.json_encode()).to_series(),
        },
        schema=_QUARANTINE,
    )


def _prefixes(good: pl.DataFrame, key: str, day: date | None) -> dict[prefix.Verdict, Prefixes]:
    """Return sorted keys by the verdict on their prefixes, as of the day of the list."""
    keys = good.get_column(key)
    runs = keys.str.head(2).rle().struct.unnest()
    counted = runs.with_columns(example=keys.gather(runs["len"].cum_sum() - runs["len"]))
    counted = counted.sort("len", "value", descending=[True, False])
    found: dict[prefix.Verdict, list[tuple[str, int, str]]] = {}
    for name, count, example in counted.select("value", "len", "example").iter_rows():
        found.setdefault(prefix.verdict(name, day), []).append((name, count, example))
    return {
        verdict: Prefixes(
            count=sum(count for _, count, _ in found[verdict]),
            prefixes=tuple((name, count) for name, count, _ in found[verdict]),
            examples=tuple(example for _, _, example in found[verdict][:_EXAMPLES]),
        )
        for verdict in prefix.VERDICTS
        if verdict in found
    }


def _keys(quarantine: pl.DataFrame) -> tuple[str, ...]:
    return tuple(quarantine.get_column("key").head(_EXAMPLES))


def _examples(quarantine: pl.DataFrame) -> tuple[str, ...]:
    few = quarantine.sort("line", maintain_order=True).head(_EXAMPLES)
    return tuple(
        f"line {line} {_quoted(key)}: {reason}" if key else f"line {line}: {reason}"
        for line, key, reason in few.select("line", "key", "reason").iter_rows()
    )


def _quoted(key: str) -> str:
    return repr(key if len(key) <= 40 else f"{key[:37]}...")
