"""Intervals, one-shots, combinations, windows and durations."""

from datetime import UTC, datetime, timedelta

import pytest

from everytick.errors import ScheduleError
from everytick.when import At, Every, Schedule, Within, format_duration, instant_of, parse_duration, schedule

ANCHOR = instant_of(datetime(2026, 1, 1, tzinfo=UTC))
MINUTE = 60_000_000


def told(rule: Schedule, a: str, b: str) -> list[str]:
    start, end = (datetime.fromisoformat(word) for word in (a, b))
    found = [f"{moment:%d %H:%M}" for moment in rule.between(start, end)]
    assert rule.count(instant_of(start), instant_of(end)) == len(found)
    return found


class TestIntervals:
    def test_the_first_comes_one_period_after_the_stored_anchor(self) -> None:
        rule = Every("15m").bound(name="report", anchor=ANCHOR)
        assert rule.instant_after(ANCHOR - 10**12) == ANCHOR + 15 * MINUTE
        assert rule.instant_after(ANCHOR) == ANCHOR + 15 * MINUTE
        assert rule.instant_after(ANCHOR + 15 * MINUTE) == ANCHOR + 30 * MINUTE
        assert rule.instant_before(ANCHOR + 15 * MINUTE) is None
        assert rule.instant_before(ANCHOR + 15 * MINUTE + 1) == ANCHOR + 15 * MINUTE
        assert rule.count(ANCHOR - 10**12, ANCHOR + 30 * MINUTE) == 2

    def test_a_stated_anchor_is_itself_an_instant_and_is_kept(self) -> None:
        rule = schedule("every 15m from 2026-01-01T00:00Z")
        assert rule.instant_after(ANCHOR - 1) == ANCHOR
        assert rule.bound(name="report", anchor=ANCHOR + 7) == rule
        assert rule == Every(timedelta(minutes=15), datetime(2026, 1, 1, tzinfo=UTC))

    def test_a_bound_interval_says_its_first_instant(self) -> None:
        assert str(Every("15m").bound(name="report", anchor=ANCHOR)) == "every 15m from 2026-01-01T00:15:00Z"

    def test_an_unbound_interval_refuses_to_compute_but_can_be_read(self) -> None:
        rule = Every("15m")
        assert rule.sentence() == "Every 15 minutes, counted from when the task was first applied"
        with pytest.raises(ScheduleError, match="bind the schedule first"):
            rule.instant_after(0)

    def test_an_anchor_without_zone_is_refused(self) -> None:
        with pytest.raises(ScheduleError, match="names no zone"):
            Every("15m", datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test

    def test_a_year_of_milliseconds_is_counted_by_arithmetic(self) -> None:
        rule = Every("1ms").bound(name="report", anchor=ANCHOR)
        assert rule.count(ANCHOR, ANCHOR + 365 * 86_400 * 1_000_000) == 365 * 86_400 * 1000

    @pytest.mark.parametrize("period", [timedelta(0), timedelta(seconds=-1), timedelta(microseconds=1500)])
    def test_an_absurd_period_is_refused(self, period: timedelta) -> None:
        with pytest.raises(ScheduleError, match="A duration"):
            Every(period)


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "seconds", "canonical"),
        [
            ("15m", 900, "15m"),
            ("1h30m", 5400, "1h30m"),
            ("90m", 5400, "1h30m"),
            ("24h", 86_400, "1d"),
            ("500ms", 0.5, "500ms"),
            ("2d", 172_800, "2d"),
            ("1w", 604_800, "7d"),
            (" 1H 30M ", 5400, "1h30m"),
            ("1s1ms", 1.001, "1s1ms"),
        ],
    )
    def test_words_are_read_and_written(self, text: str, seconds: float, canonical: str) -> None:
        assert parse_duration(text) == timedelta(seconds=seconds)
        assert format_duration(parse_duration(text)) == canonical

    @pytest.mark.parametrize(
        ("text", "position"),
        [
            ("", 0),
            ("15", 0),
            ("m", 0),
            ("15 minutes", 0),
            ("1m1h", 2),
            ("-5m", 0),
            ("1.5h", 0),
            ("5m 5m", 3),
            ("x", 0),
        ],
    )
    def test_others_are_refused_at_their_place(self, text: str, position: int) -> None:
        with pytest.raises(ScheduleError, match="is written like") as refused:
            parse_duration(text)
        assert refused.value.position == position

    @pytest.mark.parametrize("text", ["0s", "0h0m", "40000d", "999999999w"])
    def test_zero_and_centuries_are_refused(self, text: str) -> None:
        with pytest.raises(ScheduleError, match=r"at least 1ms|at most 100 years"):
            parse_duration(text)


