"""How a web server answers one who asks for a file, by RFC 9110: whole, in part, or with "you have it"."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to GET.

    Attributes:
        status: The HTTP status.
        headers: Its headers.
        begin: The first byte of the file to send.
        end: The one after the last.
    """

    status: int
    headers: Mapping[str, str]
    begin: int = 0
    end: int = 0


def answer(asked: Message, body: bytes, made: datetime, kind: str) -> Answer:
    """Return the answer to one who asks for a file.

    Args:
        asked: The headers of the request.
        body: The file.
        made: When it was last changed; in UTC, whole seconds.
        kind: Its media type.
    """
    size, tag = len(body), f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Last-Modified": format_datetime(made, usegmt=True), "Accept-Ranges": "bytes"}
    if has_it(asked, tag, made):
        return Answer(status=304, headers=headers)
    headers["Content-Type"] = kind
    begin, end = part(asked, tag, made, size)
    headers["Content-Length"] = str(end - begin)
    if (begin, end) == (0, size):
        return Answer(status=200, headers=headers, end=end)
    if begin >= end:
        return Answer(status=416, headers={"Content-Range": f"bytes */{size}", "Content-Length": "0"})
    headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return Answer(status=206, headers=headers, begin=begin, end=end)


def has_it(asked: Message, tag: str, made: datetime) -> bool:
    """Tell whether they have the file already, by its tag if they name one, else by its date."""
    known = asked.get("If-None-Match")
    if known is not None:
        return known.strip() == "*" or tag in _TAG.findall(known)
    since = date(asked.get("If-Modified-Since"))
    return since is not None and made <= since


def part(asked: Message, tag: str, made: datetime, size: int) -> tuple[int, int]:
    """Return the bytes to send, from and up to; all, where no one range is asked for, or of another file."""
    found = _RANGE.fullmatch(asked.get("Range", "").strip())
    of = asked.get("If-Range")
    if found is None or found[0] == "bytes=-" or (of is not None and of != tag and date(of) != made):
        return 0, size
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return 0, size
    return int(first), min(int(last) + 1, size) if last else size


def date(text: str | None) -> datetime | None:
    """Return the instant that a header tells; None where it tells none."""
    try:
        told = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
