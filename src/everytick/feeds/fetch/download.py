"""The download: a feed's list arrives whole, or not at all.

What may be over at the next try is tried again, as politely as the source asks: refused connections, bodies
that end before their announced length, a server's own faults (5xx) and its wish to be left alone (429). A
body that was cut off is carried on where the source can vouch that it is still the same one. Anything else
that is not a list is a failure at once.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from everytick import __version__
from everytick.errors import FetchFailed
from everytick.feeds.archive.downloads import Download, Downloads, Partial
from everytick.feeds.extract import kind
from everytick.feeds.feed import Feed
from everytick.feeds.fetch import headers
from everytick.feeds.fetch.deadline import Deadline
from everytick.feeds.fetch.reach import Reach
from everytick.feeds.progress import SILENT, Progress
from everytick.policy import SECOND, Retry
from everytick.when import Instant

TRIES = Retry(attempts=3, delay=SECOND // 2)
"""How often a download is tried in all, and the waits between where the source asks for no other."""

REDIRECTS = 5
"""So many are followed."""

_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What arrived.

    Attributes:
        url: Where it came from at last, redirects followed; without its query, which may hold a token.
        redirects: The URLs on the way there, the feed's own first; they lack their queries, too.
        status: The answer: 200 (206 where the rest of it was sent), or 304 for "not modified".
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
    """A failure that may be over at the next try.

    Attributes:
        wait: How many seconds the source asks to be left alone; None where it does not.
    """

    def __init__(self, words: str, wait: float | None = None) -> None:
        super().__init__(words)
        self.wait = wait


def fetch(feed: Feed, downloads: Downloads, *, now: Instant, progress: Progress = SILENT) -> Fetched:
    """Download a feed's list, and keep it; or learn that the source still has what is kept.

    Args:
        feed: The feed.
        downloads: What it sent so far.
        now: The moment, for the notes of what is kept.
        progress: Hears of the stage "fetch", in bytes.

    Raises:
        FetchFailed: It did not arrive whole, or what arrived is no list at all.
    """
    progress.stage("fetch")
    downloads.prepare(headers.asked(feed))
    try:
        with _discreetly():
            return _patiently(feed, downloads, now=now, progress=progress)
    except (httpx.InvalidURL, UnicodeError) as error:  # the latter is what IDNA finds wrong with a name
        raise FetchFailed(f"feed '{feed.name}' is at, or sent to, what is no URL: {error}") from error


@contextmanager
def _discreetly() -> Iterator[None]:
    """Keep queries out of what httpx logs of each request."""
    log, discretion = logging.getLogger("httpx"), _Discretion()
    log.addFilter(discretion)
    try:
        yield
    finally:
        log.removeFilter(discretion)


class _Discretion(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the URLs of a record, and let it pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(each) if isinstance(each, httpx.URL) else each for each in record.args)
        return True


def _patiently(feed: Feed, downloads: Downloads, *, now: Instant, progress: Progress) -> Fetched:
    with (
        Deadline(feed.fetch_timeout) as deadline,
        Reach(feed, deadline) as reach,
        httpx.Client(transport=reach, trust_env=False) as client,
    ):
        source = _Source(feed, downloads, now=now, progress=progress, deadline=deadline, client=client)
        failures = 0
        while True:
            try:
                return source.ask()
            except _Passing as error:
                failures += 1
                _wait(error, failures, deadline, (feed.name, now))


def _wait(error: _Passing, failures: int, deadline: Deadline, seed: tuple[object, ...]) -> None:
    """Wait before the next try; fail where there is none."""
    wait = TRIES.wait(failures, (*seed, failures)) / SECOND if error.wait is None else error.wait
    asks = f", and asks to be left alone for {error.wait:g} seconds" if error.wait else ""
    if failures == TRIES.attempts or wait > deadline.left():
        raise FetchFailed(f"{error}{asks}") from error
    deadline.wait(wait)


class _Source:
    """Where the list is, for one download.

    Args:
        feed: The feed.
        downloads: What it sent so far.
        now: The moment.
        progress: Hears how far it has come.
        deadline: When it must be over.
        client: What sends the requests.
    """

    def __init__(
        self,
        feed: Feed,
        downloads: Downloads,
        *,
        now: Instant,
        progress: Progress,
        deadline: Deadline,
        client: httpx.Client,
    ) -> None:
        self._feed = feed
        self._downloads = downloads
        self._now = now
        self._progress = progress
        self._deadline = deadline
        self._client = client
        self._asked = headers.asked(feed)
        self._before = next(iter(downloads.all()), None)
        self._kept = self._usable(downloads.newest(self._asked))

    def ask(self) -> Fetched:
        """Try once.

        Raises:
            _Passing: In vain; the next try may do better.
            FetchFailed: In vain.
        """
        try:
            return self._follow()
        except httpx.HTTPError as error:
            url = _shown(error.request.url)
            if self._deadline.over:
                limit = f"fetch_timeout, {self._feed.fetch_timeout:g} seconds"
                raise FetchFailed(f"{url} took longer than {limit}") from error
            words = f"{url}: {type(error).__name__}: {error}".rstrip(": ")
            if isinstance(error, httpx.LocalProtocolError):
                raise FetchFailed(words) from error
            raise _Passing(words) from error

    def _follow(self) -> Fetched:
        url = httpx.URL(self._feed.url)
        way: list[str] = []
        while len(way) <= REDIRECTS:
            with self._get(url) as response:
                if response.next_request is None:
                    return self._answered(response, tuple(way))
                way.append(_shown(url))
                url = response.next_request.url
                if response.url.scheme == "https" and url.scheme == "http":
                    raise FetchFailed(
                        f"{way[-1]} redirects from https to {_shown(url)}, where anybody may listen"
                    )
        raise FetchFailed(f"{way[0]} redirects more than {REDIRECTS} times, at last to {_shown(url)}")

    def _get(self, url: httpx.URL) -> AbstractContextManager[httpx.Response]:
        return self._client.stream(
            "GET",
            url,
            # Compressed or not, the bytes are kept as they arrive; unpacking comes later, with its own limit.
            headers={
                "User-Agent": f"everytick/{__version__}",
                "Accept-Encoding": "gzip",
                **headers.own(self._feed, str(url)),
                **self._conditions(headers.resource(str(url))),
            },
            timeout=min(self._feed.fetch_timeout / 2, self._deadline.left()),
            extensions={"trace": self._deadline.hear},
        )

    def _conditions(self, resource: str) -> dict[str, str]:
        """Return what to send so that nothing is sent again that is here; each holds for one URL only."""
        partial = self._downloads.begun(self._asked)
        if partial is not None and partial.resource == resource:
            return {"Range": f"bytes={partial.size}-", "If-Range": partial.validator}
        if self._kept is not None and self._kept.resource == resource:
            return headers.conditions(self._kept.headers)
        return {}

    def _answered(self, response: httpx.Response, way: tuple[str, ...]) -> Fetched:
        status, sent = response.status_code, response.request.headers
        answered = f"{_shown(response.url)} answered {status} {response.reason_phrase}".rstrip()
        if status == 200:
            return self._arrive(response, way, None)
        if status == 304 and self._kept and ("If-None-Match" in sent or "If-Modified-Since" in sent):
            return self._not_modified(self._kept, response, way)
        if status in {206, 416} and "Range" in sent:
            partial = self._downloads.begun(self._asked)
            if partial is not None and _carries_on(partial, response.headers):
                return self._arrive(response, way, partial)
            self._downloads.drop()
            raise _Passing(f"{answered}, and not the rest of what it began to send", wait=0.0)
        if status >= 500 or status in _PASSING:
            raise _Passing(answered, headers.retry_after(response.headers, self._now))
        raise FetchFailed(answered)

    def _not_modified(self, kept: Download, response: httpx.Response, way: tuple[str, ...]) -> Fetched:
        said = headers.freshened(kept.headers, headers.told(response.headers, self._feed))
        kept = self._downloads.keep(replace(kept, at=self._now, headers=said))
        return self._fetched(kept, status=304, redirects=way, not_modified=True)

    def _arrive(self, response: httpx.Response, way: tuple[str, ...], partial: Partial | None) -> Fetched:
        said = headers.told(response.headers, self._feed)
        validator = headers.strong(response.headers)
        if partial is not None:
            validator, said = partial.validator, headers.freshened(partial.headers, said)
        url, resource = _shown(response.url), headers.resource(str(response.url))
        total = headers.whole(response.headers)
        self._refuse_large(total or 0, url)
        try:
            size, sha256 = self._receive(response, partial, total, url)
        except httpx.TransportError:
            self._cut(resource, validator, said)
            raise
        if total not in {None, size}:
            self._downloads.drop()
            raise _Passing(f"{url} announced {total:,} bytes and sent {size:,}")
        with self._downloads.partial.open("rb") as file:
            objection = kind.objection(self._feed, file.read(kind.HEAD), said)
        if objection:
            self._downloads.drop()
            raise FetchFailed(f"{url} answered {response.status_code} with {objection}")
        download = Download(
            sha256=sha256,
            size=size,
            at=self._now,
            asked=self._asked,
            resource=resource,
            url=url,
            headers=said,
        )
        kept = self._downloads.keep(download, self._downloads.partial)
        same = self._before is not None and self._before.sha256 == sha256
        return self._fetched(kept, status=response.status_code, redirects=way, same_bytes=same)

    def _receive(
        self, response: httpx.Response, partial: Partial | None, total: int | None, url: str
    ) -> tuple[int, str]:
        """Write a body, or the rest of one, to its file; return the size of the whole and its digest."""
        self._progress.stage("fetch", total)
        with self._downloads.arrive(partial) as file:
            digest = hashlib.file_digest(file, "sha256")
            size = file.tell()
            self._progress.advance(size)
            for chunk in response.iter_raw():
                size += len(chunk)
                self._refuse_large(size, url)
                digest.update(chunk)
                file.write(chunk)
                self._progress.advance(len(chunk))
        if self._deadline.over:  # then the end of the body may be ours
            raise httpx.ReadTimeout("", request=response.request)
        return size, digest.hexdigest()

    def _cut(self, resource: str, validator: str | None, said: Mapping[str, str]) -> None:
        size = self._downloads.partial.stat().st_size
        if validator is None or size == 0:
            self._downloads.drop()
            return
        self._downloads.cut(
            Partial(asked=self._asked, resource=resource, size=size, validator=validator, headers=said)
        )

    def _refuse_large(self, size: int, url: str) -> None:
        if size > self._feed.size_limit:
            self._downloads.drop()
            raise FetchFailed(f"{url} is larger than size_limit, {self._feed.size_limit:,} bytes")

    def _usable(self, kept: Download | None) -> Download | None:
        """Return a kept download if this feed would take it if it came now."""
        if kept is None or kept.size > self._feed.size_limit:
            return None
        with self._downloads.path(kept.sha256).open("rb") as file:
            return None if kind.objection(self._feed, file.read(kind.HEAD), kept.headers) else kept

    def _fetched(
        self,
        kept: Download,
        *,
        status: int,
        redirects: tuple[str, ...],
        not_modified: bool = False,
        same_bytes: bool = False,
    ) -> Fetched:
        return Fetched(
            url=kept.url,
            redirects=redirects,
            status=status,
            headers=kept.headers,
            size=kept.size,
            sha256=kept.sha256,
            path=self._downloads.path(kept.sha256),
            at=kept.at,
            not_modified=not_modified,
            same_bytes=same_bytes,
        )


def _carries_on(partial: Partial, said: Mapping[str, str]) -> bool:
    """Tell whether an answer is the whole rest of a body, and of the same one."""
    part = headers.content_range(said)
    if part is None:
        return False
    first, last, total = part
    known = headers.whole(partial.headers)
    return (
        (first, last + 1) == (partial.size, total)
        and known in {None, total}
        and said.get("etag", partial.validator) in {partial.validator, partial.headers.get("etag")}
        and said.get("content-encoding", "") in {"", partial.headers.get("content-encoding", "")}
    )


def _shown(url: httpx.URL) -> str:
    """Return a URL for people and notes: without its query and its user, which may be secrets."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}"