class TestOneShots:
    def test_each_time_comes_once(self) -> None:
        rule = At("2026-12-01T09:00", "2026-11-01T09:00", zone="Asia/Kolkata")
        assert told(rule, "2026-01-01T00:00Z", "2027-01-01T00:00Z") == ["01 03:30", "01 03:30"]
        last = datetime(2026, 12, 1, 3, 30, tzinfo=UTC)
        assert rule.after(last) is None
        assert rule.before(last) == datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
        assert rule.notes(instant_of(last)) == ("All its times have passed",)

    def test_an_offset_outweighs_the_zone(self) -> None:
        rule = schedule("at 2026-12-01T09:00+01:00", zone="Asia/Kolkata")
        assert rule.after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 12, 1, 8, tzinfo=UTC)
        assert str(rule) == "at 2026-12-01T08:00:00Z"
        assert rule.rules() == ""

    @pytest.mark.parametrize(
        "text",
        [
            "at",
            "at 2026-12-01",
            "at noon",
            "at 2026-12-01T09:00, 2026-12-02T09:00Z",
            "at 2026-12-01T09:00:00.5",
            "at ,",
        ],
    )
    def test_half_a_time_is_refused(self, text: str) -> None:
        with pytest.raises(ScheduleError):
            schedule(text)


class TestCombinations:
    def test_a_union_yields_each_instant_once(self) -> None:
        rule = schedule("0 */6 * * * | 0 */4 * * *")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-02T00:00Z") == [
            "01 04:00", "01 06:00", "01 08:00", "01 12:00", "01 16:00", "01 18:00", "01 20:00", "02 00:00",
        ]  # fmt: skip

    def test_a_union_of_three_counts_each_instant_once(self) -> None:
        rule = schedule("0 */6 * * * | 0 */4 * * * | 0 */12 * * *")
        assert len(told(rule, "2026-01-01T00:00Z", "2026-01-02T00:00Z")) == 8

    def test_a_schedule_with_itself_stays_itself(self) -> None:
        line = schedule("0 6 * * *")
        assert line | line == line

    def test_minus_takes_equal_instants_out(self) -> None:
        rule = schedule("0 */6 * * * minus 0 12 * * *")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-02T00:00Z") == ["01 06:00", "01 18:00", "02 00:00"]
        assert rule.before(datetime(2026, 1, 1, 18, tzinfo=UTC)) == datetime(2026, 1, 1, 6, tzinfo=UTC)

    def test_minus_that_leaves_nothing_ends(self) -> None:
        rule = schedule("0 0 * * * minus 0 * * * *")
        assert rule.instant_after(ANCHOR) is None
        assert rule.instant_before(ANCHOR) is None
        assert rule.count(ANCHOR, ANCHOR + 10**14) == 0

    def test_minus_that_takes_everything_from_a_dense_schedule_is_refused_when_asked(self) -> None:
        rule = schedule("* * * * * * minus */1 * * * * *")
        with pytest.raises(ScheduleError, match="in a row"):
            rule.instant_after(ANCHOR)

    def test_minus_itself_is_refused(self) -> None:
        with pytest.raises(ScheduleError, match="leaves nothing"):
            schedule("0 0 * * * minus 0 0 * * *")

    def test_brackets_and_order_are_kept(self) -> None:
        loose = schedule("0 6 * * * | 0 18 * * * minus 0 18 * * sun")
        tight = schedule("(0 6 * * * | 0 18 * * *) minus (0 18 * * sun | 0 6 * * sat)")
        assert str(loose) == "0 6 * * * | 0 18 * * * minus 0 18 * * sun"
        assert str(tight) == "(0 6 * * * | 0 18 * * *) minus (0 18 * * sun | 0 6 * * sat)"

    def test_binding_reaches_every_part(self) -> None:
        rule = schedule("(H H * * * | every 1h) minus H 0 * * * within 00:00-12:00")
        bound = rule.bound(name="report", anchor=ANCHOR)
        assert bound.instant_after(ANCHOR) is not None
        assert schedule(str(bound)) == bound
        assert "H" not in str(bound)


