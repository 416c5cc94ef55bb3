"""Delimited text row by row: slower than polars, and the judge of what a row is."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from everytick.errors import ExtractFailed
from everytick.feeds.extract.extracted import BROKEN
from everytick.feeds.extract.header import Header
from everytick.feeds.extract.table import MOST_AROUND, Table, gathered
from everytick.feeds.feed import Feed


def read(body: bytes, head: Header, feed: Feed) -> Table:
    """Return the table that delimited text holds.

    A row with another number of fields is set aside, as long as it is certain where it ends: it stands on
    one line whose quotes pair up. Empty lines and lines of spaces are nothing.

    Args:
        body: The text, in UTF-8 without a mark.
        head: Where its rows begin, and what their columns are called.
        feed: How it is written.

    Raises:
        ExtractFailed: Nobody can tell where rows end, the file ends in the middle of one, or more rows are
            set aside than are not.
    """
    reading = _Reading(head=head, feed=feed)
    cells, lines = gathered(reading.rows(body), len(head.names))
    broken = pl.DataFrame(reading.broken, schema=BROKEN, orient="row")
    if broken.height:
        _refuse_cut_off(body, reading)
        line, reason, _ = reading.broken[0]
        if broken.height > cells.height:
            all_rows = broken.height + cells.height
            raise ExtractFailed(f"line {line} {reason}; so it is with {broken.height:,} of {all_rows:,} rows")
    return Table(
        names=head.names,
        cells=cells,
        first=head.line + 1,
        lines=lines,
        broken=broken,
        sections=reading.sections,
        around=reading.around,
    )


def _refuse_cut_off(body: bytes, reading: "_Reading") -> None:
    line, reason, _ = reading.broken[-1]
    if line == reading.last and not body.endswith((b"\n", b"\r")):
        raise ExtractFailed(f"the file is cut off: line {line}, its last, {reason} and has no line end")


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What has been met on the way through the rows."""

    head: Header
    feed: Feed
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    sections: int = 0
    last: int = 0
    around: str = ""
    _taken: list[str] = field(default_factory=list)

    def rows(self, body: bytes) -> Iterator[tuple[int, list[str]]]:
        """Yield each good row with the line it begins on."""
        self._pass_by(self.head.around)
        source = io.BytesIO(body)
        source.seek(self.head.offset)
        reader = csv.reader(
            self._remembered(io.TextIOWrapper(source, encoding="utf-8", newline="")),
            delimiter=self.feed.delimiter,
            strict=True,
        )
        width = len(self.head.names)
        while True:
            begin = self.head.line + reader.line_num + 1
            self._taken.clear()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.last = begin
                self._set_aside(f"is no CSV: {error}", ["".join(self._taken).rstrip("\r\n")])
                continue
            self.last = begin
            if len(row) == width:
                yield begin, row
            elif len(row) > 1 or (row and row[0].strip()):
                self._odd(row, width)

    def _remembered(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._taken.append(line)
            yield line

    def _odd(self, row: Sequence[str], width: int) -> None:
        if len(row) == 1 and self.feed.sections:
            self.sections += 1
            self._pass_by(self._taken[0])
        else:
            fields = "1 field" if len(row) == 1 else f"{len(row):,} fields"
            self._set_aside(f"has {fields} instead of {width}", row)

    def _set_aside(self, reason: str, row: Sequence[str]) -> None:
        if len(self._taken) != 1 or self._taken[0].count('"') % 2:
            raise ExtractFailed(
                f"line {self.last} {reason}, and a quote that it opens hides where the row ends"
            )
        self._pass_by(self._taken[0])
        self.broken.append((self.last, reason, json.dumps(row, ensure_ascii=False)))

    def _pass_by(self, text: str) -> None:
        if len(self.around) < MOST_AROUND:
            self.around += text[:MOST_AROUND]
