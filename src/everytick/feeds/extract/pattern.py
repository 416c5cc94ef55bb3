"""A list from free text: each match of a regular expression is a row, each named group a column."""

from collections.abc import Iterator

import regex

from everytick.errors import ExtractFailed, PatternError
from everytick.feeds.extract import names
from everytick.feeds.extract.table import Table, gathered, none_broken
from everytick.feeds.extract.text import TIMEOUT, compile_pattern, search
from everytick.feeds.feed import Feed


def read(body: bytes, feed: Feed) -> Table:
    """Return the table that free text holds; a group that takes no part in a match is an empty cell.

    Args:
        body: The text, in UTF-8 without a mark.
        feed: Its pattern and the names of its columns.

    Raises:
        ExtractFailed: The pattern is broken, runs too long, names no group, or matches nothing.
    """
    text = body.decode()
    try:
        pattern = compile_pattern(feed.pattern or "")
        groups = sorted(pattern.groupindex, key=pattern.groupindex.__getitem__)
        if not groups:
            raise ExtractFailed("the pattern has no named group; write (?P<NAME>...) for each column")
        cells, lines = gathered(_rows(pattern, groups, text), len(groups))
    except PatternError as error:
        raise ExtractFailed(str(error)) from error
    if not cells.height:
        raise ExtractFailed("the pattern matches nothing in the text")
    return Table(
        names=names.canonical(groups, feed),
        cells=cells,
        lines=lines,
        broken=none_broken(),
        sections=0,
        around=text,
    )


def _rows(pattern: regex.Pattern[str], groups: list[str], text: str) -> Iterator[tuple[int, list[str]]]:
    line, seen = 1, 0
    for match in search(pattern, text, TIMEOUT):
        start = match.start()
        line, seen = line + text.count("\n", seen, start), start
        if match.end() == start:
            raise ExtractFailed(f"the pattern matches an empty text at line {line}; make it stricter")
        yield line, [match[group] or "" for group in groups]
