import gzip
import hashlib
import socket
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event

import pytest

from everytick.errors import FetchFailed
from everytick.feeds.archive.downloads import Downloads
from everytick.feeds.feed import Feed
from everytick.feeds.fetch.download import TRIES, fetch
from everytick.testing.provider import Manners, Provider, send

LIST = b"ISIN,NAME\nUS0378331005,Apple\n"
NOW = 1_790_000_000_000_000


FEED = Feed(name="list", url="", allow_private=("127.0.0.0/8",), key="ISIN", fetch_timeout=5.0)


def test_a_list_arrives_byte_for_byte(provider: Provider, tmp_path: Path) -> None:
    body = LIST * 50_000
    provider.serve(body)
    fetched = fetch(
        replace(FEED, url=provider.url, headers={"User-Agent": "Mozilla/5.0"}), Downloads(tmp_path), now=1
    )
    assert fetched.path.read_bytes() == body
    assert fetched.size == len(body)
    assert fetched.sha256 == hashlib.sha256(body).hexdigest()
    assert fetched.url == provider.url
    assert [headers["User-Agent"] for _, headers in provider.asked] == ["Mozilla/5.0"]


PAGE = b"<!DOCTYPE html>\n<html>Access Denied</html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 130000\n"
CSV = {"Content-Type": "text/csv"}


@pytest.mark.parametrize(
    ("body", "status", "headers", "words"),
    [
        (LIST, 404, CSV, "answered 404 Not Found"),
        (LIST, 403, CSV, "answered 403 Forbidden"),
        (LIST, 406, CSV, "answered 406 Not Acceptable"),
        (LIST, 204, {}, "answered 204"),
        (LIST, 206, {"Content-Range": "bytes 0-29/30"}, "answered 206"),
        (b"", 304, {}, "answered 304"),
        (LIST, 301, {}, "answered 301"),
        (b"", 200, CSV, "a body of 0 bytes"),
        (b"\n", 200, CSV, "a body of 1 bytes"),
        (PAGE, 200, CSV, "a page instead of a list: '<!DOCTYPE html>'"),
        (b"\xef\xbb\xbf \n<HTML>", 200, {}, "a page instead of a list"),
        (
            gzip.compress(PAGE, mtime=0),
            200,
            {"Content-Encoding": "gzip"},
            "a page instead of a list: '<!DOCTYPE html>'",
        ),
        (POINTER, 200, {"Content-Type": "text/plain"}, "a Git LFS pointer instead of a list"),
        (b"%PDF-1.7", 200, {"Content-Type": "application/octet-stream"}, "a PDF instead of a list"),
        (b"PK\x03\x04", 200, {}, "a zip file instead of a list"),
        (b'{"Table":[{"Column1":1}]}', 200, CSV, "JSON instead of a list"),
        (
            LIST,
            200,
            {"Content-Type": "text/html"},
            'if that is right, write content_types = \\["text/html"\\]',
        ),
        (LIST, 200, {"Content-Length": "600000000"}, "larger than size_limit, 512,000,000 bytes"),
    ],
)
def test_what_is_no_list_fails_at_once_and_is_not_kept(
    provider: Provider, tmp_path: Path, body: bytes, status: int, headers: Mapping[str, str], words: str
) -> None:
    provider.serve(body, status=status, headers=headers)
    with pytest.raises(FetchFailed, match=words):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert len(provider.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_packed_list_is_kept_as_it_came(provider: Provider, tmp_path: Path) -> None:
    body = gzip.compress(LIST)
    provider.serve(body, headers={"Content-Encoding": "gzip"})
    fetched = fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert fetched.path.read_bytes() == body
    assert fetched.headers["content-encoding"] == "gzip"


def test_nothing_secret_is_kept(provider: Provider, tmp_path: Path) -> None:
    secrets = {"Set-Cookie": "session=secret", "Link": "</?token=secret>", "X-Token": "secret"}
    provider.serve(LIST, headers={"ETag": '"1"', "Content-Type": "text/csv", **secrets})
    fetched = fetch(replace(FEED, url=provider.url + "?token=secret"), Downloads(tmp_path), now=1)
    assert fetched.url == provider.url
    assert (
        {"etag", "content-type"}
        <= fetched.headers.keys()
        <= {"etag", "content-type", "content-length", "date"}
    )
    assert len(list(tmp_path.iterdir())) == 2
    assert all(b"secret" not in path.read_bytes() for path in tmp_path.iterdir())


def test_headers_that_the_feed_names_take_the_place_of_ours(provider: Provider, tmp_path: Path) -> None:
    def picky(handler: BaseHTTPRequestHandler) -> None:
        right = (
            handler.headers["Accept"] == "text/csv" and handler.headers["Referer"] == "https://example.org/"
        )
        send(handler, LIST, status=200 if right else 406)

    provider.manners = picky
    with pytest.raises(FetchFailed, match="answered 406"):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    headers = {"Accept": "text/csv", "Referer": "https://example.org/"}
    assert fetch(replace(FEED, url=provider.url, headers=headers), Downloads(tmp_path), now=1).status == 200


def test_a_cookie_on_the_way_is_shown_again(provider: Provider, tmp_path: Path) -> None:
    def guarded(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["Cookie"] == "passed=yes":
            send(handler, LIST)
        else:
            send(handler, b"", status=302, headers={"Location": "/list.csv", "Set-Cookie": "passed=yes"})

    provider.manners = guarded
    assert fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1).redirects == (provider.url,)


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int | None]] = []
        self.amounts: list[int] = []

    def stage(self, name: str, total: int | None = None) -> None:
        self.stages.append((name, total))

    def advance(self, amount: int) -> None:
        self.amounts.append(amount)


