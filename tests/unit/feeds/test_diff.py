import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from everytick.feeds.diff import Difference, difference

ROWS = st.dictionaries(st.sampled_from("ABCDEFG"), st.tuples(st.sampled_from("xy"), st.sampled_from("12")))


def frame(rows: dict[str, tuple[str, str]]) -> pl.DataFrame:
    schema = {"key": pl.String, "name": pl.String, "price": pl.String}
    return pl.DataFrame([(key, *rest) for key, rest in rows.items()], schema=schema, orient="row")


@given(ROWS, ROWS)
def test_it_agrees_with_sets(before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]) -> None:
    assert difference(frame(before), frame(after), key="key") == Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(key for key in before.keys() & after.keys() if before[key] != after[key])),
    )


@given(ROWS, ROWS)
def test_only_the_identity_counts_as_changed(
    before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]
) -> None:
    differs = difference(frame(before), frame(after), key="key", identity=["name"])
    both = before.keys() & after.keys()
    assert differs.changed == tuple(sorted(key for key in both if before[key][0] != after[key][0]))


def test_a_column_that_only_one_list_has_is_passed_over() -> None:
    old = pl.DataFrame({"key": ["A", "B"], "gone": ["1", "1"], "name": ["x", "y"]})
    new = pl.DataFrame({"key": ["A", "B"], "name": ["x", "z"], "here": ["2", "2"]})
    assert difference(old, new, key="key").changed == ("B",)
    assert difference(old.select("key"), new.select("key"), key="key").changed == ()
