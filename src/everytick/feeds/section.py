"""From a ``[feed.NAME]`` table to a feed: each key's own reader, each error with its key and the mend."""

import codecs
import re
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import ip_network
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from everytick.errors import ConfigError, ScheduleError
from everytick.feeds.feed import ENVIRONMENT, FORMATS, AsOf, Feed, Limit, Window
from everytick.when.duration import parse_duration

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_SIZE = re.compile(r"([1-9][0-9]*)\s*([kMG]?)B")
_SCALE = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_SECRET = re.compile(r"(?i)authori[sz]ation|cookie|token|secret|passw|api-?key|\bkey\b")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/([a-z0-9.+-]+|\*)")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read(name: str, section: Mapping[str, Any]) -> tuple[Feed, dict[str, Any]]:
    """Return the feed that a ``[feed.NAME]`` table describes, and the table's other keys.

    Raises:
        ConfigError: A value cannot be used; the message names its key and the mend.
    """
    for key, example in (("url", "https://example.org/list.csv"), ("key", "ISIN")):
        if key not in section:
            raise ConfigError(f'feed.{name} lacks "{key}"; write {key} = "{example}"')
    own = {key: _READERS[key](f"feed.{name}.{key}", section[key]) for key in section if key in KEYS}
    return Feed(name=name, **own), {key: value for key, value in section.items() if key not in KEYS}


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where} is not a text: {value!r}")
    return value.strip()


def _pattern(where: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where} is no regular expression: {value!r}")
    return value


def _truth(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} is neither true nor false: {value!r}")
    return value


def _number(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"{where} is no number from 0 on: {value!r}")
    return value


def _count(where: str, value: object) -> int:
    number = _number(where, value)
    if not number:
        raise ConfigError(f"{where} is 0; at least the newest one is kept")
    return number


def _url(where: str, value: object) -> str:
    text = _text(where, value)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{where} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"{where} is no http or https URL: {text!r}")
    if not text.isprintable() or " " in text:
        raise ConfigError(f"{where} has a space or another character that no URL can hold; write %20 for it")
    if parts.username or parts.password:
        raise ConfigError(f"{where} holds a user or password; a definition keeps no secrets")
    return text


def _listed(where: str, value: object, example: str) -> list[object]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} is no list: {value!r}; write {example}")
    return value


