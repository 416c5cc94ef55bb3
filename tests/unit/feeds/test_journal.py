from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.errors import FeedError
from everytick.feeds.archive.journal import Entry, Journal

FIRST = Entry(at=1, due_at=1, act="published", sequence=1, rows=4, added=4, arrived="other_bytes")
SECOND = Entry(at=2, due_at=2, tick="list@1970-01-02T00:00:00Z", act="unchanged", as_of=date(1970, 1, 2))
THIRD = Entry(at=3, due_at=3, act="refused", kind="FeedRefused", reasons=("too few\nrows", "größer"))


def journal(folder: Path, *entries: Entry) -> Journal:
    made = Journal(folder / "journal.jsonl")
    made.begin([])
    for entry in entries:
        made.append(entry)
    return made


def test_what_is_written_is_read_the_newest_first(tmp_path: Path) -> None:
    assert list(journal(tmp_path, FIRST, SECOND, THIRD)) == [THIRD, SECOND, FIRST]
    assert [THIRD.reason, FIRST.good, SECOND.good, THIRD.good] == ["too few\nrows; größer", True, True, False]


def test_one_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "journal.jsonl")) == []


def test_a_tail_torn_at_any_byte_is_passed_over_and_then_cut_off(tmp_path: Path) -> None:
    made = journal(tmp_path, FIRST, SECOND)
    whole = made.path.read_bytes()
    begin = whole.index(b"\n") + 1
    for end in range(begin, len(whole)):
        made.path.write_bytes(whole[:end])
        assert list(made) == [FIRST]
        made.append(THIRD)
        assert list(made) == [THIRD, FIRST]


@given(st.lists(st.integers(0, 70_000), max_size=6))
def test_lines_of_any_length_are_read_backwards(lengths: list[int]) -> None:
    entries = [
        Entry(at=moment, due_at=moment, act="failed", note="x" * length)
        for moment, length in enumerate(lengths)
    ]
    with TemporaryDirectory() as folder:
        assert list(journal(Path(folder), *entries)) == entries[::-1]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    made = journal(tmp_path, FIRST, SECOND)
    made.path.write_bytes(made.path.read_bytes().replace(b'"published"', b'"publish"'))
    read = iter(made)
    assert next(read) == SECOND
    with pytest.raises(FeedError, match=r"journal\.jsonl is damaged .* line that begins with '\{\"at\":1,"):
        next(read)