def test_the_progress_is_told(provider: Provider, tmp_path: Path) -> None:
    provider.serve(LIST * 50_000)
    heard = Heard()
    fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1, progress=heard)
    assert heard.stages == [("fetch", None), ("fetch", len(LIST) * 50_000)]
    assert sum(heard.amounts) == len(LIST) * 50_000
    assert len(heard.amounts) > 2


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "Internal Server Error"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (429, "Too Many Requests"),
    ],
)
def test_a_fault_of_the_server_is_tried_again(
    provider: Provider, tmp_path: Path, waits: list[float], status: int, words: str
) -> None:
    provider.serve(b"busy", status=status)
    with pytest.raises(FetchFailed, match=f"answered {status} {words}$"):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert len(provider.asked) == TRIES.attempts
    assert [int(wait * 2) for wait in waits] == [1, 2]


@pytest.mark.parametrize(
    ("asks", "wait"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0"}, 0.0),
        (
            {
                "Retry-After": formatdate(NOW / 1e6 + 3, usegmt=True),
                "Date": formatdate(NOW / 1e6, usegmt=True),
            },
            3.0,
        ),
        ({"Retry-After": formatdate(0, usegmt=True)}, 0.0),
    ],
)
def test_a_source_is_left_alone_for_as_long_as_it_asks(
    provider: Provider, tmp_path: Path, waits: list[float], asks: dict[str, str], wait: float
) -> None:
    def recover(handler: BaseHTTPRequestHandler) -> None:
        provider.serve(LIST)
        handler.send_response_only(503)
        for name, value in {"Content-Length": "0", **asks}.items():
            handler.send_header(name, value)
        handler.end_headers()

    provider.manners = recover
    assert fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=NOW).size == len(LIST)
    assert waits == [wait]


@pytest.mark.parametrize("asks", ["3600", formatdate(NOW / 1e6 + 3600, usegmt=True)])
def test_a_source_that_asks_for_more_time_than_there_is_is_not_asked_again(
    provider: Provider, tmp_path: Path, waits: list[float], asks: str
) -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(429)
        handler.send_header("Retry-After", asks)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    provider.manners = busy
    with pytest.raises(
        FetchFailed, match="429 Too Many Requests, and asks to be left alone for 3600 seconds"
    ):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=NOW)
    assert (len(provider.asked), waits) == (1, [])


def cut_length(handler: BaseHTTPRequestHandler) -> None:
    send(handler, LIST, headers={"Content-Length": str(len(LIST) + 1)})


def cut_chunk(handler: BaseHTTPRequestHandler) -> None:
    begin(handler, {"Transfer-Encoding": "chunked"})
    handler.wfile.write(f"{len(LIST):x}\r\n".encode() + LIST + b"\r\n")


def begin(handler: BaseHTTPRequestHandler, headers: Mapping[str, str]) -> None:
    handler.close_connection = True
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("manners", [cut_length, cut_chunk, hang_up])
def test_a_body_that_is_cut_off_is_tried_again_and_never_taken(
    provider: Provider, tmp_path: Path, manners: Manners
) -> None:
    provider.manners = manners
    with pytest.raises(FetchFailed, match="RemoteProtocolError"):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert len(provider.asked) == TRIES.attempts
    assert list(tmp_path.iterdir()) == []