def _names(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ConfigError(f'{where} is no list of columns: {value!r}; write ["ISIN", "NAME"]')
    names = tuple(_text(where, name) for name in value)
    if len(set(names)) < len(names):
        raise ConfigError(f"{where} names a column twice")
    return names


def _texts(where: str, value: object) -> tuple[str, ...]:
    """Read one text or several; an empty list is none."""
    several = value if isinstance(value, list) else [value]
    return tuple(_text(where, each) for each in several)


def _nothing(where: str, value: object) -> tuple[str, ...]:
    """Read what stands for no key; an empty text may."""
    several = value if isinstance(value, list) else [value]
    texts = [each for each in several if isinstance(each, str)]
    if len(texts) < len(several):
        raise ConfigError(f'{where} is no list of texts: {value!r}; write ["-", "NA"]')
    return tuple(each.strip() for each in texts)


def _aliases(where: str, value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ConfigError(f'{where} is no table: {value!r}; write {{ "ISIN NUMBER" = ["ISIN_NUMBER"] }}')
    found = {_text(where, name): _texts(f"{where}.{name}", others) for name, others in value.items()}
    every = [*found, *(other for others in found.values() for other in others)]
    for name in every:
        if every.count(name) > 1:
            raise ConfigError(f"{where} has '{name}' twice; a column goes by one name here")
    return found


def _hosts(where: str, value: object) -> tuple[str, ...]:
    hosts = tuple(_text(where, host).lower() for host in _listed(where, value, '["archives.example.org"]'))
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            raise ConfigError(f'{where} holds no host: {host!r}; write "archives.example.org"')
    return hosts


def _networks(where: str, value: object) -> tuple[str, ...]:
    found = []
    for each in _listed(where, value, '["127.0.0.0/8"]'):
        try:
            found.append(str(ip_network(_text(where, each))))
        except ValueError as error:
            raise ConfigError(f'{where} holds no network: {error}; write ["127.0.0.0/8"]') from error
    return tuple(found)


def _media_types(where: str, value: object) -> tuple[str, ...]:
    found = tuple(_text(where, each).lower() for each in _listed(where, value, '["text/csv"]'))
    for each in found:
        if _MEDIA_TYPE.fullmatch(each) is None:
            raise ConfigError(f'{where} holds no media type: {each!r}; write "text/csv" or "text/*"')
    return found


def _share(where: str, value: object) -> float:
    share = -1.0
    if isinstance(value, str) and (found := _PERCENT.fullmatch(value.strip())):
        share = float(found[1]) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    if not 0 <= share <= 1:
        raise ConfigError(f'{where} is no share: {value!r}; write "5%", from "0%" to "100%"')
    return share


def _limit(where: str, value: object) -> Limit:
    if not isinstance(value, dict):
        return Limit(hold=_share(where, value))
    _refuse_others(where, value, ("hold", "refuse"))
    limit = Limit(**{key: _share(f"{where}.{key}", each) for key, each in value.items()})
    if limit.hold is not None and limit.refuse is not None and limit.hold > limit.refuse:
        raise ConfigError(f"{where}.hold is above refuse, so nothing would ever be held; exchange the two")
    return limit


def _encodings(where: str, value: object) -> tuple[str, ...]:
    return tuple(_encoding(where, each) for each in (value if isinstance(value, list) else [value]))


def _encoding(where: str, value: object) -> str:
    name = _text(where, value)
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise ConfigError(f'{where} is no text encoding: {value!r}; write "utf-8" or "cp1252"') from error


def _delimiter(where: str, value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in '"\r\n\0':
        raise ConfigError(f'{where} is not one character: {value!r}; write ";" or "\\t"')
    return value


def _headers(where: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ConfigError(f'{where} is no table: {value!r}; write {{ User-Agent = "..." }}')
    headers = {str(name): _text(f"{where}.{name}", content) for name, content in value.items()}
    for name, content in headers.items():
        if not content.startswith(ENVIRONMENT):
            if _SECRET.search(name):
                raise ConfigError(
                    f"{where} holds '{name}'; a definition keeps no secrets: "
                    f'write {name} = "env:NAME", which takes it from the environment'
                )
        elif not _VARIABLE.fullmatch(content.removeprefix(ENVIRONMENT)):
            raise ConfigError(f"{where}.{name} names no variable of the environment: {content!r}")
    if not all(text.isascii() and text.isprintable() for pair in headers.items() for text in pair):
        raise ConfigError(f"{where} has a character that no HTTP header can hold; use ASCII")
    return headers


def _as_of(where: str, value: object) -> AsOf:
    example = '{ column = "Date", format = "%d-%b-%Y" }'
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is no table: {value!r}; write {example}")
    _refuse_others(where, value, ("column", "pattern", "response", "format"))
    places = [key for key in ("column", "pattern", "response") if key in value]
    if len(places) != 1:
        raise ConfigError(f"{where} names not one place but {len(places)}; write {example}")
    readers = {"pattern": _pattern}
    return AsOf(**{key: readers.get(key, _text)(f"{where}.{key}", each) for key, each in value.items()})


def _window(where: str, value: object) -> Window:
    example = '{ every = "10m", within = "4h" }'
    if not isinstance(value, dict) or {"every", "within"} - value.keys():
        raise ConfigError(f"{where} lacks every or within: {value!r}; write {example}")
    _refuse_others(where, value, ("every", "within"))
    window = Window(**{key: _seconds(f"{where}.{key}", each) for key, each in value.items()})
    if window.every > window.within:
        raise ConfigError(f"{where}.every is longer than within; write {example}")
    return window


def _days(where: str, value: object) -> tuple[str, ...]:
    found = []
    for each in _listed(where, value, '["sat", "sun", "2026-01-26"]'):
        text = each.isoformat() if isinstance(each, date) else _text(where, each).lower()
        if text not in _WEEKDAYS:
            try:
                date.fromisoformat(text)
            except ValueError as error:
                raise ConfigError(f'{where} holds no day: {each!r}; write ["sat", "2026-01-26"]') from error
        found.append(text)
    return tuple(found)


def _refuse_others(where: str, value: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in value:
        if key not in known:
            raise ConfigError(f"{where} has no key '{key}'; it has: {', '.join(known)}")


def _seconds(where: str, value: object) -> float:
    seconds = 0.0
    if isinstance(value, str):
        try:
            seconds = parse_duration(value).total_seconds()
        except ScheduleError as error:
            raise ConfigError(f"{where} is no duration: {error}") from error
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    if not 0 < seconds <= 86_400:
        raise ConfigError(f'{where} is no time between 0 and a day: {value!r}; write "60s" or "5m"')
    return seconds


def _size(where: str, value: object) -> int:
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        return int(found[1]) * _SCALE[found[2]]
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ConfigError(f'{where} is no size: {value!r}; write "200MB"')


def _publish(where: str, value: object) -> tuple[str, ...]:
    found = _texts(where, value)
    for each in found:
        if PurePath(each).suffix.removeprefix(".") not in FORMATS or not each.isprintable():
            raise ConfigError(f'{where} is no .csv, .jsonl or .parquet: {each!r}; write "isins.csv"')
    return found


def _forms(where: str, value: object) -> tuple[str, ...]:
    found = _texts(where, value)
    for each in found:
        _one_of(*FORMATS)(where, each)
    return found


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def read(where: str, value: object) -> str:
        if value not in choices:
            raise ConfigError(f"{where} cannot be {value!r}; it is one of: {', '.join(choices)}")
        return str(value)

    return read


_RESPONSE = _one_of("accept", "warn", "refuse")

_READERS: Mapping[str, Callable[[str, object], Any]] = {
    "url": _url,
    "headers": _headers,
    "hosts": _hosts,
    "allow_private": _networks,
    "content_types": _media_types,
    "fetch_timeout": _seconds,
    "size_limit": _size,
    "keep_downloads": _number,
    "keep_snapshots": _count,
    "key": _text,
    "format": _one_of("csv", "excel", "text"),
    "sheet": _text,
    "pattern": _pattern,
    "encoding": _encodings,
    "delimiter": _delimiter,
    "header": _names,
    "key_from": _names,
    "none": _nothing,
    "columns": _names,
    "aliases": _aliases,
    "sections": _truth,
    "as_of": _as_of,
    "unknown_columns": _RESPONSE,
    "moved_columns": _RESPONSE,
    "missing_columns": _RESPONSE,
    "check": _one_of("isin"),
    "max_invalid": _share,
    "max_repeated": _share,
    "identity": _names,
    "min_rows": _number,
    "max_removed": _limit,
    "max_added": _limit,
    "max_changed": _limit,
    "publish": _publish,
    "formats": _forms,
    "window": _window,
    "same_on": _days,
}

KEYS = frozenset(_READERS)
"""The keys of a ``[feed.NAME]`` table that are the feed's own."""
