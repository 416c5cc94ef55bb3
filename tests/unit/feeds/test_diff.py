import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from everytick.feeds.archive.diff import Difference, difference, first, none

Rows = dict[str, tuple[str, str]]

ROWS = st.dictionaries(st.sampled_from("ABCDEFG"), st.tuples(st.sampled_from("xy"), st.sampled_from("12")))


def frame(rows: Rows) -> pl.LazyFrame:
    schema = {"key": pl.String, "name": pl.String, "price": pl.String}
    return pl.DataFrame([(key, *rows[key]) for key in sorted(rows)], schema=schema, orient="row").lazy()


def keys(differs: Difference) -> tuple[list[str], list[str], list[str]]:
    return differs.added.to_list(), differs.removed.to_list(), differs.changed.to_list()


@given(ROWS, ROWS)
def test_it_agrees_with_sets(before: Rows, after: Rows) -> None:
    differs = difference(frame(before), frame(after), key="key")
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    changed = sorted(key for key in before.keys() & after.keys() if before[key] != after[key])
    assert keys(differs) == (added, removed, changed)
    kinds = {"added": added, "removed": removed, "changed": changed}
    assert differs.frame.rows() == sorted((key, kind) for kind, some in kinds.items() for key in some)


@given(ROWS, ROWS)
def test_only_the_identity_counts_as_changed(before: Rows, after: Rows) -> None:
    differs = difference(frame(before), frame(after), key="key", identity=["name"])
    both = before.keys() & after.keys()
    assert differs.changed.to_list() == sorted(key for key in both if before[key][0] != after[key][0])


def test_a_column_that_only_one_list_has_is_passed_over() -> None:
    old = pl.LazyFrame({"key": ["A", "B"], "gone": ["1", "1"], "name": ["x", "y"]})
    new = pl.LazyFrame({"key": ["A", "B"], "name": ["x", "z"], "here": ["2", "2"]})
    assert difference(old, new, key="key").changed.to_list() == ["B"]
    assert difference(old.select("key"), new.select("key"), key="key").changed.to_list() == []


def test_another_key_column_takes_the_place_of_a_column_of_its_name() -> None:
    old = pl.LazyFrame({"key": ["A", "B", "C"], "code": ["1", "2", "3"], "name": ["x", "y", "z"]})
    new = pl.LazyFrame({"code": ["A", "B", "D"], "key": ["7", "8", "9"], "name": ["x", "q", "z"]})
    assert keys(difference(old, new, key="code", was="key")) == (["D"], ["C"], ["B"])


def test_the_first_list_is_all_new_and_equal_lists_do_not_differ() -> None:
    new = pl.LazyFrame({"key": ["A", "B"]})
    assert keys(first(new, key="key")) == (["A", "B"], [], [])
    assert keys(none()) == ([], [], [])
