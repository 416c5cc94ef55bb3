"""Whether a list that arrived is one to believe, judged against the last good one."""

from collections.abc import Sequence
from dataclasses import dataclass

from everytick.feeds.feed import Feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the list that arrived.

    Attributes:
        rows: Rows with a valid key.
        invalid: Rows whose key is not valid.
        invalid_keys: A few of those keys.
        repeated: Rows whose key stood in a row before.
        repeated_keys: A few of those keys.
        gone_columns: Columns of the last good list that the source no longer has.
        before: Rows of the last good list; None for the first list ever.
        removed: Keys of the last good list that are gone.
        changed: Keys in both whose identity differs.
    """

    rows: int
    invalid: int = 0
    invalid_keys: Sequence[str] = ()
    repeated: int = 0
    repeated_keys: Sequence[str] = ()
    gone_columns: Sequence[str] = ()
    before: int | None = None
    removed: int = 0
    changed: int = 0


def objections(facts: Facts, feed: Feed) -> list[str]:
    """Return what speaks against publishing the list; nothing: it may be published.

    The first list ever has nothing to be compared with, so it only has to be a valid one.
    """
    found = []
    if facts.rows == 0:
        found.append("the list is empty")
    if facts.invalid > feed.max_invalid * (facts.rows + facts.invalid):
        found.append(
            f"{_share(facts.invalid, facts.rows + facts.invalid)} have no valid key "
            f"({_some(facts.invalid_keys)}), more than max_invalid, {feed.max_invalid * 100:g}%"
        )
    if facts.repeated:
        found.append(f"{facts.repeated:,} rows repeat a key ({_some(facts.repeated_keys)})")
    if facts.gone_columns:
        found.append(
            f'columns are gone: {", ".join(facts.gone_columns)}; or name the ones to keep in "columns"'
        )
    if facts.before is None:
        return found
    removed, changed = feed.max_removed.hold or 1.0, feed.max_changed.hold or 1.0
    if facts.removed > removed * facts.before:
        found.append(
            f"{_share(facts.removed, facts.before)} of the last good list are gone, "
            f"more than max_removed, {removed * 100:g}%"
        )
    common = facts.before - facts.removed
    if facts.changed > changed * common:
        found.append(
            f"{_share(facts.changed, common)} in both lists differ, more than max_changed, {changed * 100:g}%"
        )
    return found


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} rows ({part / whole:.1%})"


def _some(keys: Sequence[str]) -> str:
    return ", ".join(repr(key if len(key) <= 40 else key[:37] + "...") for key in keys[:3])
