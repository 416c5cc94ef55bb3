"""The cells of a sheet, read in a process of its own with a bound on its memory.

A workbook's reader makes room for the whole rectangle between the first cell and the last, and for tables as
large as an old workbook says they are; one damaged byte makes that more than a machine has, and then
the process ends without a word.

    python -m everytick.feeds.extract.workbook [SHEET] < workbook > cells.arrow
"""

import resource
import subprocess
import sys
from io import BytesIO

import fastexcel
import polars as pl

from everytick.errors import ExtractFailed

_MEMORY = 4 * 2**30
"""Bytes of address space that reading a workbook may take."""

_PATIENCE = 300.0
"""Seconds that it may take."""

_REFUSED = 3


def cells(body: bytes, sheet: str | None) -> pl.DataFrame:
    """Return all cells of a sheet as text without nulls; the columns are called "0", "1", ...

    Args:
        body: The workbook.
        sheet: The name of the sheet; None for the first.

    Raises:
        ExtractFailed: It cannot be read, has no such sheet, or asks for more memory than it may.
    """
    command = [sys.executable, "-m", __name__, *([] if sheet is None else [sheet])]
    try:
        done = subprocess.run(command, input=body, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 - this module
    except subprocess.TimeoutExpired as error:
        raise ExtractFailed(f"the workbook took longer to read than {_PATIENCE:g} seconds") from error
    if done.returncode == _REFUSED:
        raise ExtractFailed(done.stdout.decode())
    if done.returncode != 0:
        raise ExtractFailed(
            f"the workbook is damaged, or larger than it looks: reading it takes more than {_MEMORY:,} bytes"
        )
    return pl.read_ipc(BytesIO(done.stdout))


def main() -> None:
    """Read a workbook from standard input, and write the cells of a sheet to standard output."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    name = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        book = fastexcel.read_excel(sys.stdin.buffer.read())
        if name is not None and name not in book.sheet_names:
            listed = ", ".join(repr(each) for each in book.sheet_names)
            _refuse(f"there is no sheet '{name}'; the sheets found are: {listed}")
        found = book.load_sheet(name or 0, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        _refuse(f"the workbook is damaged or cut off: {str(error).splitlines()[0]}")
    texts = (pl.nth(place).cast(pl.String).fill_null("").alias(str(place)) for place in range(found.width))
    found.select(texts).write_ipc(sys.stdout.buffer)


def _refuse(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()
    sys.exit(_REFUSED)


if __name__ == "__main__":
    main()
