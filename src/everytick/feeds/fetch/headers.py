"""What the headers of HTTP say of a download, and what is said in them (RFC 9110)."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from everytick.errors import FetchFailed
from everytick.feeds.feed import ENVIRONMENT, Feed
from everytick.when import Instant, instant_of

_TELLING = frozenset(
    {
        "age",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
    }
)
_SECRET = frozenset({"location", "content-location", "link", "refresh", "set-cookie", "www-authenticate"})
_OF_THE_BODY = frozenset({"content-encoding", "content-length", "content-type"})
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_MINUTE = 60_000_000


def own(feed: Feed, url: str) -> dict[str, str]:
    """Return the feed's own headers for a request, with what the environment says where they refer to it.

    Those are secrets: they go to the feed's own host alone, wherever it redirects to.

    Raises:
        FetchFailed: The environment does not say it, or says what no header can hold.
    """
    found = {}
    for name, value in feed.headers.items():
        if not value.startswith(ENVIRONMENT):
            found[name] = value
        elif _origin(url) == _origin(feed.url):
            found[name] = _secret(feed, name, value.removeprefix(ENVIRONMENT))
    return found


def _secret(feed: Feed, name: str, variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise FetchFailed(
            f"feed '{feed.name}' takes its header {name} from the environment, which has no {variable}; "
            "set it where the runner starts"
        )
    if not (value.isascii() and value.isprintable()):
        raise FetchFailed(
            f"feed '{feed.name}' takes its header {name} from {variable}, which has a character that no "
            "header can hold"
        )
    return value


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def told(headers: Mapping[str, str], feed: Feed) -> dict[str, str]:
    """Return the headers of an answer that are worth keeping, by lower-case names; no secret is among them.

    The one in which the feed has its as-of date is kept too, whatever its name.
    """
    named = feed.as_of.response.lower() if feed.as_of and feed.as_of.response else ""
    kept = (_TELLING | {named}) - _SECRET
    return {name.lower(): value for name, value in headers.items() if name.lower() in kept}


def freshened(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return what is to be kept of an answer after a 304 to it (RFC 9111, section 3.2)."""
    return {**before, **{name: value for name, value in now.items() if name not in _OF_THE_BODY}}


def asked(feed: Feed) -> str:
    """Return a digest of what a feed asks for, and of what it needs to know of the answer.

    Another URL or other headers may get another answer; another place of the as-of date may be one of which
    nothing was kept.
    """
    headers = sorted((name.lower(), value) for name, value in feed.headers.items())
    return _digest([feed.url, headers, feed.as_of.response if feed.as_of else None])


def resource(url: str) -> str:
    """Return a digest of a URL, which may hold a token."""
    return _digest(url)


def conditions(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what to send so that an answer with these headers is not sent again if it is still the same.

    A Last-Modified that was young when it was sent says too little: a file that was fetched while somebody
    wrote it would be taken for the whole one.
    """
    modified, date = _instant(headers.get("last-modified")), _instant(headers.get("date"))
    young = modified is not None and date is not None and date - modified < _MINUTE
    pairs = {
        "If-None-Match": headers.get("etag"),
        "If-Modified-Since": None if young else headers.get("last-modified"),
    }
    return {name: value for name, value in pairs.items() if value}


def strong(headers: Mapping[str, str]) -> str | None:
    """Return the validator that tells whether a body is the same to the byte; None where there is none.

    An ETag that is not weak; or a Last-Modified so long ago that a second change would show (a minute, which
    allows for clocks that differ).
    """
    if headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    if tag := headers.get("etag"):
        return tag if tag.startswith('"') else None
    modified, date = _instant(headers.get("last-modified")), _instant(headers.get("date"))
    if modified is None or date is None or date - modified < _MINUTE:
        return None
    return headers["last-modified"]


def content_range(headers: Mapping[str, str]) -> tuple[int, int, int | None] | None:
    """Return a part's first and last byte, counted from 0, and the size of the whole if it is told."""
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if found is None:
        return None
    return int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])


def retry_after(headers: Mapping[str, str], now: Instant) -> float | None:
    """Return how many seconds a source asks to be left alone; None where it does not ask.

    A date counts from the answer's own date, so that clocks may differ; from ``now`` where it has none.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, date = _instant(value), _instant(headers.get("date"))
    if until is None:
        return None
    return max(0.0, (until - (now if date is None else date)) / 1e6)


def whole(headers: Mapping[str, str]) -> int | None:
    """Return how many bytes a body has in all, be it this one or the one that this is a part of."""
    if part := content_range(headers):
        return part[2]
    value = headers.get("content-length", "").strip()
    return int(value[:18]) if value.isascii() and value.isdigit() else None


def _instant(value: str | None) -> Instant | None:
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return instant_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
