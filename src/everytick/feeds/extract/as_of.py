"""Of which day a list says it is."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from everytick.errors import ExtractFailed, PatternError
from everytick.feeds.extract import names
from everytick.feeds.extract.table import Table
from everytick.feeds.extract.text import TIMEOUT, compile_pattern, search
from everytick.feeds.feed import AsOf, Feed

_MOST_DATES = 100_000
"""Different dates in a column; more of them are centuries."""


def found(table: Table, feed: Feed, response: Mapping[str, str]) -> date | None:
    """Return the list's as-of date; None where the feed asks for none, and for a column of an empty list.

    Args:
        table: The list.
        feed: Where the date stands.
        response: The headers of the HTTP answer, by their names in lower case.

    Raises:
        ExtractFailed: It stands nowhere, or cannot be read.
    """
    place = feed.as_of
    if place is None:
        return None
    if place.column is not None:
        return _latest(table, place.column, place.format, feed)
    if place.pattern is not None:
        return _around(place.pattern, place.format, table)
    return _said(place, response)


def _latest(table: Table, column: str, written: str, feed: Feed) -> date | None:
    """Return the latest date of a column; as many cells may be unreadable as rows may be invalid."""
    names.require(column, table.names)
    cells = table.column(column).str.strip_chars().alias("text")
    different = cells.filter(~cells.is_in(["", *feed.none])).value_counts(name="count")
    if different.height > _MOST_DATES:
        raise ExtractFailed(f"column '{column}' holds no as-of dates: {different.height:,} different texts")
    dates = {text: _date(text, written) for text in different["text"]}
    bad = {text: count for text, count in different.iter_rows() if dates[text] is None}
    if sum(bad.values()) > feed.max_invalid * cells.len():
        raise ExtractFailed(
            f"{sum(bad.values()):,} of {cells.len():,} as-of dates in column '{column}' cannot be read, "
            f"such as {_shortened(min(bad))}; they should look like '{written}'"
        )
    readable = [day for day in dates.values() if day is not None]
    if not readable and cells.len():
        raise ExtractFailed(f"column '{column}' holds no as-of date that can be read")
    return max(readable, default=None)


def _around(pattern: str, written: str, table: Table) -> date:
    try:
        match = next(search(compile_pattern(pattern), table.around, TIMEOUT), None)
    except PatternError as error:
        raise ExtractFailed(f"as_of.pattern: {error}") from error
    if match is None:
        raise ExtractFailed("there is no as-of date: as_of.pattern matches nothing around the rows")
    text = (match[1] if match.re.groups else match[0]) or ""
    return _one(_date(text.strip(), written), text, written)


def _said(place: AsOf, response: Mapping[str, str]) -> date:
    name = place.response or ""
    text = response.get(name.lower())
    if text is None:
        raise ExtractFailed(f"there is no as-of date: the answer has no header {name}")
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()
    except (ValueError, OverflowError):
        return _one(None, text, "Thu, 20 Aug 2026 18:00:00 GMT")


def _one(day: date | None, text: str, written: str) -> date:
    if day is None:
        raise ExtractFailed(
            f"the as-of date {_shortened(text)} cannot be read; it should look like '{written}'"
        )
    return day


def _date(text: str, written: str) -> date | None:
    try:
        return datetime.strptime(text, written).replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
