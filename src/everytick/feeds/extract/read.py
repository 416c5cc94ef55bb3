"""From the bytes that arrived to the list they hold, by the format that the feed declares."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from everytick.errors import ExtractFailed
from everytick.feeds.extract import as_of, csv, excel, names, pattern
from everytick.feeds.extract.decode import as_utf8
from everytick.feeds.extract.extracted import Extracted
from everytick.feeds.extract.kind import HEAD, recognised, refused
from everytick.feeds.extract.table import Table
from everytick.feeds.feed import Feed

_READERS = {"csv": csv.read, "excel": excel.read, "text": pattern.read}
_ROW = "\0row"


def extract(body: bytes, feed: Feed, response: Mapping[str, str]) -> Extracted:
    """Return the list that some bytes hold.

    Args:
        body: The bytes, unpacked.
        feed: What the list looks like.
        response: The headers of the HTTP answer, by their names in lower case.

    Raises:
        ExtractFailed: The bytes are not the list that the feed describes; the message says where.
    """
    if (strange := refused(feed, recognised(body[:HEAD]))) is not None:
        raise ExtractFailed(f"the file is {strange}")
    content = body if feed.format == "excel" else as_utf8(body, feed.encoding)
    table = _without_nothing(_READERS[feed.format](content, feed))
    others = [_cell(table, name).alias(name) for name in names.kept(table.names, feed)]
    keys = [_cell(table, name).str.strip_chars() for name in names.keys(feed)]
    if feed.key_from is None and not feed.none:
        frame, lines, keyless = table.cells.select(keys[0].alias(feed.key), *others), table.lines, 0
    else:
        frame, rows = _keyed(table, feed, keys, others)
        lines = table.lines.gather(rows)
        keyless = table.cells.height - rows.n_unique()
    return Extracted(
        frame=frame,
        names=table.names,
        as_of=as_of.found(table, feed, response),
        keyless=keyless,
        sections=table.sections,
        broken=table.broken,
        lines=lines,
    )


def _keyed(
    table: Table, feed: Feed, keys: Sequence[pl.Expr], others: Sequence[pl.Expr]
) -> tuple[pl.DataFrame, pl.Series]:
    """Return a row for each key of a row, and the row of ``cells`` that each comes from."""
    several = pl.concat_list(keys).list.unique(maintain_order=True).alias(feed.key)
    frame = table.cells.with_row_index(_ROW).select(_ROW, several, *others).explode(feed.key)
    frame = frame.filter(~pl.col(feed.key).is_in(feed.none))
    return frame.drop(_ROW), frame.get_column(_ROW)


def _without_nothing(table: Table) -> Table:
    """Return a table without columns that have no name and no cell: a delimiter at the end of every line."""
    bare = [str(place) for place, name in enumerate(table.names) if not name]
    empty = {place for place in bare if (table.cells.get_column(place) == "").all()}
    if not empty:
        return table
    left = [place for place in table.cells.columns if place not in empty]
    return replace(
        table,
        names=tuple(table.names[int(place)] for place in left),
        cells=table.cells.select(pl.col(place).alias(str(i)) for i, place in enumerate(left)),
    )


def _cell(table: Table, name: str) -> pl.Expr:
    return pl.col(str(table.names.index(name)))
