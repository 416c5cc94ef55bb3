"""What bytes are that should have been a list and are not."""

import re

from everytick.errors import ExtractFailed

_BINARY = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls)",
    b"%PDF-": "a PDF document",
    b"PAR1": "a Parquet file",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}
_ZIP = b"PK\x03\x04"
_TEXT = {
    r"(?i)<!doctype html|<html|<head|<body": "an HTML page",
    r"<\?xml|<[A-Za-z]": "XML",
    r"[\[{]\s*[\[{\"\]}]": "JSON",
    r"version https://git-lfs": "a Git LFS pointer instead of what it points to",
    r"\Z": "empty",
}
_HEAD = 4096


def refuse(body: bytes) -> None:
    """Refuse what no text is.

    Raises:
        ExtractFailed: It begins as a known kind of binary file does.
    """
    kind = next((kind for mark, kind in _BINARY.items() if body.startswith(mark)), None)
    if body.startswith(_ZIP):
        workbook = b"[Content_Types].xml" in body[:_HEAD] or b"xl/" in body[:_HEAD]
        kind = "an Excel workbook (.xlsx)" if workbook else "a zip archive"
    if kind is not None:
        raise ExtractFailed(f"the file is {kind}, not the text of a list")


def named(text: bytes) -> str | None:
    """Return what a text is that holds no list, where its beginning tells."""
    head = text[:_HEAD].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    return next((kind for mark, kind in _TEXT.items() if re.match(mark, head)), None)
