"""The journal of an archive that was made before there were journals."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from everytick.errors import FeedError
from everytick.feeds.archive.journal import Entry
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Good:
    """``good.json``: the last refresh that found the list good."""

    at: Instant
    tick: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """``refused.json``: the last refresh that published nothing."""

    at: Instant
    tick: str
    kind: str
    reason: str


_Note = TypeVar("_Note", _Good, _Refusal)


def adopted(folder: Path, published: list[Entry]) -> list[Entry]:
    """Return what the journal of a feed would say, the oldest entry first.

    Args:
        folder: The feed's folder.
        published: An entry for each snapshot.

    Raises:
        FeedError: A note is damaged.
    """
    good, refusal = _read(folder / "good.json", _Good), _read(folder / "refused.json", _Refusal)
    later = list[Entry]()
    for entry in published:
        if good is not None and entry.sequence == good.sequence and entry.at < good.at:
            again = replace(entry, at=good.at, due_at=good.at, tick=good.tick, act="unchanged")
            later.append(replace(again, added=0, removed=0, changed=0))
    if refusal is not None:
        later.append(
            Entry(
                at=refusal.at,
                due_at=refusal.at,
                tick=refusal.tick,
                act="refused" if refusal.kind == "FeedRefused" else "failed",
                kind=refusal.kind,
                reasons=(refusal.reason,),
            )
        )
    return [*published, *sorted(later, key=lambda entry: entry.at)]


def _read(path: Path, kind: type[_Note]) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError(f"{path} is damaged ({error}); put it back from a backup, or remove it") from error
