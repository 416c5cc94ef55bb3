from datetime import date

import pytest

from everytick.feeds.feed import Feed, Limit
from everytick.feeds.guard import Facts, Rejection, judge

FEED = Feed(name="list", url="https://example.org", key="ISIN", max_invalid=0.1)


@pytest.mark.parametrize(
    "facts",
    [
        Facts(rows=1),
        Facts(rows=9, invalid=1),
        Facts(rows=95, before=100, removed=5),
        Facts(rows=100, before=100, changed=20),
        Facts(rows=20, before=100, removed=5, changed=19),
        Facts(rows=10**6, before=1, added=10**6 - 1),
    ],
)
def test_a_list_within_all_limits_is_believed(facts: Facts) -> None:
    assert judge(facts, FEED).verdict == "publish"


@pytest.mark.parametrize(
    ("facts", "verdict", "words"),
    [
        (Facts(rows=0), "refuse", "the list is empty"),
        (
            Facts(rows=8, invalid=1, invalid_examples=["'US0378331004'"]),
            "refuse",
            "1 of 9 rows (11.1%) are not valid ('US0378331004'), more than max_invalid, 10%",
        ),
        (
            Facts(rows=3, repeated=1, repeated_examples=["'A'"]),
            "refuse",
            "1 of 4 rows (25.0%) repeat a key ('A'), more than max_repeated, 0%",
        ),
        (
            Facts(rows=94, before=100, removed=6),
            "hold",
            "6 of the last good list's 100 rows are gone (6.0%), more than max_removed, 5%",
        ),
        (
            Facts(rows=100, before=105, removed=5, changed=21),
            "hold",
            "21 of the 100 rows in both lists differ (21.0%), more than max_changed, 20%",
        ),
        (
            Facts(rows=100, before=100, as_of=date(2026, 8, 9), before_as_of=date(2026, 8, 10)),
            "refuse",
            "the list is of 2026-08-09, older than the last good one's 2026-08-10",
        ),
        (
            Facts(rows=1, rejection=Rejection(actor="Ann", note="half is missing")),
            "refuse",
            "Ann rejected this very list: half is missing",
        ),
    ],
)
def test_each_reason_not_to_believe_a_list(facts: Facts, verdict: str, words: str) -> None:
    judgement = judge(facts, FEED)
    assert judgement.verdict == verdict
    assert [each.words for each in judgement.objections] == [words]


def test_the_reason_ends_with_the_mend() -> None:
    held = judge(Facts(rows=94, before=100, removed=6), FEED)
    assert held.reason.endswith(
        "; everytick feed approve list publishes it, everytick feed reject list does not"
    )
    feed = Feed(name="list", url="https://example.org", key="ISIN", max_removed=Limit(hold=0.05, refuse=0.1))
    refused = judge(Facts(rows=80, before=100, removed=20), feed)
    assert refused.verdict == "refuse"
    assert refused.reason.endswith("; if the list is right, raise feed.list.max_removed.refuse")
