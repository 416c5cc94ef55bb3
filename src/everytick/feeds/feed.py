"""A feed: what its ``[feed.NAME]`` table in ``everytick.toml`` says of the list, as values.

``section`` reads them. The table's other keys (schedule, zone, retry, fresh_within, ...) belong to the task
that refreshes the feed.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal

from everytick.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

Response = Literal["accept", "warn", "refuse"]
"""What becomes of a list whose columns are not those of the last good one."""

ENVIRONMENT = "env:"
"""So begins the value of a header that stands in the environment: ``env:NAME``."""

FORMATS = ("csv", "jsonl", "parquet")
"""The forms in which a list can be published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How large a share may be.

    Attributes:
        hold: A larger one is held until a person has approved the list; None for never.
        refuse: A larger one is refused; None for never.
    """

    hold: float | None = None
    refuse: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Where a list says of which day it is; exactly one of the three places.

    Attributes:
        column: A column; the latest of its dates counts.
        pattern: A regular expression for the lines before and around the rows; its first group, or the whole.
        response: A header of the HTTP answer, such as Last-Modified, whose format is then fixed.
        format: How the date is written, as ``datetime.strptime`` has it.
    """

    column: str | None = None
    pattern: str | None = None
    response: str | None = None
    format: str = "%Y-%m-%d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a new list has to be there: one with a later as-of date than the last good one.

    Attributes:
        every: Seconds between two tries.
        within: Seconds after due_at until which it is tried; after them the tick is late.
    """

    every: float
    within: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A list that is downloaded on a schedule.

    Names of columns are compared without the spaces around them; upper and lower case differ. A share is a
    number from 0 to 1.

    Attributes:
        name: Names its folder too: letters, digits and ``_ . -``.

        url: Where the list is; http or https.
        headers: Sent with the request, such as the User-Agent a source insists on. A secret is ``env:NAME``:
            its value is looked up in the environment when it is sent, to the host of the URL alone.
        hosts: Hosts that the list may be redirected to, beside the one of the URL.
        allow_private: Addresses and networks that may be reached although they are not public.
        content_types: The media types that the answer may have; None for those that suit the format.
        fetch_timeout: Seconds that a download may take; half of it for a single wait.
        size_limit: Bytes that may arrive, and bytes they may unpack to.
        keep_downloads: How many downloads are kept as they arrived.
        keep_snapshots: How many accepted lists are kept whole, beside the first; what came and went of the
            others stays known.

        key: The column that names a row; it is always kept.
        format: How the list is written.
        sheet: For a workbook: the name of its sheet; None for the first.
        pattern: For text: a regular expression whose named groups are the columns.
        encoding: How the text may be encoded, tried in this order; decoding is strict.
        delimiter: What separates two fields; one ASCII character.
        header: The columns in their order, for a source that leaves out its header line now and then, or cuts
            it short of the key.
        key_from: The columns that may each hold a key, where there are several; ``key`` is then the name they
            get together, and a row stands once for each of its keys.
        none: What stands in a key column where there is no key; such a row is passed over.
        columns: The columns to keep beside the key; None for all.
        aliases: Other names that a column goes by, by the name that it is to have here.
        sections: Whether lines without a delimiter may stand between rows; they are passed over.
        as_of: Where the list says of which day it is.
        unknown_columns: If there are columns that the last good list did not have.
        moved_columns: If the columns stand in another order than in the last good list.
        missing_columns: If columns of the last good list are gone. The key column must always be there.

        check: What a key must be, beside not empty.
        max_invalid: The share of rows whose key may fail the check; they go to quarantine.
        max_repeated: The share of rows that may repeat a key; all but the first go to quarantine.

        identity: The columns whose difference makes a row count as changed; None for all that are kept.
        min_rows: A shorter list is refused.
        max_removed: The share of the last good list that may be gone.
        max_added: How many rows may be new, as a share of the last good list.
        max_changed: The share of the rows in both lists that may differ in their identity.

        publish: Files that always hold the current list too, relative to the data folder; the suffix tells
            the form: .csv, .jsonl or .parquet.
        formats: The forms in which the list is published.

        window: When a new list has to be there; None where none is waited for.
        same_on: Days when the same list is right: names of weekdays, and dates, in the zone of the schedule.
    """

    name: str

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    allow_private: tuple[str, ...] = ()
    content_types: tuple[str, ...] | None = None
    fetch_timeout: float = 60.0
    size_limit: int = 512 * 10**6
    keep_downloads: int = 30
    keep_snapshots: int = 1000

    key: str
    format: Literal["csv", "excel", "text"] = "csv"
    sheet: str | None = None
    pattern: str | None = None
    encoding: tuple[str, ...] = ("utf-8",)
    delimiter: str = ","
    header: tuple[str, ...] | None = None
    key_from: tuple[str, ...] | None = None
    none: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sections: bool = False
    as_of: AsOf | None = None
    unknown_columns: Response = "accept"
    moved_columns: Response = "accept"
    missing_columns: Response = "refuse"

    check: Literal["isin"] | None = None
    max_invalid: float = 0.01
    max_repeated: float = 0.0

    identity: tuple[str, ...] | None = None
    min_rows: int = 1
    max_removed: Limit = Limit(hold=0.05)
    max_added: Limit = Limit()
    max_changed: Limit = Limit(hold=0.20)

    publish: tuple[str, ...] = ()
    formats: tuple[str, ...] = FORMATS

    window: Window | None = None
    same_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ConfigError(f"'{self.name}' cannot name a feed: write letters, digits and _ . - only")
        sources = self.key_from or (self.key,)
        for name in sources:
            if self.header is not None and name not in self.header:
                raise ConfigError(f"feed.{self.name}.header lacks the key column '{name}'; name it there")
        if (self.format == "text") != (self.pattern is not None):
            raise ConfigError(f'feed.{self.name}.pattern belongs to format = "text", which needs one')
        if self.window is not None and self.as_of is None:
            raise ConfigError(
                f"feed.{self.name}.window waits for a later as-of date, and nothing says where that stands; "
                'write as_of = { column = "Date", format = "%d-%b-%Y" }'
            )
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
        """Return the table that describes this feed, as JSON values; ``section.read`` reads it back."""
        plain = ((each.name, getattr(self, each.name)) for each in fields(self) if each.name != "name")
        return {key: _plain(value) for key, value in plain if value is not None}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {key: each for key, each in asdict(value).items() if each is not None}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value
