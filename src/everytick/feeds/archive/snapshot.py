"""What is known of a list that was accepted, and of one that waits for a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from everytick.feeds.archive.journal import Arrival, Entry
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One accepted state of a list.

    Attributes:
        sequence: 1 for the first, then one more each time.
        at: The moment it was accepted.
        due_at: The nominal instant of its tick.
        tick: The tick's name; empty where no tick asked.
        digest: BLAKE2b (256 bits, hexadecimal) of the list as CSV, sorted by key: equal lists, equal digests.
        kept: The same of the file that holds it; empty where only ``digest`` vouches for it.
        key: The column that names a row.
        columns: All columns, the key first.
        names: All columns that the source had, in its order; empty where nobody wrote them down.
        identity: The columns whose difference makes a row count as changed; None for all.
        as_of: The day that the list is of, where it says so.
        rows: How many rows it has.
        added: Keys that the snapshot before did not have.
        removed: Keys that only the snapshot before had.
        changed: Keys in both whose identity differs.
        invalid: Rows that were left out because their key is not valid.
        invalid_keys: A few of those keys.
        repeated: Rows that were left out because they repeat a key.
        keyless: Rows without any key, where the feed says that there may be such.
        prefixes: How many keys have a prefix of each verdict; empty where keys are no ISINs.
        warnings: What is odd about it, and was let pass.
        url: Where it came from, redirects followed, without its query.
        redirects: The addresses on the way there, without their queries.
        arrived: What came, against the download before.
        status: The HTTP status of the answer; 0 where nobody wrote it down.
        raw_bytes: How many bytes arrived.
        raw_sha256: Their digest, in hexadecimal.
        reading: The digest of what the feed's definition said of reading the list.
        approved_by: Who published it although it was held; empty where nobody had to.
        note: What that person said.
        superseded: The digest of the held list that it took the place of.
    """

    sequence: int
    at: Instant
    due_at: Instant
    tick: str
    digest: str
    kept: str = ""
    key: str
    columns: tuple[str, ...]
    names: tuple[str, ...] = ()
    identity: tuple[str, ...] | None
    as_of: date | None = None
    rows: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    invalid: int
    invalid_keys: tuple[str, ...]
    repeated: int = 0
    keyless: int = 0
    prefixes: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    url: str
    redirects: tuple[str, ...] = ()
    arrived: Arrival = "other_bytes"
    status: int = 0
    raw_bytes: int
    raw_sha256: str
    reading: str = ""
    approved_by: str = ""
    note: str = ""
    superseded: str = ""

    def entry(self) -> Entry:
        """Return what the journal says of its acceptance."""
        return Entry(
            at=self.at,
            due_at=self.due_at,
            tick=self.tick,
            actor=self.approved_by,
            act="approved" if self.approved_by else "published",
            sequence=self.sequence,
            digest=self.digest,
            raw_sha256=self.raw_sha256,
            reading=self.reading,
            as_of=self.as_of,
            arrived=self.arrived,
            rows=self.rows,
            added=self.added,
            removed=self.removed,
            changed=self.changed,
            invalid=self.invalid,
            repeated=self.repeated,
            warnings=self.warnings,
            note=self.note,
            superseded=self.superseded,
            url=self.url,
            redirects=self.redirects,
            status=self.status,
            raw_bytes=self.raw_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A list that a person may approve or reject.

    Attributes:
        snapshot: What it would be; its moment is the one when it was held first.
        reasons: What speaks against it.
        formats: The forms in which it would be published.
        publish: Files that would hold it too, relative to the data folder.
    """

    snapshot: Snapshot
    reasons: tuple[str, ...]
    formats: tuple[str, ...]
    publish: tuple[str, ...]
