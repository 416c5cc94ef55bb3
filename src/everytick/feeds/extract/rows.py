"""Delimited text row by row: slower than polars, and the judge of what a row is."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from everytick.errors import ExtractFailed
from everytick.feeds.extract.extracted import BROKEN
from everytick.feeds.extract.table import MOST_AROUND
from everytick.feeds.feed import Feed

MANY = 100_000
"""So many rows may be set aside; from then on never more of them than there are good ones."""

_SHOWN = 10_000
"""Fields of a row that is set aside that are kept; who writes more of them has lost a line's end."""


@dataclass(slots=True, kw_only=True)
class Rows:
    """A way through the rows of a text, and what was met on it.

    Attributes:
        width: How many fields a row has.
        feed: How the text is written.
        line: The line that was read last, counted from 1.
        around: The text before the rows, and then between them.
        sections: Lines without a delimiter that were passed over.
        good: Rows that were not set aside.
    """

    width: int
    feed: Feed
    line: int
    around: str
    sections: int = 0
    good: int = 0
    _broken: list[tuple[int, str, str]] = field(default_factory=list)
    _taken: list[str] = field(default_factory=list)

    def read(self, part: bytes) -> Iterator[tuple[int, list[str]]]:
        """Yield each good row with the line it begins on.

        A row with another number of fields is set aside, as long as it is certain where it ends: it stands
        on one line, whose quotes pair up. Empty lines and lines of spaces are nothing.

        Args:
            part: Lines, in UTF-8; the next ones of the text, and whole rows of it.

        Raises:
            ExtractFailed: Nobody can tell where a row ends.
        """
        before, text = self.line, io.TextIOWrapper(io.BytesIO(part), encoding="utf-8", newline="")
        reader = csv.reader(self._remembered(text), delimiter=self.feed.delimiter, strict=True)
        while True:
            begin = self.line + 1
            self._taken.clear()
            try:
                row = next(reader, None)
            except csv.Error as error:
                self._set_aside(begin, f"is no CSV: {error}", ["".join(self._taken).rstrip("\r\n")])
                row = []
            if row is None:
                return
            self.line = before + reader.line_num
            if len(row) == self.width:
                self.good += 1
                yield begin, row
            elif len(row) > 1 or (row and row[0].strip()):
                self._odd(begin, row)

    def broken(self, body: bytes) -> pl.DataFrame:
        """Return the rows that were set aside, at the end of the way.

        Args:
            body: The whole text.

        Raises:
            ExtractFailed: The last one is cut off, or there are more of them than good rows.
        """
        if self._broken:
            line, reason, _ = self._broken[-1]
            if line == self.line and not body.endswith((b"\n", b"\r")):
                raise ExtractFailed(
                    f"the file is cut off: line {line}, its last, {reason} and has no line end"
                )
            if len(self._broken) > self.good:
                raise self._hopeless()
        return pl.DataFrame(self._broken, schema=BROKEN, orient="row")

    def _remembered(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._taken.append(line)
            yield line

    def _odd(self, begin: int, row: Sequence[str]) -> None:
        if len(row) == 1 and self.feed.sections:
            self.sections += 1
            self._pass_by(self._taken[0])
        else:
            fields = "1 field" if len(row) == 1 else f"{len(row):,} fields"
            self._set_aside(begin, f"has {fields} instead of {self.width}", row)

    def _set_aside(self, begin: int, reason: str, row: Sequence[str]) -> None:
        if len(self._taken) != 1 or self._taken[0].count('"') % 2:
            raise ExtractFailed(f"line {begin} {reason}; a quote that it opens hides where the row ends")
        self._pass_by(self._taken[0])
        self._broken.append((begin, reason, json.dumps(row[:_SHOWN], ensure_ascii=False)))
        if len(self._broken) > max(MANY, self.good):
            raise self._hopeless()

    def _hopeless(self) -> ExtractFailed:
        (line, reason, _), count = self._broken[0], len(self._broken)
        return ExtractFailed(f"line {line} {reason}; so it is with {count:,} of {count + self.good:,} rows")

    def _pass_by(self, text: str) -> None:
        if len(self.around) < MOST_AROUND:
            self.around += text[:MOST_AROUND]