def test_a_second_try_starts_from_nothing(provider: Provider, tmp_path: Path) -> None:
    def recover(handler: BaseHTTPRequestHandler) -> None:
        provider.serve(LIST)
        cut_length(handler)

    provider.manners = recover
    assert fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1).size == len(LIST)
    (kept,) = Downloads(tmp_path).all()
    assert Downloads(tmp_path).path(kept.sha256).read_bytes() == LIST
    assert len(provider.asked) == 2


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/list.csv?token=secret"
        with pytest.raises(FetchFailed, match="ConnectError") as failure:
            fetch(replace(FEED, url=url), Downloads(tmp_path), now=1)
    assert "secret" not in str(failure.value)


def test_a_redirect_is_followed_and_the_end_of_it_recorded(provider: Provider, tmp_path: Path) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/list.csv":
            send(handler, b"", status=302, headers={"Location": "/moved.csv?signature=secret"})
        else:
            send(handler, LIST)

    provider.manners = elsewhere
    assert fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1).url == provider.url.replace(
        "list", "moved"
    )


@pytest.mark.parametrize(
    ("target", "words"),
    [("/list.csv", "redirects more than 5 times"), ("file:///etc/hostname", "http and https only")],
)
def test_a_redirect_in_a_circle_or_out_of_the_web_fails(
    provider: Provider, tmp_path: Path, target: str, words: str
) -> None:
    provider.serve(b"", status=301, headers={"Location": target})
    with pytest.raises(FetchFailed, match=words):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)


def test_a_body_without_end_is_stopped_at_the_limit(provider: Provider, tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        begin(handler, {})
        try:
            while True:
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            return

    provider.manners = endless
    with pytest.raises(FetchFailed, match="larger than size_limit, 1,000,000 bytes"):
        fetch(replace(FEED, url=provider.url, size_limit=1_000_000), Downloads(tmp_path), now=1)
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_drips_is_stopped_at_the_timeout(provider: Provider, tmp_path: Path) -> None:
    stop = Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        begin(handler, {})
        try:
            while not stop.wait(0.02):
                handler.wfile.write(b"x\n")
        except OSError:
            return

    provider.manners = drip
    with pytest.raises(FetchFailed, match=r"took longer than fetch_timeout, 0\.3 seconds"):
        fetch(replace(FEED, url=provider.url, fetch_timeout=0.3), Downloads(tmp_path), now=1)
    stop.set()


def test_a_server_that_says_nothing_is_left_at_the_timeout(provider: Provider, tmp_path: Path) -> None:
    stop = Event()

    def say_nothing(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = stop.wait(10)

    provider.manners = say_nothing
    with pytest.raises(FetchFailed, match=r"ReadTimeout|took longer"):
        fetch(replace(FEED, url=provider.url, fetch_timeout=0.2), Downloads(tmp_path), now=1)
    stop.set()


def test_headers_that_drip_are_stopped_at_the_timeout(provider: Provider, tmp_path: Path) -> None:
    stop = Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.flush_headers()
        try:
            while not stop.wait(0.02):
                handler.wfile.write(b"X-Filler: x\r\n")
        except OSError:
            return

    provider.manners = drip
    with pytest.raises(FetchFailed, match=r"took longer than fetch_timeout, 0\.3 seconds"):
        fetch(replace(FEED, url=provider.url, fetch_timeout=0.3), Downloads(tmp_path), now=1)
    stop.set()


def test_what_came_before_the_timeout_is_carried_on_by_the_next_refresh(
    provider: Provider, tmp_path: Path
) -> None:
    body, mended = LIST * 1000, Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        first = int((handler.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        whole = {"ETag": '"1"', "Content-Length": str(len(body) - first)}
        if first:
            part = {**whole, "Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
            send(handler, body[first:], status=206, headers=part)
            return
        begin(handler, whole)
        try:
            while not mended.wait(0.02):
                handler.wfile.write(body[first : first + 1])
                first += 1
        except OSError:
            return

    provider.manners = drip
    feed, heard = replace(FEED, url=provider.url), Heard()
    with pytest.raises(FetchFailed, match="took longer than fetch_timeout"):
        fetch(replace(feed, fetch_timeout=0.5), Downloads(tmp_path), now=1)
    mended.set()
    assert fetch(feed, Downloads(tmp_path), now=2, progress=heard).path.read_bytes() == body
    assert [headers.get("Range") for _, headers in provider.asked] == [None, f"bytes={heard.amounts[0]}-"]
    assert sum(heard.amounts) == len(body)
