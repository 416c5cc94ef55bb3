"""From bytes in one of several encodings to UTF-8, strictly."""

import codecs
from collections.abc import Iterator, Sequence

from everytick.errors import ExtractFailed

_CHUNK = 1 << 24
_UTF_8 = frozenset({"utf-8", "utf-8-sig"})
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def as_utf8(body: bytes, encodings: Sequence[str]) -> bytes:
    """Return a text's bytes in UTF-8, without a byte order mark.

    What is UTF-8 already is looked through piece by piece, and never copied whole.

    Args:
        body: The bytes.
        encodings: How they may be encoded. The first that fits every byte counts, so one that fits anything,
            such as latin-1, belongs at the end.

    Raises:
        ExtractFailed: None fits.
    """
    faults = []
    for encoding in encodings:
        try:
            text = _decoded(body, encoding)
        except UnicodeError as error:
            faults.append(_fault(body, encoding, error))
            continue
        if b"\0" in text:
            faults.append(f"not {encoding}: it would hold NUL characters")
            continue
        return text.removeprefix(codecs.BOM_UTF8)
    mark = next((name for mark, name in _MARKS.items() if body.startswith(mark)), None)
    hint = f'; it begins with the mark of {mark}, so set encoding = "{mark}"' if mark else ""
    raise ExtractFailed(f'{"; ".join(faults)}; set "encoding" to what the source writes{hint}')


def _decoded(body: bytes, encoding: str) -> bytes:
    if codecs.lookup(encoding).name not in _UTF_8:
        return body.decode(encoding).encode()
    if not body.isascii():
        for start, end in _pieces(body):
            _examine(body, start, end)
    return body


def _pieces(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield spans that end where a line does, and so between two characters."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _CHUNK) + 1 or len(body)
        yield start, end
        start = end


def _examine(body: bytes, start: int, end: int) -> None:
    try:
        body[start:end].decode()
    except UnicodeDecodeError as error:
        raise UnicodeDecodeError(
            "utf-8", body, start + error.start, start + error.end, error.reason
        ) from error


def _fault(body: bytes, encoding: str, error: UnicodeError) -> str:
    if not isinstance(error, UnicodeDecodeError) or error.start >= len(body):
        return f"not {encoding}: {error}"
    line = body.count(b"\n", 0, error.start) + 1
    return f"line {line} is not {encoding}: byte 0x{body[error.start]:02x} at offset {error.start}"
