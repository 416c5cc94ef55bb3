"""The path of a list from its bytes to what would be published, with an independent judge at each step."""

import csv
import io
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from everytick.errors import ExtractFailed
from everytick.feeds.archive import content
from everytick.feeds.archive.diff import Difference, difference
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.judge.check import Checked, check
from everytick.feeds.judge.contract import compare
from everytick.feeds.judge.guard import Facts, Judgement, judge

from .damage import MOST
from .judge import Standing, is_isin, standing
from .target import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """The last good list.

    Attributes:
        extracted: As it was read.
        checked: Its rows.
    """

    extracted: Extracted
    checked: Checked


def good(body: bytes, feed: Feed) -> Good:
    """Return a list as the last good one.

    Raises:
        ExtractFailed: It is none.
    """
    extracted = extract(body, feed, {})
    return Good(extracted=extracted, checked=check(extracted, feed))


def go(
    body: bytes, feed: Feed, *, response: Mapping[str, str] | None = None, before: Good | None = None
) -> str:
    """Take a list the whole way; return its verdict, "refused" where it is no list at all.

    Args:
        body: The bytes, unpacked.
        feed: What the list looks like.
        response: The headers it arrived with.
        before: The last good list; None for the first one ever.

    Raises:
        AssertionError: Ours and the judge disagree.
    """
    try:
        extracted = extract(body, feed, response or {})
    except ExtractFailed as refusal:
        return refused(refusal)
    if feed.format == "csv":
        _rows_stand_there(extracted, standing(body, feed, extracted.frame.columns))
    checked = check(extracted, feed)
    _told_apart(checked, extracted, feed)
    differs = None
    if before is not None:
        key, identity = feed.key, feed.identity
        differs = difference(before.checked.frame.lazy(), checked.frame.lazy(), key=key, identity=identity)
    judgement = _judged(extracted, checked, before, differs, feed)
    assert judgement.reason or judgement.verdict == "publish", "no reason is given"
    if judgement.verdict == "publish":
        _is_to_believe(extracted, checked, before, feed)
        _is_written_as_it_is(checked)
    return judgement.verdict


def _rows_stand_there(extracted: Extracted, stands: Standing) -> None:
    """Ours has each row that stands in the bytes, once, and no other; all lines are accounted for."""
    frame = extracted.frame
    lines = extracted.lines_of(frame.with_row_index("\0").get_column("\0"))
    assert not any(frame.null_count().row(0)), "a cell is null"
    found = [*zip(lines, *frame.iter_columns(), strict=True)]
    assert found == stands.rows, f"rows differ: {_first(found, stands.rows)}"
    broken = [*extracted.broken.get_column("line")]
    assert broken == stands.broken, f"broken lines differ: {_first(broken, stands.broken)}"
    assert extracted.keyless == stands.keyless, "keyless rows differ"
    assert extracted.sections == stands.sections, "sections differ"


def _first(ours: Sequence[object], theirs: Sequence[object]) -> str:
    """Say where two lists begin to differ."""
    one, other = next((pair for pair in zip_longest(ours, theirs) if pair[0] != pair[1]), (None, None))
    return f"{one!r:.200} instead of {other!r:.200}"


def _told_apart(checked: Checked, extracted: Extracted, feed: Feed) -> None:
    """The good rows are the first with each valid key; all others are in quarantine, once."""
    first: dict[str, tuple[str, ...]] = {}
    rest: Counter[str] = Counter({"": extracted.broken.height} if extracted.broken.height else {})
    for row in extracted.frame.iter_rows():
        valid = is_isin(row[0]) if feed.check == "isin" else row[0] != ""
        if valid and row[0] not in first:
            first[row[0]] = row
        else:
            rest[row[0]] += 1
    assert checked.frame.rows() == [first[key] for key in sorted(first)], "good rows differ"
    assert Counter(checked.quarantine.get_column("key")) == rest, "quarantine differs"
    assert checked.quarantine.height == checked.invalid + checked.repeated, "a row is not accounted for"
    assert not any(checked.quarantine.null_count().row(0)), "a cell of the quarantine is null"
    for row in checked.quarantine.get_column("row"):
        json.loads(row)


def _judged(
    extracted: Extracted, checked: Checked, before: Good | None, differs: Difference | None, feed: Feed
) -> Judgement:
    facts = Facts(
        rows=checked.frame.height,
        invalid=checked.invalid,
        invalid_examples=checked.invalid_examples,
        repeated=checked.repeated,
        repeated_examples=checked.repeated_examples,
        events=compare(extracted.names, before.extracted.names if before else None, feed),
        warnings=checked.warnings(),
        as_of=extracted.as_of,
        before=before.checked.frame.height if before else None,
        before_as_of=before.extracted.as_of if before else None,
        added=len(differs.added) if differs else 0,
        removed=len(differs.removed) if differs else 0,
        changed=len(differs.changed) if differs else 0,
    )
    return judge(facts, feed)


def _is_to_believe(extracted: Extracted, checked: Checked, before: Good | None, feed: Feed) -> None:
    """A list that is published keeps every limit, counted once more."""
    new = {row[0]: row for row in checked.frame.iter_rows(named=False)}
    arrived = extracted.frame.height + extracted.broken.height
    assert len(new) >= max(1, feed.min_rows), "too few rows are published"
    assert _within(checked.invalid, feed.max_invalid, arrived), "too many rows were invalid"
    assert _within(checked.repeated, feed.max_repeated, arrived), "too many rows repeat a key"
    if before is None:
        return
    old = {row[0]: row for row in before.checked.frame.iter_rows()}
    assert _allowed(len(old.keys() - new.keys()), len(old), feed.max_removed), "too many rows are gone"
    assert _allowed(len(new.keys() - old.keys()), len(old), feed.max_added), "too many rows are new"
    names, olds = checked.frame.columns, before.checked.frame.columns
    counting = [name for name in names if name in olds and (feed.identity is None or name in feed.identity)]
    both = old.keys() & new.keys()
    changed = sum(
        any(old[key][olds.index(name)] != new[key][names.index(name)] for name in counting) for key in both
    )
    assert _allowed(changed, len(both), feed.max_changed), "too many rows differ"
    if extracted.as_of is not None and before.extracted.as_of is not None:
        assert extracted.as_of >= before.extracted.as_of, "an older list is published"


def _allowed(part: int, whole: int, limit: Limit) -> bool:
    return all(share is None or _within(part, share, whole) for share in (limit.hold, limit.refuse))


def _within(part: int, share: float, whole: int) -> bool:
    return part <= Fraction(str(share)) * whole


def _is_written_as_it_is(checked: Checked) -> None:
    """The files that others read hold the very rows."""
    rows = [*map(list, checked.frame.rows())]
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "list.parquet"
        content.keep(checked.frame, kept)
        written = {form: io.BytesIO() for form in ("csv", "jsonl")}
        for form, file in written.items():
            content.write(kept, form, file)
        assert content.read(kept).equals(checked.frame), "Parquet holds another list"
    limit = csv.field_size_limit(MOST)
    found = [*csv.reader(io.StringIO(written["csv"].getvalue().decode(), newline=""), strict=True)]
    csv.field_size_limit(limit)
    assert found == [checked.frame.columns, *rows], f"CSV differs: {_first(found[1:], rows)}"
    objects = [json.loads(line) for line in written["jsonl"].getvalue().split(b"\n")[:-1]]
    expected = [dict(zip(checked.frame.columns, row, strict=True)) for row in rows]
    assert objects == expected, f"JSON Lines differ: {_first(objects, expected)}"
