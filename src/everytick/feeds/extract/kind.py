"""What arrived, by its first bytes and by what the answer calls it: the list, or something in its place."""

import re
import zlib
from collections.abc import Mapping

from everytick.feeds.feed import Feed

HEAD = 4096
"""So many first bytes are enough to tell."""

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_LFS = b"version https://git-lfs.github.com/spec/"

_BINARY: Mapping[bytes, str] = {
    b"%PDF-": "a PDF",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls)",
    b"PK\x05\x06": "an empty zip file",
    b"7z\xbc\xaf\x27\x1c": "a 7z file",
    b"Rar!": "a RAR file",
    **{b"BZh%d1AY&SY" % level: "a bzip2 file" for level in range(1, 10)},
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PAR1\x15": "a Parquet file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
}

_PAGE = re.compile(
    rb"(?:<\?xml[^<]*)?<(?:!doctype\s+html|!--|/?(?:html|head|body|title|meta|link|script|style|center|div|p|br"
    rb"|h[1-6]|table|pre|font|b)\b)",
    re.IGNORECASE,
)
_NAME_IN_ANGLES = re.compile(rb"<[^<>\n]*>[ ]*[,;|\t]")
_JSON = re.compile(rb'\{\s*(?:"|\}|\Z)|\[\s*(?:[\[{"\]]|-?[0-9.]+\s*(?:,|\]\s*\Z))')
_MARKED_UP = frozenset({"a page", "XML", "JSON"})
_WORKBOOKS = frozenset({"an old Excel workbook (.xls)", "an Excel workbook (.xlsx)"})

_PLAIN = ("text/csv", "text/plain", "text/*-separated-values", "*/octet-stream", "*/*download", "*/*csv")
_PACKED = ("application/gzip", "application/x-gzip")
_SUITING: Mapping[str, tuple[str, ...]] = {
    "csv": (*_PLAIN, *_PACKED, "application/vnd.ms-excel"),
    "excel": (
        "application/vnd.ms-excel*",
        "application/vnd.openxmlformats-*",
        "*/octet-stream",
        "*/*download",
    ),
    "text": (*_PLAIN, *_PACKED, "text/*", "*/*json", "*/*xml", "*/*javascript"),
}


def recognised(head: bytes) -> str | None:
    """Return what a file is by its first bytes; None for plain text, and for whatever nobody knows.

    A gzip is told by what is in it.
    """
    head = _unpacked(head)
    for magic, words in _BINARY.items():
        if head.startswith(magic):
            return words
    if head.startswith(_ZIP):
        return (
            "an Excel workbook (.xlsx)" if b"[Content_Types].xml" in head or b"xl/" in head else "a zip file"
        )
    text = _text(head)
    if text.startswith(_LFS):
        return "a Git LFS pointer"
    if text.startswith(b"<") and not _NAME_IN_ANGLES.match(text):
        return "a page" if _PAGE.match(text) else "XML"
    return "JSON" if _JSON.match(text) else None


def refused(feed: Feed, found: str | None) -> str | None:
    """Return words for what cannot be a feed's list by its first bytes; None if it can.

    Args:
        feed: The feed.
        found: What was recognised.
    """
    if feed.format == "excel":
        return None if found in _WORKBOOKS else f"{found or 'plain text'} instead of an Excel workbook"
    if found is None or (feed.format == "text" and found in _MARKED_UP):
        return None
    hint = '; write format = "excel"' if found in _WORKBOOKS and feed.format == "csv" else ""
    return f"{found} instead of a list{hint}"


def objection(feed: Feed, head: bytes, headers: Mapping[str, str]) -> str | None:
    """Return why this cannot be a feed's list; None if it can.

    Args:
        feed: The feed.
        head: The first bytes, HEAD of them if there are so many.
        headers: What the answer said of them, by lower-case names.
    """
    if len(head) < 2:
        return f"a body of {len(head)} bytes"
    found = recognised(head)
    if (strange := refused(feed, found)) is not None:
        return f"{strange}{_start(head) if found in _MARKED_UP else ''}"
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    suiting = feed.content_types if feed.content_types is not None else _SUITING[feed.format]
    if media_type and not any(_suits(media_type, each) for each in suiting):
        return (
            f"what it calls {media_type}, and a list is due; "
            f'if that is right, write content_types = ["{media_type}"]'
        )
    return None


def _unpacked(head: bytes) -> bytes:
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error:
        return head


def _text(head: bytes) -> bytes:
    """Return text without what may stand before it, whatever its width."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _start(head: bytes) -> str:
    line = _text(_unpacked(head)).split(b"\n")[0]
    return f": {line[:40].decode('ascii', 'replace').rstrip()!r}"


def _suits(media_type: str, suiting: str) -> bool:
    return re.fullmatch(re.escape(suiting).replace(r"\*", ".*"), media_type) is not None
