import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.feeds.feed import Feed
from everytick.feeds.judge.contract import Event, compare


def feed(**changes: object) -> Feed:
    values = {"name": "list", "url": "https://example.org/", "key": "ISIN", **changes}
    return Feed(**values)  # type: ignore[arg-type]  # test data


BEFORE = ("ISIN", "A", "B", "C")


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        ("ISIN A B C", {}),
        ("ISIN A B C D", {"unknown": ("D",)}),
        ("ISIN D A E B C", {"unknown": ("D", "E")}),
        ("ISIN A C", {"missing": ("B",)}),
        ("ISIN B A C", {"moved": ("B",)}),
        ("A B C ISIN", {"moved": ("ISIN",)}),
        ("C ISIN X A", {"unknown": ("X",), "moved": ("C",), "missing": ("B",)}),
    ],
)
def test_what_differs_from_the_last_good_list(names: str, kinds: dict[str, tuple[str, ...]]) -> None:
    events = compare(names.split(), BEFORE, feed())
    assert {event.kind: event.columns for event in events} == kinds


def test_the_feed_says_what_is_to_become_of_the_list() -> None:
    described = feed(unknown_columns="warn", moved_columns="refuse", missing_columns="accept")
    assert compare(["C", "ISIN", "X", "A"], BEFORE, described) == [
        Event(kind="unknown", columns=("X",), response="warn", words="column 'X' is new"),
        Event(kind="moved", columns=("C",), response="refuse", words="column 'C' is in another place"),
        Event(kind="missing", columns=("B",), response="accept", words="column 'B' is gone"),
    ]
    assert [event.response for event in compare(["ISIN", "X", "A"], BEFORE, feed())] == ["accept", "refuse"]


def test_many_columns_are_shown_by_a_few() -> None:
    (event,) = compare([*BEFORE, *(f"N{number}" for number in range(12))], BEFORE, feed())
    assert event.words.startswith("columns 'N0', 'N1', ")
    assert event.words.endswith("'N9' and 2 more are new")


def test_only_kept_columns_are_missed() -> None:
    described = feed(columns=("A", "X"), missing_columns="warn")
    assert [event.columns for event in compare(["ISIN", "B"], BEFORE, described)] == [("A", "X")]
    assert compare(["1", "2"], None, feed(columns=("ISIN", "1"), key_from=("1", "2"))) == []
    assert compare(["ISIN", "A", "X"], ["ISIN", "A", "X", "B"], described) == []


def test_the_first_list_can_only_lack_columns_that_the_feed_names() -> None:
    assert compare(["B", "ISIN"], None, feed(header=("ISIN", "A"))) == []
    described = feed(columns=("A",), missing_columns="warn")
    assert [event.kind for event in compare(["B", "ISIN"], None, described)] == ["missing"]


def test_a_column_that_got_an_alias_meanwhile_is_the_same_column() -> None:
    described = feed(aliases={"ISIN": ("ISIN NUMBER",), "A": ("a",)})
    assert compare(["ISIN", "A"], ["ISIN NUMBER", "a"], described) == []


NAMES = st.lists(st.sampled_from("ABCDEFG"), unique=True).map(lambda names: ["ISIN", *names])


@given(NAMES, NAMES)
def test_the_events_are_the_whole_difference(names: list[str], before: list[str]) -> None:
    found = {event.kind: set(event.columns) for event in compare(names, before, feed())}
    assert found.get("unknown", set()) == set(names) - set(before)
    assert found.get("missing", set()) == set(before) - set(names)
    moved = found.get("moved", set())
    stayed = [name for name in names if name in before and name not in moved]
    assert stayed == [name for name in before if name in stayed]
    assert bool(moved) == ([n for n in names if n in before] != [n for n in before if n in names])
