"""What becomes of a schedule when the clocks change, and the bugs that others have there."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from everytick.when import At, Cron, Schedule, instant_of, schedule
from everytick.when.walltime import Fold, Gap

SPRING = ("2026-03-28T22:00Z", "2026-03-29T22:00Z")  # Berlin: 02:00 becomes 03:00 at 01:00Z
AUTUMN = ("2026-10-24T21:00Z", "2026-10-25T21:00Z")  # Berlin: 03:00 becomes 02:00 at 01:00Z


def told(rule: Schedule, span: tuple[str, str], zone: str) -> list[str]:
    """Return the instants in a span as the wall clock shows them, day, time and offset."""
    a, b = (datetime.fromisoformat(end) for end in span)
    moments = list(rule.between(a, b))
    assert rule.count(instant_of(a), instant_of(b)) == len(moments)
    back = []
    moment = b + timedelta(microseconds=1)
    while (earlier := rule.before(moment)) is not None and earlier > a:
        back.append(earlier)
        moment = earlier
    assert back[::-1] == moments
    return [f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M%z}".removesuffix("00") for moment in moments]


def berlin(line: str, span: tuple[str, str], **rules: str) -> list[str]:
    return told(Cron(line, "Europe/Berlin", **rules), span, "Europe/Berlin")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "spring", "autumn"),
    [
        ("30 2 * * *", ["29 03:00+02"], ["25 02:30+02"]),
        (
            "15 1-3 * * *",
            ["29 01:15+01", "29 03:00+02", "29 03:15+02"],
            ["25 01:15+02", "25 02:15+02", "25 03:15+01"],
        ),
        ("15,45 2 * * *", ["29 03:00+02"], ["25 02:15+02", "25 02:45+02"]),
        (
            "0,30 2,3 * * *",
            ["29 03:00+02", "29 03:30+02"],
            ["25 02:00+02", "25 02:30+02", "25 03:00+01", "25 03:30+01"],
        ),
        ("*/30 2 * * *", [], ["25 02:00+02", "25 02:30+02", "25 02:00+01", "25 02:30+01"]),
        ("15 */2 * * *", None, None),
    ],
)
def test_fixed_lines_follow_debian_cron_and_wildcards_follow_elapsed_time(
    line: str, spring: list[str] | None, autumn: list[str] | None
) -> None:
    if spring is not None:
        assert berlin(line, SPRING) == spring
        assert berlin(line, AUTUMN) == autumn
    else:
        assert "29 02:15+01" not in berlin(line, SPRING)
        assert {"25 02:15+02", "25 02:15+01"} <= set(berlin(line, AUTUMN))


@pytest.mark.parametrize(
    ("gap", "expected"), [("next", ["29 03:00+02"]), ("skip", []), ("previous", ["29 01:59+01"])]
)
def test_gap_says_what_becomes_of_a_time_that_does_not_exist(gap: str, expected: list[str]) -> None:
    assert berlin("30 2 * * *", SPRING, gap=gap) == expected
    assert berlin("*/15 2 * * *", SPRING, gap=gap) == expected


@pytest.mark.parametrize(
    ("fold", "expected"),
    [("first", ["25 02:30+02"]), ("second", ["25 02:30+01"]), ("both", ["25 02:30+02", "25 02:30+01"])],
)
def test_fold_says_which_of_two_counts(fold: str, expected: list[str]) -> None:
    assert berlin("30 2 * * *", AUTUMN, fold=fold) == expected
    assert berlin("*/59 2 * * *", AUTUMN, fold=fold) == [
        moment
        for word in expected
        for moment in (word.replace("02:30", "02:00"), word.replace("02:30", "02:59"))
    ]


def test_previous_is_a_second_before_the_gap_where_the_line_has_seconds() -> None:
    line = Cron("5 30 2 * * *", "Europe/Berlin", gap="previous")
    assert line.after(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)


def test_a_stand_in_that_is_due_anyway_comes_once() -> None:
    assert berlin("59 1,2 * * *", SPRING, gap="previous") == ["29 01:59+01"]
    assert berlin("0 2,3 * * *", SPRING, gap="next") == ["29 03:00+02"]


@pytest.mark.parametrize(
    ("zone", "line", "span", "expected"),
    [
        # Half an hour: Lord Howe goes from 02:00 to 02:30 and back.
        ("Australia/Lord_Howe", "15 2 * * *", ("2026-10-03T12:00Z", "2026-10-04T12:00Z"), ["04 02:30+11"]),
        ("Australia/Lord_Howe", "45 1 * * *", ("2026-04-04T12:00Z", "2026-04-05T10:00Z"), ["05 01:45+11"]),
        ("Australia/Lord_Howe", "*/15 1 * * *", ("2026-04-04T13:50Z", "2026-04-04T15:20Z"),
         ["05 01:00+11", "05 01:15+11", "05 01:30+11", "05 01:45+11", "05 01:30+1030", "05 01:45+1030"]),
        # Apia skipped 30 December 2011 as a whole.
        ("Pacific/Apia", "0 9 * * *", ("2011-12-29T00:00Z", "2012-01-01T00:00Z"),
         ["29 09:00-10", "31 00:00+14", "31 09:00+14", "01 09:00+14"]),
        ("Pacific/Apia", "0 */12 * * *", ("2011-12-29T09:30Z", "2011-12-31T09:30Z"),
         ["29 00:00-10", "29 12:00-10", "31 00:00+14", "31 12:00+14"]),
        ("Pacific/Apia", "0 9 30 12 *", ("2011-01-01T00:00Z", "2012-12-31T00:00Z"),
         ["31 00:00+14", "30 09:00+14"]),
        # Gaps at midnight: the day begins at 01:00.
        ("America/Sao_Paulo", "0 0 * * *", ("2018-11-03T00:00Z", "2018-11-05T00:00Z"),
         ["03 00:00-03", "04 01:00-02"]),
        ("Africa/Cairo", "0 0 * * *", ("2026-04-23T12:00Z", "2026-04-25T00:00Z"),
         ["24 01:00+03", "25 00:00+03"]),
        ("Asia/Beirut", "30 0 * * *", ("2026-03-28T12:00Z", "2026-03-29T12:00Z"), ["29 01:00+03"]),
        # Folds at midnight: 23:30 comes twice, on the day before.
        ("America/Sao_Paulo", "30 23 * * *", ("2018-02-17T12:00Z", "2018-02-18T12:00Z"), ["17 23:30-02"]),
        ("America/Havana", "30 0 * * *", ("2026-10-31T12:00Z", "2026-11-01T12:00Z"), ["01 00:30-04"]),
        # Negative daylight saving, and zones that stopped.
        ("Europe/Dublin", "30 1 * * *", ("2026-03-28T12:00Z", "2026-03-29T12:00Z"), ["29 02:00+01"]),
        ("Africa/Casablanca", "30 2 * * *", ("2026-02-14T12:00Z", "2026-02-15T12:00Z"), ["15 02:30+01"]),
        ("Asia/Kolkata", "30 2 * * *", ("2026-03-28T12:00Z", "2026-03-29T12:00Z"), ["29 02:30+0530"]),
    ],
)  # fmt: skip
def test_gaps_and_folds_of_every_shape(
    zone: str, line: str, span: tuple[str, str], expected: list[str]
) -> None:
    assert told(Cron(line, zone), span, zone) == expected


@pytest.mark.parametrize("gap", ["next", "skip", "previous"])
@pytest.mark.parametrize("fold", ["first", "second", "both"])
@pytest.mark.parametrize("line", ["30 2 * * *", "*/15 * * * *", "0 * * * *", "*/15 2 * * *"])
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "2026-10-25T01:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00Z"),
    ],
)
def test_what_was_asked_before_changes_no_answer(
    zone: str, change: str, line: str, gap: Gap, fold: Fold
) -> None:
    around = instant_of(datetime.fromisoformat(change))
    asked = [around + step * 900_000_000 + more for step in range(-16, 17) for more in (-1, 0, 1)]
    random.Random(f"{zone}{line}{gap}{fold}").shuffle(asked)
    used = Cron(line, zone, gap=gap, fold=fold)
    for moment in asked:
        fresh = Cron(line, zone, gap=gap, fold=fold)
        assert used.instant_after(moment) == fresh.instant_after(moment)
        assert used.instant_before(moment) == fresh.instant_before(moment)


def test_a_yearly_line_just_before_a_change_is_found_from_afar() -> None:
    line = Cron("30 1 29 3 *", "Europe/Berlin")
    due = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert line.after(datetime(2025, 6, 1, tzinfo=UTC)) == due
    assert line.before(datetime(2026, 12, 1, tzinfo=UTC)) == due


def test_a_one_shot_in_a_gap_or_fold_follows_the_defaults() -> None:
    assert told(At("2026-03-29T02:30", zone="Europe/Berlin"), SPRING, "Europe/Berlin") == ["29 03:00+02"]
    assert told(At("2026-10-25T02:30", zone="Europe/Berlin"), AUTUMN, "Europe/Berlin") == ["25 02:30+02"]


def test_a_window_is_open_whenever_the_wall_clock_reads_within_it() -> None:
    rule = schedule("every 30m from 2026-01-01T00:00Z within 02:00-02:30 in Europe/Berlin")
    assert told(rule, AUTUMN, "Europe/Berlin") == ["25 02:00+02", "25 02:30+02", "25 02:00+01", "25 02:30+01"]
    assert told(rule, SPRING, "Europe/Berlin") == []


class TestBugsOfOthers:
    """Each is a report against another scheduler, told as a schedule."""

    def test_celery_6438_the_next_instant_after_the_repeated_hour_is_not_lost(self) -> None:
        assert berlin("0 * * * *", ("2026-10-24T23:30Z", "2026-10-25T03:00Z")) == [
            "25 02:00+02", "25 02:00+01", "25 03:00+01", "25 04:00+01",
        ]  # fmt: skip

    def test_celery_10107_an_hourly_line_comes_each_hour_across_the_gap(self) -> None:
        assert berlin("5 * * * *", ("2026-03-29T00:00Z", "2026-03-29T03:00Z")) == [
            "29 01:05+01", "29 03:05+02", "29 04:05+02",
        ]  # fmt: skip

    def test_celery_beat_134_a_daily_line_keeps_its_wall_time_on_the_day_of_the_change(self) -> None:
        days = berlin("0 9 * * *", ("2026-03-28T00:00Z", "2026-03-31T00:00Z"))
        assert days == ["28 09:00+01", "29 09:00+02", "30 09:00+02"]
        days = berlin("0 9 * * *", ("2026-10-24T00:00Z", "2026-10-27T00:00Z"))
        assert days == ["24 09:00+02", "25 09:00+01", "26 09:00+01"]

    @pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"])
    def test_celery_beat_956_no_hour_of_the_day_is_filtered_out_in_a_zone_far_away(self, zone: str) -> None:
        a, b = instant_of(datetime(2026, 1, 1, tzinfo=UTC)), instant_of(datetime(2027, 1, 1, tzinfo=UTC))
        assert [Cron(f"0 {hour} * * *", zone).count(a, b) for hour in range(24)] == [365] * 24

    def test_apscheduler_1036_the_walk_goes_on_through_both_changes_of_ten_years(self) -> None:
        line = Cron("*/10 * * * *", "America/New_York")
        a, b = (instant_of(datetime(year, 1, 1, tzinfo=UTC)) for year in (2020, 2030))
        moments = list(line.instants(a, b))
        assert {later - earlier for earlier, later in pairwise(moments)} == {600_000_000}

    def test_kubernetes_121594_a_fixed_time_in_the_repeated_hour_comes_once(self) -> None:
        assert berlin("0 2 * * *", AUTUMN) == ["25 02:00+02"]

    def test_temporal_a_fixed_time_in_the_fold_is_not_returned_in_both_copies(self) -> None:
        line = Cron("30 1 * * *", "America/New_York")
        found = told(line, ("2026-11-01T00:00Z", "2026-11-02T00:00Z"), "America/New_York")
        assert found == ["01 01:30-04"]

    def test_systemd_13745_no_day_is_left_out_because_of_the_gap(self) -> None:
        line = Cron("30 2 * * *", "Europe/Berlin")
        moments = list(line.between(datetime(2020, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)))
        pauses = {later - earlier for earlier, later in pairwise(moments)}
        assert {pause / timedelta(minutes=30) for pause in pauses} == {47, 48, 50}
        assert len({moment.astimezone(ZoneInfo("Europe/Berlin")).date() for moment in moments}) == len(
            moments
        )

    def test_systemd_5595_the_repeated_hour_is_not_left_out_for_a_wildcard(self) -> None:
        assert len(berlin("*/10 * * * *", AUTUMN)) == 24 * 6

    def test_airflow_38098_the_day_of_the_change_has_its_tick_at_midnight(self) -> None:
        line = Cron("0 0 * * *", "America/Havana")
        assert told(line, ("2026-03-07T12:00Z", "2026-03-09T12:00Z"), "America/Havana") == [
            "08 01:00-04",
            "09 00:00-04",
        ]

    def test_procrastinate_1474_each_schedule_has_a_zone_of_its_own(self) -> None:
        both = Cron("0 9 * * *", "Asia/Kolkata") | Cron("0 9 * * *", "Europe/Berlin")
        assert told(both, ("2026-01-01T00:00Z", "2026-01-02T00:00Z"), "UTC") == ["01 03:30+00", "01 08:00+00"]

    def test_eventbridge_a_daily_interval_drifts_and_a_daily_line_does_not(self) -> None:
        interval = schedule("every 24h from 2026-10-24T07:00Z")
        assert told(interval, AUTUMN, "Europe/Berlin") == ["25 08:00+01"]
        assert berlin("0 9 * * *", AUTUMN) == ["25 09:00+01"]
