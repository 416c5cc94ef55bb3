import bz2
import gzip
import io
import lzma
import zipfile
from dataclasses import replace

import pytest

from everytick.feeds.extract.kind import objection, recognised
from everytick.feeds.feed import Feed

FEED = Feed(name="list", url="", key="ISIN")
TEXT = replace(FEED, format="text", pattern="(?P<ISIN>[A-Z0-9]{12})")
LIST = b"ISIN,NAME\nUS0378331005,Apple\n"


def packed(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), LIST)
    return file.getvalue()


FOREIGN = {
    b"<!DOCTYPE html>\n<html>": "a page",
    b"\xef\xbb\xbf \r\n<HTML>": "a page",
    "\ufeff<html>".encode("utf-16-le"): "a page",
    b'<?xml version="1.0"?>\n<!DOCTYPE html>': "a page",
    b"<script>window.location='/login'</script>": "a page",
    b'<?xml version="1.0"?>\n<BizData>': "XML",
    b'<BizData xmlns="urn:iso">': "XML",
    b'{"Table":[{"Column1":1}]}': "JSON",
    b'[\n  {"ISIN": 1}]': "JSON",
    b"[1, 2]": "JSON",
    b"[7]\n": "JSON",
    b"{}": "JSON",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0": "a Git LFS pointer",
    b"%PDF-1.7\n": "a PDF",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00": "an old Excel workbook (.xls)",
    packed("list.csv"): "a zip file",
    packed("xl/workbook.xml"): "an Excel workbook (.xlsx)",
    packed("[Content_Types].xml"): "an Excel workbook (.xlsx)",
    b"PAR1\x15\x04": "a Parquet file",
    gzip.compress(b"<html>Sorry</html>", mtime=0): "a page",
    gzip.compress(b"x" * 100_000 + b"<html>", mtime=0)[:50]: None,
    gzip.compress(LIST, mtime=0): None,
    bz2.compress(LIST): "a bzip2 file",
    bz2.compress(LIST, 1): "a bzip2 file",
    lzma.compress(LIST): "an xz file",
    b"\x1f\x8bnot what it seems": None,
    LIST: None,
    b"\xef\xbb\xbf" + LIST: None,
    ("\ufeff" + LIST.decode()).encode("utf-16-le"): None,
    b"<TICKER>,<PER>,<DATE>\n": None,
    b"<ISIN> ; <NAME>\n": None,
    b"[2026] List of securities\nISIN;NAME\n": None,
    b"PAR1,PAR2\n": None,
    b"[Section 1]\nISIN;NAME\n": None,
    b"Market:;XETR\n": None,
    b'"ISIN","NAME"\n': None,
}


@pytest.mark.parametrize("head", FOREIGN)
def test_what_a_file_is_by_its_first_bytes(head: bytes) -> None:
    assert recognised(head) == FOREIGN[head]


@pytest.mark.parametrize("head", [head for head, words in FOREIGN.items() if words])
def test_what_is_no_list_is_told_in_words(head: bytes) -> None:
    told = objection(FEED, head, {"content-type": "text/csv"})
    assert told is not None
    assert told.startswith(f"{FOREIGN[head]} instead of a list")


@pytest.mark.parametrize("words", ["a page", "XML", "JSON"])
def test_text_may_be_marked_up(words: str) -> None:
    heads = [head for head, told in FOREIGN.items() if told == words]
    assert [objection(TEXT, head, {"content-type": "text/html; charset=utf-8"}) for head in heads] == [
        None
    ] * len(heads)


@pytest.mark.parametrize("words", ["a PDF", "a zip file", "a Git LFS pointer", "an Excel workbook (.xlsx)"])
def test_text_is_nothing_else(words: str) -> None:
    (head, *_) = [head for head, told in FOREIGN.items() if told == words]
    assert objection(TEXT, head, {}) == f"{words} instead of a list"


@pytest.mark.parametrize("size", [0, 1])
def test_next_to_nothing_is_no_list(size: int) -> None:
    assert objection(FEED, b"\n" * size, {}) == f"a body of {size} bytes"


@pytest.mark.parametrize(
    "called",
    [
        "text/csv",
        "TEXT/CSV; charset=utf-8",
        "text/plain",
        "application/csv",
        "text/x-csv",
        "text/tab-separated-values",
        "application/octet-stream",
        "binary/octet-stream",
        "application/force-download",
        "application/vnd.ms-excel",
        "application/gzip",
        "",
    ],
)
def test_what_lists_are_called(called: str) -> None:
    assert objection(FEED, LIST, {"content-type": called}) is None


@pytest.mark.parametrize(
    "called", ["text/html; charset=utf-8", "application/json", "application/pdf", "image/png"]
)
def test_another_media_type_is_refused_with_the_mend(called: str) -> None:
    media_type = called.partition(";")[0]
    told = objection(FEED, LIST, {"content-type": called})
    assert told is not None
    assert f"what it calls {media_type}, and a list is due" in told
    assert told.endswith(f'if that is right, write content_types = ["{media_type}"]')
    assert objection(replace(FEED, content_types=(media_type,)), LIST, {"content-type": called}) is None


def test_media_types_that_a_feed_names_are_the_only_ones() -> None:
    feed = replace(FEED, content_types=("text/*",))
    assert objection(feed, LIST, {"content-type": "text/html"}) is None
    assert objection(feed, LIST, {"content-type": "application/csv"}) is not None
