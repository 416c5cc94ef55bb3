"""What was taken out of the bytes that arrived."""

from dataclasses import dataclass
from datetime import date

import polars as pl

BROKEN = pl.Schema({"line": pl.UInt32, "reason": pl.String, "row": pl.String})
"""The columns of ``Extracted.broken``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A list as it stands in the bytes, not yet checked.

    Attributes:
        frame: The rows, in the source's order: the key first, then the other kept columns; all of them text
            and never null. Spaces around keys are dropped, other values stay as they are.
        names: All columns that the source has, in its order, by the names they have here.
        as_of: Of which day the list says it is; None where the feed does not ask.
        keyless: Rows that were passed over because ``none`` says that they have no key.
        sections: Lines between the rows that were passed over because ``sections`` allows them.
        broken: Rows that cannot be told apart into the columns; none of them is in ``frame``. Each with the
            line it begins on, the reason, such as "has 7 fields instead of 6", and the row as it was written.
            They are invalid rows: they go to quarantine and count against ``max_invalid``.
        first: The line of the first row, counted from 1.
        lines: The line that each row of ``frame`` begins on; None where row i stands on line ``first`` + i.
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    as_of: date | None = None
    keyless: int = 0
    sections: int = 0
    broken: pl.DataFrame
    first: int = 1
    lines: pl.Series | None = None

    def lines_of(self, rows: pl.Series) -> pl.Series:
        """Return the lines on which rows begin, as UInt32.

        Args:
            rows: Their places in ``frame``, counted from 0.
        """
        found = rows + self.first if self.lines is None else self.lines.gather(rows)
        return found.cast(pl.UInt32).alias("line")
