"""The download: one GET into a file, whole or not at all.

A body that ends before its announced length, or in the middle of a chunk, is noticed by the HTTP library
and tried again; so are refused connections and a server's own faults (5xx). Anything else that is not a list
is a failure at once.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Timer
from urllib.parse import urlsplit

import httpx
import stamina

from everytick import __version__
from everytick.errors import FetchFailed
from everytick.feeds.downloads import Download, Downloads
from everytick.feeds.feed import Feed
from everytick.feeds.progress import Progress, Silent
from everytick.when import Instant

# Where the host has set up no logging, a retry is not worth a bare line on stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())

ATTEMPTS = 3
"""How often a download is tried in all."""

_SILENT = Silent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What arrived.

    Attributes:
        url: Where it came from at last, redirects followed; without its query, which may hold a token.
        redirects: The URLs on the way there, the feed's own first; the same, without their queries.
        status: The answer: 200, or 304 for "not modified".
        headers: What the answer said of the bytes, by lower-case names; nothing secret.
        size: Bytes as they arrived.
        sha256: Their digest, in hexadecimal.
        path: The file that holds them.
        at: The moment of the download.
        not_modified: The source says that it still has what it sent before; the bytes are the kept ones.
        same_bytes: It sent them, and they are those of the newest download before.
    """

    url: str
    redirects: tuple[str, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int
    sha256: str
    path: Path
    at: Instant
    not_modified: bool = False
    same_bytes: bool = False


class _Passing(Exception):
    """A failure that may be over at the next try."""


def fetch(feed: Feed, downloads: Downloads, *, now: Instant, progress: Progress = _SILENT) -> Fetched:
    """Download a feed's list, and keep it.

    Args:
        feed: The feed.
        downloads: What it sent so far.
        now: The moment, for the notes of what is kept.
        progress: Hears of the stage "fetch", in bytes.

    Raises:
        FetchFailed: It did not arrive whole, or what arrived is no list at all.
    """
    progress.stage("fetch")
    into = downloads.partial
    into.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _deadline(feed.fetch_timeout) as late:
            for attempt in stamina.retry_context(
                on=(_Passing, httpx.TransportError),
                attempts=ATTEMPTS,
                timeout=feed.fetch_timeout,
                wait_initial=0.5,
            ):
                with attempt:
                    url, size, sha256 = _get(feed, into, late)
    except _Passing as error:
        raise FetchFailed(str(error)) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchFailed(f"{_shown(feed.url)}: {_words(error)}") from error
    _refuse_what_is_no_list(feed.url, into, size)
    before = downloads.newest()
    kept = downloads.keep(
        Download(sha256=sha256, size=size, at=now, asked="", resource="", url=url, headers={}), into
    )
    return Fetched(
        url=url,
        size=size,
        sha256=sha256,
        path=downloads.path(sha256),
        at=kept.at,
        same_bytes=before is not None and before.sha256 == sha256,
    )


@contextmanager
def _deadline(seconds: float) -> Iterator[Event]:
    """Yield an event that is set when the time is over."""
    late = Event()
    timer = Timer(seconds, late.set)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _get(feed: Feed, into: Path, late: Event) -> tuple[str, int, str]:
    # Compressed or not, the bytes are kept as they arrive; unpacking comes later, and has its own limit.
    headers = {"User-Agent": f"everytick/{__version__}", "Accept-Encoding": "gzip", **feed.headers}
    with (
        httpx.Client(timeout=feed.fetch_timeout / 2, follow_redirects=True, max_redirects=5) as client,
        client.stream("GET", feed.url, headers=headers) as response,
        into.open("wb") as file,
    ):
        if response.status_code >= 500:
            raise _Passing(f"{_shown(feed.url)} answered {response.status_code} {response.reason_phrase}")
        if response.status_code != 200:
            raise FetchFailed(f"{_shown(feed.url)} answered {response.status_code} {response.reason_phrase}")
        digest, size = hashlib.sha256(), 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > feed.size_limit:
                raise FetchFailed(f"{_shown(feed.url)} is larger than size_limit, {feed.size_limit:,} bytes")
            if late.is_set():
                raise FetchFailed(
                    f"{_shown(feed.url)} took longer than fetch_timeout, {feed.fetch_timeout:g} seconds"
                )
            digest.update(chunk)
            file.write(chunk)
        return _shown(str(response.url)), size, digest.hexdigest()


def _refuse_what_is_no_list(url: str, file: Path, size: int) -> None:
    if size < 2:
        raise FetchFailed(f"{_shown(url)} answered 200 with a body of {size} bytes")
    with file.open("rb") as opened:
        head = opened.read(512).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        start = head[:40].decode("ascii", "replace").split("\n")[0]
        raise FetchFailed(f"{_shown(url)} answered 200 with a page instead of a list: {start!r}")


def _shown(url: str) -> str:
    """Return a URL for people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
