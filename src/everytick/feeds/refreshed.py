"""How a refresh ended that was not refused."""

import json
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, Literal

from everytick.feeds.archive.journal import Arrival, Entry
from everytick.feeds.feed import Feed
from everytick.release import VERSION

_SHOWN = 5
_NOT_READING = frozenset(
    {"url", "headers", "hosts", "allow_private", "content_types", "fetch_timeout", "size_limit"}
    | {"keep_downloads", "keep_snapshots", "publish", "formats", "window", "same_on"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """How a refresh ended that was not refused.

    Attributes:
        verdict: ``published``: there is a new snapshot. ``unchanged``: the list is the last good one.
        arrived: What came: nothing (the source said that it is the same), the same bytes, or others.
        sequence: The snapshot that is current now.
        as_of: The day that the list is of, where it says so.
        rows: How many rows it has.
        added: Keys that the snapshot before did not have.
        removed: Keys that only the snapshot before had.
        changed: Keys in both whose identity differs.
        invalid: Rows that were left out because their key is not valid.
        repeated: Rows that were left out because they repeat a key.
        warnings: What is odd about the list, and was let pass.
    """

    verdict: Literal["published", "unchanged"]
    arrived: Arrival | None = "other_bytes"
    sequence: int
    as_of: date | None = None
    rows: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    invalid: int = 0
    repeated: int = 0
    warnings: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return this as the JSON object that a tick keeps as its result."""
        return {
            "verdict": self.verdict,
            "arrived": self.arrived,
            "as_of": self.as_of and self.as_of.isoformat(),
            "rows": self.rows,
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "invalid": self.invalid,
            "repeated": self.repeated,
            "snapshot": self.sequence,
            "warnings": list(self.warnings[:_SHOWN]),
        }


def told(entry: Entry) -> Refreshed:
    """Return what a good entry of the journal says."""
    return Refreshed(
        verdict="unchanged" if entry.act == "unchanged" else "published",
        arrived=entry.arrived,
        sequence=entry.sequence or 0,
        as_of=entry.as_of,
        rows=entry.rows,
        added=entry.added,
        removed=entry.removed,
        changed=entry.changed,
        invalid=entry.invalid,
        repeated=entry.repeated,
        warnings=entry.warnings,
    )


def reading(feed: Feed) -> str:
    """Return the digest of what a feed's definition says of reading and judging its list.

    While it and the bytes stay the same, so does the list. Another release may read otherwise.
    """
    section = {key: value for key, value in feed.section().items() if key not in _NOT_READING}
    text = json.dumps([VERSION, section], sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()
