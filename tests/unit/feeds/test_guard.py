from dataclasses import replace
from datetime import date
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.feeds.feed import Feed, Limit, Response
from everytick.feeds.judge.contract import Event
from everytick.feeds.judge.guard import Facts, Judgement, Rejection, judge

FEED = Feed(name="list", url="https://example.org", key="ISIN", max_invalid=0.1)


@pytest.mark.parametrize(
    "facts",
    [
        Facts(rows=1),
        Facts(rows=9, invalid=1),
        Facts(rows=9, as_of=date(2026, 8, 10), today=date(2026, 8, 9)),  # in the east it begins earlier
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
            Facts(rows=100, as_of=date(2062, 8, 9), today=date(2026, 8, 9)),
            "refuse",
            "the list is of 2062-08-09, which is yet to come",
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


def test_a_held_list_that_has_a_graver_fault_too_is_refused_and_its_mend_is_that_of_the_fault() -> None:
    judgement = judge(Facts(rows=50, invalid=50, before=100, removed=50), FEED)
    assert [each.severity for each in judgement.objections] == ["refuse", "hold"]
    assert judgement.verdict == "refuse"
    assert "50 of the last good list's 100 rows are gone" in judgement.reason
    assert judgement.reason.endswith("; if that is how the list is, raise feed.list.max_invalid")
    assert "approve" not in judgement.reason


@pytest.mark.parametrize(
    ("response", "verdict", "warnings"),
    [("accept", "publish", ()), ("warn", "publish", ("columns gone: X",)), ("refuse", "refuse", ())],
)
def test_the_columns_are_judged_as_the_feed_responds(
    response: Response, verdict: str, warnings: tuple[str, ...]
) -> None:
    event = Event(kind="missing", columns=("X",), response=response, words="columns gone: X")
    judgement = judge(Facts(rows=9, before=9, events=[event]), FEED)
    assert judgement.verdict == verdict
    assert judgement.warnings == warnings
    assert [each.words for each in judgement.objections] == ["columns gone: X"] * (verdict == "refuse")


def test_warnings_stop_nothing() -> None:
    assert judge(Facts(rows=9, warnings=["odd"]), FEED) == Judgement(warnings=("odd",))


@pytest.mark.parametrize(
    ("rows", "verdict", "words"),
    [
        (999, "refuse", ["good rows: 999, fewer than min_rows, 1,000"]),
        (1000, "publish", []),
        (0, "refuse", ["the list is empty"]),
    ],
)
def test_a_list_has_at_least_so_many_rows(rows: int, verdict: str, words: list[str]) -> None:
    judgement = judge(Facts(rows=rows), replace(FEED, min_rows=1000))
    assert judgement.verdict == verdict
    assert [each.words for each in judgement.objections] == words


def test_a_list_without_a_good_row_is_not_called_empty() -> None:
    judgement = judge(Facts(rows=0, invalid=3), FEED)
    assert [each.kind for each in judgement.objections] == ["empty", "max_invalid"]
    assert judgement.objections[0].words == "the list has no good row"


@pytest.mark.parametrize("day", [None, date(2026, 8, 10), date(2026, 8, 11)])
def test_a_day_that_is_not_older_or_not_known_is_no_objection(day: date | None) -> None:
    facts = Facts(rows=9, before=9, as_of=day, before_as_of=date(2026, 8, 10))
    assert judge(facts, FEED).verdict == "publish"
    assert judge(replace(facts, as_of=date(2020, 1, 1), before_as_of=None), FEED).verdict == "publish"


def test_the_first_list_ever_has_nothing_to_be_compared_with() -> None:
    facts = Facts(rows=9, added=9, as_of=date(2026, 8, 10))
    assert judge(facts, replace(FEED, max_added=Limit(hold=0.0, refuse=0.0))).verdict == "publish"


def test_beside_an_empty_list_every_new_row_is_above_any_limit() -> None:
    feed = replace(FEED, max_added=Limit(hold=1.0))
    assert judge(Facts(rows=0, before=0), feed).verdict == "refuse"
    judgement = judge(Facts(rows=1, before=0, added=1), feed)
    assert judgement.verdict == "hold"
    assert judgement.objections[0].words == (
        "new rows: 1, beside the last good list's 0 (all of them), more than max_added, 100%"
    )


def test_a_share_a_hair_above_its_limit_is_told_from_it() -> None:
    judgement = judge(Facts(rows=94_999, before=10**5, removed=5_001), FEED)
    assert "(5.001%), more than max_removed, 5%" in judgement.reason


# What 371 good days of AMFI's list hold at most, and what really happened to lists that had gone wrong.
REAL_DAYS = {
    "the most removed": Facts(rows=17_900, before=18_052, removed=164, added=12),
    "the most added": Facts(rows=18_052, before=18_005, added=47),
    "an ordinary day": Facts(rows=18_052, before=18_052, invalid=13),
    "the most changed": Facts(rows=18_052, before=18_052, changed=75),
}
BAD_DAYS = {
    "header only": Facts(rows=0, before=18_052, removed=18_052),
    "no good row": Facts(rows=0, invalid=18_000, before=18_052, removed=18_052),
    "one of two markets is lost": Facts(rows=1_620, before=2_220, removed=600),
    "a partial list": Facts(rows=184_505, before=288_702, removed=104_197),
    "almost nothing": Facts(rows=2, before=31_183, removed=31_181),
    "names in another column": Facts(rows=14_283, before=14_280, added=3, changed=13_975),
    "yesterday's file after today's": Facts(
        rows=9, before=9, as_of=date(2025, 9, 12), before_as_of=date(2025, 9, 13)
    ),
}


@pytest.mark.parametrize("day", REAL_DAYS)
def test_real_days_are_believed_by_default(day: str) -> None:
    assert (
        judge(REAL_DAYS[day], Feed(name="amfi", url="https://example.org", key="ISIN")).verdict == "publish"
    )


@pytest.mark.parametrize("day", BAD_DAYS)
def test_days_that_went_wrong_are_not(day: str) -> None:
    judgement = judge(BAD_DAYS[day], Feed(name="amfi", url="https://example.org", key="ISIN"))
    assert judgement.verdict in {"hold", "refuse"}
    assert all(each.words and each.mend for each in judgement.objections)


SHARES = st.integers(0, 100)
LIMITS = st.none() | SHARES


@st.composite
def feeds(draw: st.DrawFn) -> Feed:
    def limit() -> Limit:
        bounds = sorted(draw(st.tuples(SHARES, SHARES)))
        hold, refuse = (draw(st.sampled_from([bound / 100, None])) for bound in bounds)
        return Limit(hold=hold, refuse=refuse)

    return Feed(
        name="list",
        url="https://example.org",
        key="ISIN",
        min_rows=draw(st.integers(0, 120)),
        max_invalid=draw(SHARES) / 100,
        max_repeated=draw(SHARES) / 100,
        max_removed=limit(),
        max_added=limit(),
        max_changed=limit(),
    )


@st.composite
def lists(draw: st.DrawFn, better: Facts | None = None) -> Facts:
    """Draw a list of 100 rows; one that is worse in every share, or as bad, where a better one is given."""
    than = better or Facts(rows=100)
    invalid = draw(st.integers(than.invalid, 100 - than.repeated))
    repeated = draw(st.integers(than.repeated, 100 - invalid))
    before = than.before if better else draw(st.none() | st.integers(0, 120))
    whole = before or 0
    removed = draw(st.integers(than.removed, whole))
    common, common_then = whole - removed, whole - than.removed
    changed = draw(st.integers(ceil(than.changed * common / max(common_then, 1)), common))
    return Facts(
        rows=100 - invalid - repeated,
        invalid=invalid,
        repeated=repeated,
        before=before,
        added=draw(st.integers(than.added, 150)),
        removed=removed,
        changed=changed,
    )


GRAVITY = {"publish": 0, "hold": 1, "refuse": 2}


@given(feed=feeds(), data=st.data())
def test_a_list_that_is_worse_in_every_share_never_gets_a_milder_verdict(
    feed: Feed, data: st.DataObject
) -> None:
    better = data.draw(lists())
    worse = data.draw(lists(better))
    if (better.before or 0) > better.removed and worse.before == worse.removed:
        better = replace(better, changed=0)  # no row is in both lists, so none can have changed
    assert GRAVITY[judge(worse, feed).verdict] >= GRAVITY[judge(better, feed).verdict]


@given(feed=feeds(), facts=lists())
def test_it_publishes_exactly_what_is_within_all_limits(feed: Feed, facts: Facts) -> None:
    def within(part: int, whole: int, limit: float | None) -> bool:
        return limit is None or part * 100 <= round(limit * 100) * whole

    before = facts.before or 0
    compared = (
        (facts.removed, before, feed.max_removed),
        (facts.added, before, feed.max_added),
        (facts.changed, before - facts.removed, feed.max_changed),
    )
    sound = (
        facts.rows >= max(feed.min_rows, 1)
        and within(facts.invalid, 100, feed.max_invalid)
        and within(facts.repeated, 100, feed.max_repeated)
    )
    shares = [] if facts.before is None else compared
    refused = not sound or not all(within(part, whole, limit.refuse) for part, whole, limit in shares)
    held = not all(within(part, whole, limit.hold) for part, whole, limit in shares)
    assert judge(facts, feed).verdict == ("refuse" if refused else "hold" if held else "publish")
