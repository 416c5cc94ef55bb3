"""A feed: what its ``[feed.NAME]`` table in ``everytick.toml`` says of the list.

The table's other keys (schedule, zone, retry, fresh_within, ...) belong to the task that refreshes the feed.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal
from urllib.parse import urlsplit

from everytick.errors import ConfigError, ScheduleError
from everytick.when.duration import parse_duration

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_SIZE = re.compile(r"([1-9][0-9]*)\s*([kMG]?)B")
_SCALE = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A list that is downloaded on a schedule.

    Names of columns are compared without the spaces around them; upper and lower case differ.

    Attributes:
        name: Names its folder too: letters, digits and ``_ . -``.
        url: Where the list is; http or https.
        key: The column that names a row; it is always kept.
        format: How the list is written.
        columns: The columns to keep beside the key; None for all.
        identity: The columns whose difference makes a row count as changed; None for all that are kept.
        header: The columns in their order, for a source that now and then leaves out its header line.
        check: What a key must be, beside not empty.
        max_removed: The share of the last good list that may be gone.
        max_changed: The share of the rows in both lists that may differ in their identity.
        max_invalid: The share of rows whose key may fail the check; they are left out and counted.
        encoding: How the text is encoded; decoding is strict.
        delimiter: What separates two fields; one ASCII character.
        headers: Sent with the request, such as the User-Agent a source insists on; no secrets.
        fetch_timeout: Seconds that a download may take; half of it for a single wait.
        size_limit: Bytes that may arrive, and bytes they may unpack to.
        publish: A file that always holds the current list too; relative to the data folder.
    """

    name: str
    url: str
    key: str
    format: Literal["csv"] = "csv"
    columns: tuple[str, ...] | None = None
    identity: tuple[str, ...] | None = None
    header: tuple[str, ...] | None = None
    check: Literal["isin"] | None = None
    max_removed: float = 0.05
    max_changed: float = 0.20
    max_invalid: float = 0.01
    encoding: str = "utf-8"
    delimiter: str = ","
    headers: Mapping[str, str] = field(default_factory=dict)
    fetch_timeout: float = 60.0
    size_limit: int = 512 * 10**6
    publish: str | None = None

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ConfigError(f"'{self.name}' cannot name a feed: write letters, digits and _ . - only")
        if self.header is not None and self.key not in self.header:
            raise ConfigError(f"feed.{self.name}.header lacks the key column '{self.key}'; name it there")
        self._refuse_strange("columns", self.columns, self.header)
        self._refuse_strange("identity", self.identity, self.columns or self.header)

    def _refuse_strange(
        self, where: str, names: tuple[str, ...] | None, known: tuple[str, ...] | None
    ) -> None:
        for name in names or ():
            if known is not None and name not in {*known, self.key}:
                raise ConfigError(
                    f"feed.{self.name}.{where} names '{name}', which is none of: {', '.join(known)}"
                )

    def section(self) -> dict[str, Any]:
        """Return the table that describes this feed, as JSON values; ``from_section`` reads it back."""
        plain = ((each.name, getattr(self, each.name)) for each in fields(self) if each.name != "name")
        return {
            key: list(value) if isinstance(value, tuple) else dict(value) if key == "headers" else value
            for key, value in plain
            if value is not None
        }


def from_section(name: str, section: Mapping[str, Any]) -> tuple[Feed, dict[str, Any]]:
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


def _url(where: str, value: object) -> str:
    text = _text(where, value)
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise ConfigError(f"{where} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(f"{where} is no http or https URL: {text!r}")
    if parts.username or parts.password:
        raise ConfigError(f"{where} holds a user or password; a definition keeps no secrets")
    return text


def _names(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ConfigError(f'{where} is no list of columns: {value!r}; write ["ISIN", "NAME"]')
    names = tuple(_text(where, name) for name in value)
    if len(set(names)) < len(names):
        raise ConfigError(f"{where} names a column twice")
    return names


def _share(where: str, value: object) -> float:
    share = -1.0
    if isinstance(value, str) and (found := _PERCENT.fullmatch(value.strip())):
        share = float(found[1]) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    if not 0 <= share <= 1:
        raise ConfigError(f'{where} is no share: {value!r}; write "5%", from "0%" to "100%"')
    return share


def _encoding(where: str, value: object) -> str:
    name = _text(where, value)
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError as error:
        raise ConfigError(f'{where} is no text encoding: {value!r}; write "utf-8" or "cp1252"') from error


def _delimiter(where: str, value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in '"\r\n\0':
        raise ConfigError(f'{where} is not one character: {value!r}; write ";" or "\\t"')
    return value


def _headers(where: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ConfigError(f'{where} is no table: {value!r}; write {{ User-Agent = "..." }}')
    for name in value:
        if str(name).lower() in _SECRET:
            raise ConfigError(f"{where} holds '{name}'; a definition keeps no secrets")
    headers = {str(name): _text(f"{where}.{name}", content) for name, content in value.items()}
    if not all(text.isascii() and text.isprintable() for pair in headers.items() for text in pair):
        raise ConfigError(f"{where} has a character that no HTTP header can hold; use ASCII")
    return headers


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


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def read(where: str, value: object) -> str:
        if value not in choices:
            raise ConfigError(f"{where} cannot be {value!r}; it is one of: {', '.join(choices)}")
        return str(value)

    return read


_READERS: Mapping[str, Callable[[str, object], Any]] = {
    "url": _url,
    "key": _text,
    "format": _one_of("csv"),
    "columns": _names,
    "identity": _names,
    "header": _names,
    "check": _one_of("isin"),
    "max_removed": _share,
    "max_changed": _share,
    "max_invalid": _share,
    "encoding": _encoding,
    "delimiter": _delimiter,
    "headers": _headers,
    "fetch_timeout": _seconds,
    "size_limit": _size,
    "publish": _text,
}

KEYS = frozenset(_READERS)
"""The keys of a ``[feed.NAME]`` table that are the feed's own."""
