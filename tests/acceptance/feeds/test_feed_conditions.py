"""What a source need not send again: lists it still has, and the rest of those it began to send."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from everytick.errors import FetchFailed
from everytick.feeds.archive.downloads import Downloads
from everytick.feeds.feed import AsOf, Feed
from everytick.feeds.fetch.download import TRIES, Fetched, fetch
from everytick.testing.provider import Provider, send

LIST = b"ISIN,NAME\nUS0378331005,Apple\n"
OTHER = b"ISIN,NAME\nDE0007164600,SAP\n"
LONG = LIST * 20_000
FEED = Feed(name="list", url="", allow_private=("127.0.0.0/8",), key="ISIN", fetch_timeout=5.0)
OLD, LATER, YOUNG = (formatdate(at, usegmt=True) for at in (1_700_000_000, 1_760_000_000, 4_000_000_000))


@dataclass
class Shelf:
    """A web server's manners with one file: conditions, parts, and now and then a connection that breaks.

    Attributes:
        body: The file.
        headers: What is said of it: ETag or Last-Modified.
        cuts: After how many bytes the next answers break off.
    """

    body: bytes
    headers: Mapping[str, str]
    cuts: list[int] = field(default_factory=list)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers
        tag, date = self.headers.get("ETag"), self.headers.get("Last-Modified")
        if tag and asked["If-None-Match"] == tag:
            send(handler, b"", status=304, headers={**self.headers, "Content-Length": "0"})
        elif not asked["If-None-Match"] and date and asked["If-Modified-Since"] == date:
            send(handler, b"", status=304, headers=self.headers)
        elif asked["Range"] and asked["If-Range"] in {tag, date}:
            first = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
            whole = len(self.body)
            part = {"Content-Range": f"bytes {first}-{whole - 1}/{whole}"}
            self._send(handler, self.body[first:], 206, {**self.headers, **part})
        else:
            self._send(handler, self.body, 200, {**self.headers, "Content-Type": "text/csv"})

    def _send(
        self, handler: BaseHTTPRequestHandler, body: bytes, status: int, headers: Mapping[str, str]
    ) -> None:
        sent = body[: self.cuts.pop(0)] if self.cuts else body
        send(handler, sent, status=status, headers={**headers, "Content-Length": str(len(body))})


def asked(provider: Provider, *names: str) -> list[tuple[str | None, ...]]:
    """Return what each request said under these names."""
    return [tuple(headers.get(name) for name in names) for _, headers in provider.asked]


CONDITIONS = ("If-None-Match", "If-Modified-Since")
NONE = (None, None)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({"ETag": '"1"'}, ('"1"', None)),
        ({"ETag": 'W/"1"'}, ('W/"1"', None)),
        ({"Last-Modified": OLD}, (None, OLD)),
        ({"ETag": '"1"', "Last-Modified": OLD}, ('"1"', OLD)),
    ],
)
def test_a_list_that_the_source_still_has_is_not_sent_again(
    provider: Provider, tmp_path: Path, said: dict[str, str], sent: tuple[str | None, ...]
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LIST, said)
    first = fetch(feed, downloads, now=1)
    again = fetch(feed, downloads, now=2)
    assert asked(provider, *CONDITIONS) == [NONE, sent]
    assert (first.status, first.not_modified, first.same_bytes) == (200, False, False)
    assert (again.status, again.not_modified, again.same_bytes) == (304, True, False)
    assert again.path.read_bytes() == LIST
    assert (again.size, again.sha256, again.at) == (len(LIST), first.sha256, 2)
    assert again.headers["content-type"] == "text/csv"
    assert again.headers["content-length"] == str(len(LIST))
    assert [(kept.at, kept.number) for kept in downloads.all()] == [(2, 2)]
    assert fetch(feed, downloads, now=3).not_modified


def test_a_new_list_is_sent_whole(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LIST, {"ETag": '"1"'})
    fetch(feed, downloads, now=1)
    provider.manners = Shelf(OTHER, {"ETag": '"2"'})
    new = fetch(feed, downloads, now=2)
    assert asked(provider, "If-None-Match") == [(None,), ('"1"',)]
    assert (new.status, new.not_modified, new.same_bytes, new.path.read_bytes()) == (200, False, False, OTHER)
    provider.manners = Shelf(LIST, {"ETag": '"3"'})
    back = fetch(feed, downloads, now=3)
    assert (back.same_bytes, back.path.read_bytes()) == (False, LIST)
    assert [kept.headers["etag"] for kept in downloads.all()] == ['"3"', '"2"']


def test_the_same_bytes_under_another_tag_are_told(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    for tag in ("1", "2"):
        provider.manners = Shelf(LIST, {"ETag": f'"{tag}"'})
        fetched = fetch(feed, downloads, now=1)
    assert (fetched.status, fetched.not_modified, fetched.same_bytes) == (200, False, True)
    assert len(downloads.all()) == 1


def test_a_date_that_goes_back_is_asked_for_as_it_was_said(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    for body, date in ((LIST, LATER), (OTHER, OLD)):
        provider.manners = Shelf(body, {"Last-Modified": date})
        assert fetch(feed, downloads, now=1).path.read_bytes() == body
    assert fetch(feed, downloads, now=2).not_modified
    assert asked(provider, "If-Modified-Since") == [(None,), (LATER,), (OLD,)]


def test_a_list_that_was_sent_while_it_may_have_been_written_is_sent_again(
    provider: Provider, tmp_path: Path
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    for body in (LIST[:-5], LIST):
        provider.manners = Shelf(body, {"Last-Modified": YOUNG})
        assert fetch(feed, downloads, now=1).path.read_bytes() == body
    assert asked(provider, *CONDITIONS) == [NONE, NONE]


def gone(downloads: Downloads, fetched: Fetched) -> None:
    downloads.path(fetched.sha256).unlink()


def damaged(downloads: Downloads, fetched: Fetched) -> None:
    downloads.path(fetched.sha256).write_bytes(LIST.swapcase())


def pruned(downloads: Downloads, _: Fetched) -> None:
    downloads.prune(0)


@pytest.mark.parametrize("lose", [gone, damaged, pruned])
def test_nothing_is_asked_for_on_the_word_of_bytes_that_are_lost(
    provider: Provider, tmp_path: Path, lose: Callable[[Downloads, Fetched], None]
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LIST, {"ETag": '"1"'})
    lose(downloads, fetch(feed, downloads, now=1))
    again = fetch(feed, downloads, now=2)
    assert asked(provider, *CONDITIONS) == [NONE, NONE]
    assert again.path.read_bytes() == LIST


@pytest.mark.parametrize(
    "other",
    [
        {"headers": {"Accept": "text/csv"}},
        {"as_of": AsOf(response="Last-Modified")},
        {"url": "?page=2"},
    ],
)
def test_the_answer_to_another_question_is_no_answer(
    provider: Provider, tmp_path: Path, other: dict[str, object]
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LIST, {"ETag": '"1"'})
    fetch(feed, downloads, now=1)
    if "url" in other:
        other = {"url": f"{provider.url}{other['url']}"}
    assert not fetch(replace(feed, **other), downloads, now=2).not_modified  # type: ignore[arg-type]  # one of its keys
    assert asked(provider, *CONDITIONS) == [NONE, NONE]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"size_limit": 9}, "larger than size_limit, 9 bytes"),
        ({"content_types": ("text/plain",)}, "calls text/csv"),
    ],
)
def test_what_the_feed_would_not_take_now_is_not_taken_from_before(
    provider: Provider, tmp_path: Path, other: dict[str, object], words: str
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LIST, {"ETag": '"1"'})
    fetch(feed, downloads, now=1)
    with pytest.raises(FetchFailed, match=words):
        fetch(replace(feed, **other), downloads, now=2)  # type: ignore[arg-type]  # one of its keys
    assert asked(provider, *CONDITIONS) == [NONE, NONE]
    assert fetch(replace(feed, key="NAME"), downloads, now=3).not_modified


def test_a_condition_holds_for_the_url_that_answered_only(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    shelf, target = Shelf(LIST, {"ETag": '"1"'}), ["/a?token=secret"]

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/list.csv":
            send(handler, b"", status=302, headers={"Location": target[0]})
        else:
            shelf(handler)

    provider.manners = elsewhere
    fetch(feed, downloads, now=1)
    assert fetch(feed, downloads, now=2).not_modified
    target[0] = "/b?token=secret"
    assert not fetch(feed, downloads, now=3).not_modified
    assert [(path, headers.get("If-None-Match")) for path, headers in provider.asked] == [
        ("/list.csv", None),
        ("/a?token=secret", None),
        ("/list.csv", None),
        ("/a?token=secret", '"1"'),
        ("/list.csv", None),
        ("/b?token=secret", None),
    ]


def test_a_body_that_is_cut_off_is_carried_on(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LONG, {"ETag": '"1"'}, cuts=[70_000, 70_000])
    fetched = fetch(feed, downloads, now=1)
    assert asked(provider, "Range", "If-Range") == [
        (None, None),
        ("bytes=70000-", '"1"'),
        ("bytes=140000-", '"1"'),
    ]
    assert fetched.path.read_bytes() == LONG
    assert (fetched.size, fetched.sha256) == (len(LONG), hashlib.sha256(LONG).hexdigest())
    assert (fetched.status, fetched.headers["content-type"]) == (206, "text/csv")
    assert fetched.headers["content-length"] == str(len(LONG))
    assert fetch(feed, downloads, now=2).not_modified


def test_the_next_refresh_carries_on_too(provider: Provider, tmp_path: Path) -> None:
    feed = replace(FEED, url=provider.url)
    said = {"Last-Modified": OLD}
    provider.manners = Shelf(LONG, said, cuts=[90_000, 0, 0])
    with pytest.raises(FetchFailed, match="RemoteProtocolError"):
        fetch(feed, Downloads(tmp_path), now=1)
    assert fetch(feed, Downloads(tmp_path), now=2).path.read_bytes() == LONG
    assert asked(provider, "Range", "If-Range") == [(None, None)] + [("bytes=90000-", OLD)] * TRIES.attempts


def test_the_rest_of_another_body_is_never_put_behind_a_beginning(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    new = Shelf(OTHER * 20_000, {"ETag": '"2"'})

    def replaced(handler: BaseHTTPRequestHandler) -> None:
        provider.manners = new
        Shelf(LONG, {"ETag": '"1"'}, cuts=[70_000])(handler)

    provider.manners = replaced
    fetched = fetch(feed, downloads, now=1)
    assert asked(provider, "If-Range") == [(None,), ('"1"',)]
    assert (fetched.status, fetched.path.read_bytes()) == (200, new.body)


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        (206, {"Content-Range": f"bytes 0-{len(LONG) - 1}/{len(LONG)}"}),
        (206, {"Content-Range": f"bytes 70000-80000/{len(LONG)}"}),
        (206, {"Content-Range": f"bytes 70000-{len(LONG)}/{len(LONG) + 1}"}),
        (206, {"Content-Range": f"bytes 70000-{len(LONG) - 1}/*"}),
        (206, {"Content-Range": f"bytes 70000-{len(LONG) - 1}/{len(LONG)}", "ETag": '"2"'}),
        (206, {"Content-Range": f"bytes 70000-{len(LONG) - 1}/{len(LONG)}", "Content-Encoding": "gzip"}),
        (206, {"Content-Type": "multipart/byteranges; boundary=x"}),
        (416, {"Content-Range": f"bytes */{len(LONG)}"}),
    ],
)
def test_a_part_that_does_not_fit_is_dropped_and_the_whole_is_asked_for(
    provider: Provider, tmp_path: Path, status: int, wrong: dict[str, str]
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["Range"]:
            send(handler, LONG[70_000:], status=status, headers=wrong)
        else:
            shelf(handler)

    shelf = Shelf(LONG, {"ETag": '"1"'}, cuts=[70_000])
    provider.manners = answer
    fetched = fetch(feed, downloads, now=1)
    assert asked(provider, "Range") == [(None,), ("bytes=70000-",), (None,)]
    assert fetched.path.read_bytes() == LONG


def test_the_rest_of_a_longer_body_is_not_taken(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["Range"]:
            part = {"Content-Range": f"bytes 70000-{len(LONG)}/{len(LONG) + 1}"}
            send(handler, LONG[70_000:] + b"\n", status=206, headers=part)
        else:
            shelf(handler)

    shelf = Shelf(LONG, {"ETag": '"1"'}, cuts=[70_000])
    provider.manners = answer
    assert fetch(feed, downloads, now=1).path.read_bytes() == LONG
    assert asked(provider, "Range") == [(None,), ("bytes=70000-",), (None,)]


@pytest.mark.parametrize(
    "said",
    [
        {"ETag": 'W/"1"'},
        {"Last-Modified": YOUNG},
        {"ETag": '"1"', "Accept-Ranges": "none"},
        {},
    ],
)
def test_where_nothing_vouches_for_every_byte_the_whole_is_asked_for(
    provider: Provider, tmp_path: Path, said: dict[str, str]
) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    provider.manners = Shelf(LONG, said, cuts=[70_000])
    assert fetch(feed, downloads, now=1).path.read_bytes() == LONG
    assert asked(provider, "Range") == [(None,), (None,)]


def test_a_beginning_is_of_use_for_the_url_that_sent_it_only(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    shelf, targets = Shelf(LONG, {"ETag": '"1"'}, cuts=[70_000]), ["/b", "/a"]

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/list.csv":
            send(handler, b"", status=302, headers={"Location": targets.pop()})
        else:
            shelf(handler)

    provider.manners = elsewhere
    assert fetch(feed, downloads, now=1).path.read_bytes() == LONG
    assert [(path, headers.get("Range")) for path, headers in provider.asked] == [
        ("/list.csv", None),
        ("/a", None),
        ("/list.csv", None),
        ("/b", None),
    ]


def test_a_rest_that_is_shorter_than_it_says_is_not_taken(provider: Provider, tmp_path: Path) -> None:
    feed, downloads = replace(FEED, url=provider.url), Downloads(tmp_path)
    shelf = Shelf(LONG, {"ETag": '"1"'}, cuts=[70_000])

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not handler.headers["Range"]:
            shelf(handler)
            return
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 70000-{len(LONG) - 1}/{len(LONG)}")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"4\r\nISIN\r\n0\r\n\r\n")
        handler.close_connection = True

    provider.manners = answer
    fetched = fetch(feed, downloads, now=1)
    assert asked(provider, "Range") == [(None,), ("bytes=70000-",), (None,)]
    assert fetched.path.read_bytes() == LONG
