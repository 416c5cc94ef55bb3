import pytest

from everytick.feeds.feed import Feed
from everytick.feeds.guard import Facts, objections

FEED = Feed(name="list", url="https://example.org", key="ISIN", max_invalid=0.1)


@pytest.mark.parametrize(
    "facts",
    [
        Facts(rows=1),
        Facts(rows=9, invalid=1, invalid_keys=["x"]),
        Facts(rows=95, before=100, removed=5),
        Facts(rows=100, before=100, changed=20),
        Facts(rows=20, before=100, removed=5, changed=19),
        Facts(rows=10**6, before=1),
    ],
)
def test_a_list_within_all_limits_is_believed(facts: Facts) -> None:
    assert objections(facts, FEED) == []


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(rows=0), "the list is empty"),
        (
            Facts(rows=8, invalid=1, invalid_keys=["US0378331004"]),
            "1 of 9 rows (11.1%) have no valid key ('US0378331004'), more than max_invalid, 10%",
        ),
        (
            Facts(rows=3, repeated=1, repeated_keys=["A", "A"]),
            "1 rows repeat a key ('A', 'A')",
        ),
        (
            Facts(rows=9, before=9, gone_columns=["NAME", "SERIES"]),
            'columns are gone: NAME, SERIES; or name the ones to keep in "columns"',
        ),
        (
            Facts(rows=94, before=100, removed=6),
            "6 of 100 rows (6.0%) of the last good list are gone, more than max_removed, 5%",
        ),
        (
            Facts(rows=100, before=105, removed=5, changed=21),
            "21 of 100 rows (21.0%) in both lists differ, more than max_changed, 20%",
        ),
    ],
)
def test_each_reason_not_to_believe_a_list(facts: Facts, reason: str) -> None:
    assert objections(facts, FEED) == [reason]


def test_all_reasons_are_given() -> None:
    facts = Facts(rows=0, invalid=3, invalid_keys=["-"], before=100, removed=100)
    assert [reason.split(" ")[0] for reason in objections(facts, FEED)] == ["the", "3", "100"]


def test_a_limit_of_all_lets_everything_pass() -> None:
    feed = Feed(name="list", url="https://example.org", key="ISIN", max_removed=1, max_changed=1)
    assert objections(Facts(rows=1, before=100, removed=100, changed=0), feed) == []
    assert objections(Facts(rows=100, before=100, changed=100), feed) == []
