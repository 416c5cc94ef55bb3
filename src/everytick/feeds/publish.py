"""The list that others read: always whole, always the last good one.

    current.csv  -> current/list.csv           what most readers open
    current.json -> current/manifest.json
    current      -> published/000017           the one pointer
    published/000017/{list.csv,manifest.json}

A list and its manifest are written together into a folder of their own, and become current by the exchange of
one pointer. A reader who needs both from the same state resolves ``current`` once. The last few folders
are kept for readers that are on their way.
"""

import shutil
from pathlib import Path

import msgspec

from everytick.feeds import durable
from everytick.feeds.archive import Snapshot
from everytick.tick import rfc3339

_KEPT = 3


def published(folder: Path) -> int | None:
    """Return the number of the snapshot that is current in a feed's folder; None where none is."""
    try:
        return int((folder / "current").readlink().name)
    except FileNotFoundError:
        return None


def publish(folder: Path, snapshot: Snapshot, csv: bytes) -> None:
    """Make a snapshot the current one; safe to repeat.

    Args:
        folder: The feed's folder.
        snapshot: What is known of the list.
        csv: The list.
    """
    place = folder / "published" / f"{snapshot.sequence:06d}"
    if not place.exists():
        _place(place, snapshot, csv)
    durable.link(folder / "current", f"published/{place.name}")
    for name, target in (("current.csv", "current/list.csv"), ("current.json", "current/manifest.json")):
        if not (folder / name).is_symlink():
            durable.link(folder / name, target)
    for old in sorted(place.parent.glob("[0-9]*"))[:-_KEPT]:
        shutil.rmtree(old)


def copy(folder: Path, to: Path) -> None:
    """Put the current list under another name too, unless it is there already."""
    csv = (folder / "current.csv").read_bytes()
    if not to.is_file() or to.read_bytes() != csv:
        to.parent.mkdir(parents=True, exist_ok=True)
        durable.write(to, csv)


def _place(place: Path, snapshot: Snapshot, csv: bytes) -> None:
    place.parent.mkdir(exist_ok=True)
    durable.sweep(place.parent)
    aside = durable.aside(place)
    aside.mkdir()
    durable.write(aside / "list.csv", csv)
    durable.write(aside / "manifest.json", _manifest(snapshot, len(csv)))
    aside.rename(place)
    durable.settle(place.parent)
    durable.settle(place.parent.parent)


def _manifest(snapshot: Snapshot, size: int) -> bytes:
    facts = {
        "snapshot": snapshot.sequence,
        "at": rfc3339(snapshot.at),
        "due_at": rfc3339(snapshot.due_at),
        "tick": snapshot.tick,
        "rows": snapshot.rows,
        "added": snapshot.added,
        "removed": snapshot.removed,
        "changed": snapshot.changed,
        "invalid": snapshot.invalid,
        "key": snapshot.key,
        "columns": snapshot.columns,
        "bytes": size,
        "blake2b": snapshot.digest,
        "source": snapshot.url,
        "source_bytes": snapshot.raw_bytes,
        "source_sha256": snapshot.raw_sha256,
    }
    return msgspec.json.format(msgspec.json.encode(facts)) + b"\n"
