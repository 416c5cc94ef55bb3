"""The list that others read: always whole, always the last good one.

    current.csv, current.jsonl, current.parquet  -> current/list.*    what most readers open
    current.json -> current/manifest.json
    current      -> published/000017                                  the one pointer
    published/000017/{list.csv,list.jsonl,list.parquet,manifest.json}

The forms of a list and their manifest are written together into a folder of their own, and become current by
the exchange of one pointer. A reader who needs several from the same state resolves ``current`` once. The
last few folders are kept for readers that are on their way.
"""

import filecmp
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from everytick.feeds.archive import content, durable
from everytick.feeds.archive.content import Written
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.feed import FORMATS
from everytick.tick import rfc3339

_KEPT = 3
_BLOCK = 1 << 20


class _Manifest(msgspec.Struct):
    blake2b: str = ""
    files: dict[str, Written] = {}


def forms(formats: Iterable[str], copies: Iterable[str]) -> tuple[str, ...]:
    """Return the forms that are needed for a list to be published in these, and under these names."""
    needed = {*formats, *(name.rpartition(".")[2] for name in copies)}
    return tuple(form for form in FORMATS if form in needed)


def publish(
    archive: Archive,
    snapshot: Snapshot,
    wanted: Sequence[str],
    as_of: date | None,
) -> None:
    """Make a snapshot the current one, in the forms that are wanted; safe to repeat.

    A file that is gone or was cut short since is written again.

    Args:
        archive: Where its list is.
        snapshot: What is known of it.
        wanted: The forms.
        as_of: The newest day for which the list was found good.

    Raises:
        FeedError: The list is needed, and its file is gone or damaged.
    """
    folder = archive.folder
    place = folder / "published" / f"{snapshot.sequence:06d}"
    place.parent.mkdir(exist_ok=True)
    durable.sweep(place.parent)
    if place.exists():
        durable.sweep(place)
        _fill(place, archive, snapshot, wanted, as_of)
    else:
        aside = durable.aside(place)
        aside.mkdir()
        _fill(aside, archive, snapshot, wanted, as_of)
        aside.rename(place)
        durable.settle(place.parent)
        durable.settle(folder)
    durable.link(folder / "current", f"published/{place.name}")
    for form in FORMATS:
        if form in wanted:
            durable.link(folder / f"current.{form}", f"current/list.{form}")
        else:
            durable.remove(folder / f"current.{form}")
    durable.link(folder / "current.json", "current/manifest.json")
    for old in sorted(place.parent.glob("[0-9]*"))[:-_KEPT]:
        shutil.rmtree(old)


def copy(folder: Path, to: Path) -> None:
    """Put the current list under another name too, unless it is there; the suffix tells the form."""
    source = folder / "current" / f"list{to.suffix}"
    if not to.is_file() or not filecmp.cmp(source, to, shallow=False):
        to.parent.mkdir(parents=True, exist_ok=True)
        _copy(source, to)


def _fill(
    place: Path, archive: Archive, snapshot: Snapshot, wanted: Sequence[str], as_of: date | None
) -> None:
    """Put what lacks into a folder: each form, then the manifest; then take out what is no longer wanted.

    A folder that holds another list under the same number is filled anew: an archive that was put back from
    a backup counts on from there.
    """
    before = _manifested(place)
    same = before.blake2b == snapshot.digest
    files = {name: known for name, known in before.files.items() if same and _stands(place / name, known)}
    lacking = [form for form in wanted if f"list.{form}" not in files]
    if lacking:
        archive.rows(snapshot)  # looks whether it still is that list
    for form in lacking:
        path = place / f"list.{form}"
        files[path.name] = _write(archive.content(snapshot), form, path)
    files = {f"list.{form}": files[f"list.{form}"] for form in wanted}
    path, manifest = place / "manifest.json", _manifest(snapshot, files, as_of)
    if not path.exists() or path.read_bytes() != manifest:
        durable.write(path, manifest)
    for name in before.files.keys() - files.keys():
        durable.remove(place / name)


def _stands(path: Path, known: Written) -> bool:
    """Tell whether a file is there, and as large as it was."""
    return path.is_file() and path.stat().st_size == known.bytes


def _write(source: Path, form: str, path: Path) -> Written:
    if form != "parquet":
        return durable.make(path, lambda file: content.write(source, form, file))
    _copy(source, path)
    return content.written(path)


def _manifested(place: Path) -> _Manifest:
    """Return what a folder's manifest vouches for."""
    try:
        return msgspec.json.decode((place / "manifest.json").read_bytes(), type=_Manifest)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return _Manifest()


def _copy(source: Path, to: Path) -> None:
    with source.open("rb") as file:
        durable.make(to, lambda into: shutil.copyfileobj(file, into, _BLOCK))


def _manifest(snapshot: Snapshot, files: Mapping[str, Written], as_of: date | None) -> bytes:
    csv = files.get("list.csv")
    facts = {
        "snapshot": snapshot.sequence,
        "at": rfc3339(snapshot.at),
        "due_at": rfc3339(snapshot.due_at),
        "tick": snapshot.tick,
        "as_of": as_of or snapshot.as_of,
        "rows": snapshot.rows,
        "added": snapshot.added,
        "removed": snapshot.removed,
        "changed": snapshot.changed,
        "invalid": snapshot.invalid,
        "repeated": snapshot.repeated,
        "warnings": snapshot.warnings,
        "approved_by": snapshot.approved_by or None,
        "note": snapshot.note or None,
        "key": snapshot.key,
        "columns": snapshot.columns,
        "files": files,
        "bytes": csv and csv.bytes,
        "blake2b": snapshot.digest,
        "source": snapshot.url,
        "redirects": snapshot.redirects,
        "source_bytes": snapshot.raw_bytes,
        "source_sha256": snapshot.raw_sha256,
    }
    return msgspec.json.format(msgspec.json.encode(facts)) + b"\n"
