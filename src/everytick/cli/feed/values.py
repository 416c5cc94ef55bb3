"""What a feed's archive knows, as JSON values; times are RFC 3339 in UTC."""

from datetime import date

from everytick.feeds.archive.journal import Entry
from everytick.feeds.archive.snapshot import Held, Snapshot
from everytick.feeds.ask.show import Shown
from everytick.tick import rfc3339
from everytick.when import Instant


def time(instant: Instant | None) -> str | None:
    """Return an instant, or None."""
    return None if instant is None else rfc3339(instant)


def of_entry(entry: Entry) -> dict[str, object]:
    """Return a line of the journal."""
    return {
        "at": rfc3339(entry.at),
        "due_at": rfc3339(entry.due_at),
        "tick": entry.tick or None,
        "act": entry.act,
        "actor": entry.actor or None,
        "note": entry.note or None,
        "error": entry.kind or None,
        "reasons": list(entry.reasons),
        "warnings": list(entry.warnings),
        "arrived": entry.arrived,
        "as_of": entry.as_of and entry.as_of.isoformat(),
        "snapshot": entry.sequence,
        "rows": entry.rows,
        "added": entry.added,
        "removed": entry.removed,
        "changed": entry.changed,
        "invalid": entry.invalid,
        "repeated": entry.repeated,
        "digest": entry.digest or None,
        "raw_sha256": entry.raw_sha256 or None,
        "raw_bytes": entry.raw_bytes or None,
        "status": entry.status or None,
        "url": entry.url or None,
        "redirects": list(entry.redirects),
    }


def of_snapshot(snapshot: Snapshot) -> dict[str, object]:
    """Return an accepted list, or one that would be."""
    return {
        "snapshot": snapshot.sequence,
        "at": rfc3339(snapshot.at),
        "as_of": snapshot.as_of and snapshot.as_of.isoformat(),
        "rows": snapshot.rows,
        "added": snapshot.added,
        "removed": snapshot.removed,
        "changed": snapshot.changed,
        "invalid": snapshot.invalid,
        "repeated": snapshot.repeated,
        "warnings": list(snapshot.warnings),
        "approved_by": snapshot.approved_by or None,
        "note": snapshot.note or None,
        "digest": snapshot.digest,
        "raw_sha256": snapshot.raw_sha256,
        "raw_bytes": snapshot.raw_bytes,
        "url": snapshot.url,
        "tick": snapshot.tick or None,
    }


def of_held(held: Held | None) -> dict[str, object] | None:
    """Return the list that waits for a person."""
    if held is None:
        return None
    return {"reasons": list(held.reasons)} | of_snapshot(held.snapshot)


def of_shown(found: Shown) -> dict[str, object]:
    """Return the state of a feed."""
    snapshot, refusal = found.snapshot, found.refusal
    return {
        "feed": found.name,
        "snapshot": snapshot and snapshot.sequence,
        "rows": snapshot and snapshot.rows,
        "as_of": found.as_of and found.as_of.isoformat(),
        "accepted_at": snapshot and rfc3339(snapshot.at),
        "good_at": time(found.good_at),
        "published": found.published,
        "path": str(found.path),
        "refused": refusal and {"at": rfc3339(refusal.at), "reason": refusal.reason, "act": refusal.act},
        "held": of_held(found.held),
        "last": found.last and of_entry(found.last),
    }


def of_moment(sequence: int, at: Instant, as_of: date | None) -> dict[str, object]:
    """Return when something came to be so: with which snapshot."""
    return {"snapshot": sequence, "at": rfc3339(at), "as_of": as_of and as_of.isoformat()}
