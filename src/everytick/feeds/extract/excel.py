"""A list from a sheet of an Excel workbook, old (.xls) or new (.xlsx), by the names of its columns.

Which rows a sheet has is told by its rows: some exchanges declare a range that ends long before them.
"""

import zipfile
import zlib
from io import BytesIO
from itertools import islice

import polars as pl

from everytick.errors import ExtractFailed
from everytick.feeds.extract import header, names, workbook
from everytick.feeds.extract.table import LINE, MOST_AROUND, Table, none_broken
from everytick.feeds.feed import Feed

_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What ``zipfile`` raises for one that is damaged, encrypted, or packed in a way of its own."""

_ZIP = b"PK\x03\x04"


def read(body: bytes, feed: Feed) -> Table:
    """Return the table that a sheet holds; its lines are the sheet's rows, from the first that is not empty.

    Args:
        body: The workbook.
        feed: Which of its sheets, and how the columns are called.

    Raises:
        ExtractFailed: It is no workbook, lacks the sheet or the columns, or unpacks to too much.
    """
    cells = _sheet(body, feed)
    line, found = _header(cells, feed)
    filled = pl.sum_horizontal(pl.exclude("line") != "")
    rows = cells.slice(line).with_columns(filled=filled).filter(pl.col("filled") > 0)
    section = (pl.col("filled") == 1) & pl.lit(feed.sections)
    sections, rows = rows.filter(section).drop("filled"), rows.filter(~section).drop("filled")
    around = pl.concat([cells.head(line - 1), sections])
    return Table(
        names=found,
        cells=rows.drop("line"),
        lines=rows.get_column("line"),
        broken=none_broken(),
        sections=sections.height,
        around="\n".join("\t".join(map(str, row[1:])) for row in around.iter_rows())[:MOST_AROUND],
    )


def _sheet(body: bytes, feed: Feed) -> pl.DataFrame:
    """Return all cells as text without nulls, and before them the number of each row."""
    try:
        plain = _honest(body, feed.size_limit) if body.startswith(_ZIP) else body
    except _BAD_ZIP as error:
        raise ExtractFailed(f"the workbook is damaged or cut off: {error}") from error
    return (
        workbook.cells(plain, feed.sheet)
        .with_row_index("line", offset=1)
        .with_columns(pl.col("line").cast(LINE))
    )


def _honest(body: bytes, limit: int) -> bytes:
    """Return a zip with the same files, of which none is larger than it says.

    Raises:
        ExtractFailed: Together they are larger than the limit.
    """
    plain = BytesIO()
    with zipfile.ZipFile(BytesIO(body)) as packed, zipfile.ZipFile(plain, "w") as honest:
        if sum(each.file_size for each in packed.infolist()) > limit:
            raise ExtractFailed(f"the workbook unpacks to more than size_limit, {limit:,} bytes")
        for each in packed.infolist():
            honest.writestr(each.filename, packed.read(each))
    return plain.getvalue()


def _header(cells: pl.DataFrame, feed: Feed) -> tuple[int, tuple[str, ...]]:
    """Return the row of the header, counted from 1, and its names."""
    likest: tuple[str, ...] = ()
    for line, *row in islice(cells.iter_rows(), header.LINES):
        found = names.canonical(row, feed)
        if all(name in found for name in names.keys(feed)):
            return line, found
        likest = max(likest, found, key=lambda each: sum(map(bool, each)))
    names.require(names.keys(feed)[0], [name for name in likest if name])
    raise ExtractFailed(f"no row names all columns of the key; {names.listed(likest)}")
