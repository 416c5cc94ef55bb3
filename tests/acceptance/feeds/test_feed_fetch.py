import hashlib
import socket
from collections.abc import Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event

import pytest

from everytick.errors import FetchFailed
from everytick.feeds.downloads import Downloads
from everytick.feeds.feed import Feed
from everytick.feeds.fetch import TRIES, fetch
from everytick.testing.provider import Manners, Provider, send

LIST = b"ISIN,NAME\nUS0378331005,Apple\n"


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


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (LIST, 404, "answered 404 Not Found"),
        (LIST, 403, "answered 403 Forbidden"),
        (LIST, 206, "answered 206"),
        (LIST, 304, "answered 304"),
        (b"", 200, "a body of 0 bytes"),
        (b"\n", 200, "a body of 1 bytes"),
        (b"<!DOCTYPE html>\n<html>Access Denied</html>", 200, "a page instead of a list: '<!DOCTYPE html>'"),
        (b"\xef\xbb\xbf \n<HTML>", 200, "a page instead of a list"),
    ],
)
def test_what_is_no_list_fails_at_once(
    provider: Provider, tmp_path: Path, body: bytes, status: int, words: str
) -> None:
    provider.serve(b"" if status == 304 else body, status=status)
    with pytest.raises(FetchFailed, match=words):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert len(provider.asked) == 1


def test_a_fault_of_the_server_is_tried_again(provider: Provider, tmp_path: Path) -> None:
    provider.serve(b"busy", status=503)
    with pytest.raises(FetchFailed, match="answered 503 Service Unavailable"):
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert len(provider.asked) == TRIES.attempts


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
    with pytest.raises(FetchFailed, match="ReadTimeout"):
        fetch(replace(FEED, url=provider.url, fetch_timeout=0.2), Downloads(tmp_path), now=1)
    stop.set()