class TestWindows:
    def test_both_ends_belong_to_the_window(self) -> None:
        rule = schedule("*/15 * * * * within 09:15-10:00 mon-fri")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-05T09:20Z") == [
            "01 09:15", "01 09:30", "01 09:45", "01 10:00", "02 09:15", "02 09:30", "02 09:45",
            "02 10:00", "05 09:15",
        ]  # fmt: skip

    def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opens(self) -> None:
        rule = schedule("0 */2 * * * within 22:00-02:00 fri")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-09T00:00Z") == ["02 22:00", "03 00:00", "03 02:00"]

    def test_weekdays_alone_end_at_midnight(self) -> None:
        rule = schedule("0 */12 * * * within sat,sun")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-06T00:00Z") == [
            "03 00:00",
            "03 12:00",
            "04 00:00",
            "04 12:00",
        ]

    def test_24_00_is_the_end_of_the_day(self) -> None:
        rule = schedule("0 * * * * within 22:00-24:00 sat")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-06T00:00Z") == ["03 22:00", "03 23:00"]

    def test_the_wall_clock_of_the_windows_zone_counts(self) -> None:
        rule = schedule("every 1h from 2026-01-01T00:00Z within 09:15-15:30 in Asia/Kolkata")
        assert told(rule, "2026-01-01T00:00Z", "2026-01-02T00:00Z") == [
            f"01 {hour:02}:00" for hour in range(4, 11)
        ]

    def test_a_window_in_which_nothing_ever_falls_ends(self) -> None:
        rule = schedule("0 6 * * * within 09:15-15:30")
        assert rule.instant_after(ANCHOR) is None
        assert rule.instant_before(ANCHOR) is None
        assert rule.count(ANCHOR, ANCHOR + 10**14) == 0

    def test_before_goes_back_over_nights_and_weekends(self) -> None:
        rule = schedule("*/15 * * * * within 09:15-10:00 mon-fri")
        assert rule.before(datetime(2026, 1, 5, 9, 15, tzinfo=UTC)) == datetime(2026, 1, 2, 10, 0, tzinfo=UTC)

    def test_a_dense_schedule_jumps_over_closed_hours(self) -> None:
        rule = schedule("* * * * * * within 09:00-09:01 mon")
        a, b = (instant_of(datetime(year, 1, 1, tzinfo=UTC)) for year in (2026, 2036))
        assert rule.count(a, b) == 522 * 61

    @pytest.mark.parametrize(
        "window",
        [
            "",
            "9-10",
            "09:15",
            "09:15-25:00",
            "09:60-10:00",
            "24:00-10:00",
            "mon#2",
            "H",
            "00:00-24:00",
            "*",
            "09:00-10:00 xyz",
        ],
    )
    def test_what_is_no_window_is_refused(self, window: str) -> None:
        with pytest.raises(ScheduleError):
            Within(Every("5m"), window)


def test_an_interval_of_a_bare_number_is_refused_with_the_mend() -> None:
    with pytest.raises(ScheduleError, match="write '5s', or timedelta"):
        Every(5)  # type: ignore[arg-type]


def test_every_second_but_not_at_weekends_comes_back_on_monday() -> None:
    rule = schedule("* * * * * * minus * * * * * sat,sun")
    friday = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
    assert rule.after(friday) == datetime(2026, 11, 23, tzinfo=UTC)
