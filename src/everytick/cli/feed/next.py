"""What a person can do now about a list: in words, with the commands to type."""

from collections.abc import Iterator, Mapping

from everytick.cli import present
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.ask.show import Shown
from everytick.when import Instant

SHORT = 12
"""So many digits of a digest are enough to name a download."""

_MENDS: Mapping[str, str] = {
    "FetchFailed": "If it goes on, open the url in a browser: the source may be down, may want other "
    "headers, or the list may have moved.",
    "ExtractFailed": "If it goes on, the source has changed its list: mend key, columns, encoding or "
    "delimiter of {feed}.",
    "FeedRefused": "If the list is right after all, change the limit that it names in {feed}; if not, wait "
    "for the source's next one.",
    "NothingNew": "It is tried again at the next tick; if the same list is right on such a day, name the day "
    "in same_on of {feed}.",
}


def served(snapshot: Snapshot | None, now: Instant) -> str:
    """Return what readers have: the last good list, its day and its age."""
    if snapshot is None:
        return "No list was published yet, so readers have none."
    of = f", of {snapshot.as_of}" if snapshot.as_of else ""
    since = present.ago(snapshot.at, now)
    listed = f"snapshot {snapshot.sequence}, {snapshot.rows:,} rows{of}, published {since}"
    return f"The last good list is still served: {listed}."


def after_refusal(found: Shown, now: Instant) -> Iterator[str]:
    """Yield what readers have while a list is refused or held, and what to do about that."""
    yield served(found.snapshot, now)
    name, refusal = found.name, found.refusal
    if refusal is not None and refusal.act != "held":
        rejected = found.path.parent / "rejected" / f"{refusal.digest}.json"
        if refusal.digest and rejected.exists():
            yield "If it was right after all, remove this file; if not, wait for the source's next one:"
            yield f"  {rejected}"
        elif refusal.kind in _MENDS:
            yield _MENDS[refusal.kind].format(feed=f"[feed.{name}]")
        if refusal.invalid or refusal.repeated:
            download = f"--download {refusal.raw_sha256[:SHORT]}"
            yield f"everytick feed quarantine {name} {download} shows the rows that were left out."
        yield f"everytick feed refresh {name} asks the source again."
    if found.held is not None:
        yield from to_decide(name)


def to_decide(name: str, *, seen: bool = False) -> Iterator[str]:
    """Yield how a person decides on the list that is held.

    Args:
        name: The feed.
        seen: They have just looked at it.
    """
    yield "Decide:" if seen else f"everytick feed held {name} shows what differs. Then decide:"
    yield f"  everytick feed approve {name} --note WHY   publishes it"
    yield f"  everytick feed reject {name} --note WHY    refuses it for good"
