"""What a person decides about a list that is held: to publish it, or to refuse it for good."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from everytick.errors import FeedError, UnknownName
from everytick.feeds.archive.accept import Outlet, accept, complete
from everytick.feeds.archive.diff import difference, first
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.journal import Entry
from everytick.feeds.archive.snapshot import Held
from everytick.when import Instant


def approve(data: Path, name: str, *, actor: str, note: str, moment: Instant, digest: str = "") -> Entry:
    """Publish the list that is held; return what the journal says of it.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        actor: Who decides.
        note: Why.
        moment: Now.
        digest: The list that they have seen; any that is held if empty.

    Raises:
        UnknownName: No list is held.
        FeedError: Another list is held by now, another refresh is under way, or a file cannot be
            read or written.
    """
    with _held(data, name, digest) as (archive, held):
        snapshot, last = held.snapshot, archive.newest()
        rows = archive.rows(snapshot)
        if last is None:
            differs = first(rows, key=snapshot.key)
        else:
            before, key, identity = archive.rows(last), snapshot.key, snapshot.identity
            differs = difference(before, rows, key=key, was=last.key, identity=identity)
        approved = replace(
            snapshot,
            sequence=1 if last is None else last.sequence + 1,
            at=moment,
            added=len(differs.added),
            removed=len(differs.removed),
            changed=len(differs.changed),
            approved_by=actor,
            note=note,
        )
        outlet = Outlet(data=data, formats=held.formats, copies=held.publish)
        return accept(archive, approved, differs, outlet)


def reject(data: Path, name: str, *, actor: str, note: str, moment: Instant, digest: str = "") -> Entry:
    """Refuse the list that is held, now and whenever it comes again; return what the journal says of it.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        actor: Who decides.
        note: Why.
        moment: Now.
        digest: The list that they have seen; any that is held if empty.

    Raises:
        UnknownName: No list is held.
        FeedError: Another list is held by now, another refresh is under way, or a file cannot be
            written.
    """
    with _held(data, name, digest) as (archive, held):
        last = archive.newest()
        entry = replace(
            held.snapshot.entry(),
            at=moment,
            act="rejected",
            actor=actor,
            note=note,
            sequence=last.sequence if last else None,
            reasons=held.reasons,
        )
        archive.reject(entry)
        complete(archive, Outlet(data=data, formats=held.formats, copies=held.publish))
        return entry


@contextmanager
def _held(data: Path, name: str, digest: str) -> Iterator[tuple[Archive, Held]]:
    """Yield the archive, with nobody else writing there, and the list that is held."""
    archive = Archive(data, name).known()
    try:
        with archive.alone():
            held = archive.held()
            if held is not None:  # a killed process may have decided already
                complete(archive, Outlet(data=data, formats=held.formats, copies=held.publish))
                held = archive.held()
            if held is None:
                raise UnknownName(f"no list of feed '{name}' is held; everytick feed show {name} tells why")
            if digest not in {"", held.snapshot.digest}:
                raise FeedError(
                    f"another list of feed '{name}' is held by now, and nothing was decided; "
                    f"everytick feed held {name} shows it"
                )
            yield archive, held
    except OSError as error:
        raise FeedError(f"feed '{name}' cannot be kept in {archive.folder}: {error}") from error
