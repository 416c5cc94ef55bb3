"""What each part of a cron line selects, and how a wrong one is refused."""

from datetime import UTC, datetime

import pytest

from everytick.errors import ScheduleError
from everytick.when import Cron, instant_of

START = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def first(line: str, many: int, start: datetime = START) -> list[str]:
    moments = []
    moment = start
    for _ in range(many):
        found = Cron(line).after(moment)
        assert found is not None
        moments.append(f"{found:%Y-%m-%d %H:%M:%S}".removesuffix(":00").removeprefix("2026-"))
        moment = found
    return moments


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("*/20 * * * *", ["01-01 00:20", "01-01 00:40", "01-01 01:00"]),
        ("7 * * * *", ["01-01 00:07", "01-01 01:07"]),
        ("5/25 * * * *", ["01-01 00:05", "01-01 00:30", "01-01 00:55", "01-01 01:05"]),
        ("10-30/10 * * * *", ["01-01 00:10", "01-01 00:20", "01-01 00:30", "01-01 01:10"]),
        ("0 9,17 * * *", ["01-01 09:00", "01-01 17:00", "01-02 09:00"]),
        ("0 0 1 */3 *", ["04-01 00:00", "07-01 00:00", "10-01 00:00", "2027-01-01 00:00"]),
        ("0 0 1 FEB,Nov *", ["02-01 00:00", "11-01 00:00"]),
        ("0 0 * * Mon-WED", ["01-05 00:00", "01-06 00:00", "01-07 00:00", "01-12 00:00"]),
        ("0 0 * * 0", ["01-04 00:00", "01-11 00:00"]),
        ("0 0 * * 7", ["01-04 00:00", "01-11 00:00"]),
        ("0 0 * * 5-7", ["01-02 00:00", "01-03 00:00", "01-04 00:00", "01-09 00:00"]),
        ("0 0 * * fri-sun", ["01-02 00:00", "01-03 00:00", "01-04 00:00", "01-09 00:00"]),
        ("15,45 30 12 * * *", ["01-01 12:30:15", "01-01 12:30:45", "01-02 12:30:15"]),
        ("*/30 * * * * *", ["01-01 00:00:30", "01-01 00:01"]),
        ("0 0 L * *", ["01-31 00:00", "02-28 00:00", "03-31 00:00", "04-30 00:00"]),
        ("0 0 1,L * ?", ["01-31 00:00", "02-01 00:00", "02-28 00:00", "03-01 00:00"]),
        ("0 0 LW * *", ["01-30 00:00", "02-27 00:00", "03-31 00:00"]),
        ("0 0 15W * *", ["01-15 00:00", "02-16 00:00", "03-16 00:00", "04-15 00:00", "05-15 00:00"]),
        ("0 0 1W 8,11 *", ["08-03 00:00", "11-02 00:00"]),
        ("0 0 31W * *", ["01-30 00:00", "03-31 00:00", "05-29 00:00"]),
        ("0 0 * * mon#2", ["01-12 00:00", "02-09 00:00"]),
        ("0 0 * * 5#5", ["01-30 00:00", "05-29 00:00", "07-31 00:00"]),
        ("0 0 * * friL", ["01-30 00:00", "02-27 00:00", "03-27 00:00"]),
        ("0 0 * * 0L,3", ["01-07 00:00", "01-14 00:00", "01-21 00:00", "01-25 00:00", "01-28 00:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("@hourly", ["01-01 01:00", "01-01 02:00"]),
        ("@daily", ["01-02 00:00", "01-03 00:00"]),
        ("@midnight", ["01-02 00:00", "01-03 00:00"]),
        ("@weekly", ["01-04 00:00", "01-11 00:00"]),
        ("@MONTHLY", ["02-01 00:00", "03-01 00:00"]),
        ("@yearly", ["2027-01-01 00:00"]),
        ("@annually", ["2027-01-01 00:00"]),
    ],
)
def test_a_line_yields_these_instants(line: str, expected: list[str]) -> None:
    assert first(line, len(expected)) == expected


def test_a_29_february_on_a_monday_is_found_40_years_away() -> None:
    sunday = Cron("0 0 29 2 */7")
    earlier, later = datetime(2088, 2, 29, tzinfo=UTC), datetime(2128, 2, 29, tzinfo=UTC)
    assert sunday.after(earlier) == later
    assert sunday.before(later) == earlier


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 0 13 * 5", ["01-02 00:00", "01-09 00:00", "01-13 00:00", "01-16 00:00"]),
        ("0 0 */13 * 5", ["02-27 00:00", "03-27 00:00", "05-01 00:00", "08-14 00:00"]),
        ("0 0 13 * */5", ["02-13 00:00", "03-13 00:00", "09-13 00:00"]),
        ("0 0 13 * ?", ["01-13 00:00", "02-13 00:00"]),
        ("0 0 ? * 5", ["01-02 00:00", "01-09 00:00"]),
    ],
)
def test_either_day_field_is_enough_only_where_neither_begins_with_a_star(
    line: str, expected: list[str]
) -> None:
    assert first(line, len(expected)) == expected


@pytest.mark.parametrize(
    ("line", "message", "position"),
    [
        ("0 0 30 2 *", "No year has such a day", 4),
        ("0 0 31 4,6,9,11 *", "No year has such a day", 4),
        ("0  0 31W 2 *", "No year has such a day", 5),
        ("60 * * * *", "The minute goes from 0 to 59, not 60", 0),
        ("1-70 * * * *", "The minute goes from 0 to 59, not 70", 2),
        ("0 24 * * *", "The hour goes from 0 to 23, not 24", 2),
        ("0 0 0 * *", "The day of month goes from 1 to 31, not 0", 4),
        ("0 0 * 13 *", "The month goes from 1 to 12, not 13", 6),
        ("0 0 * * 8", "The day of week goes from 0 to 7, not 8", 8),
        ("0 0 * * monday", "The day of week does not know 'monday': did you mean mon?", 8),
        ("0 0 * sept *", "The month does not know 'sept': did you mean sep?", 6),
        ("0 0 * jly *", "The month does not know 'jly': did you mean jul?", 6),
        ("0 0 * * fri-mon", "fri-mon runs backwards: write fri-sat,sun-mon", 8),
        ("5-2 * * * *", "5-2 runs backwards: write 5-59,0-2", 0),
        ("*/0 * * * *", "A step is a number of at least 1", 2),
        ("*/x * * * *", "A step is a number of at least 1", 2),
        ("H/0 * * * *", "A step is at least 1", 2),
        ("H(50-70) * * * *", "H(50-70) leaves the minute's 0-59", 0),
        ("0 0 1,,2 * *", "A number is missing in the day of month", 6),
        ("0 ? * * *", "? stands only for a whole day of month or day of week, not in the hour", 2),
        ("0 0 *-5 * *", "* stands alone in the day of month, or begins a step such as */5", 4),
        ("0 0 * * mon#6", "A month has a first to a fifth of each weekday: #1 to #5", 12),
        ("0 0 32W * *", "The day of month goes from 1 to 31, not 32", 4),
        ("0 0 * * L", "The day of week does not know 'L': it takes 0 to 7 or sun to sat", 8),
        ("٣ * * * *", "The minute does not know '٣': it takes 0 to 59", 0),
        ("999999999999 * * * *", "The minute does not know '999999999999': it takes 0 to 59", 0),
        ("@dayly", "There is no @dayly: did you mean @daily?", 0),
        ("@reboot", "@reboot names no instant: start such a task with the machine, not on a schedule", 0),
        ("TZ=Asia/Kolkata 0 0 * * *", "Name the zone beside the line, not in it: zone='Asia/Kolkata'", 0),
        ("CRON_TZ=UTC 0 0 * * *", "Name the zone beside the line, not in it: zone='UTC'", 0),
        ("0 0 * *", "A cron line has 5 fields, or 6 with the seconds first; this has 4", None),
        ("0 0 * * * * 2026", "A cron line has 5 fields, or 6 with the seconds first; this has 7", None),
        ("", "A cron line has 5 fields, or 6 with the seconds first; this has 0", None),
    ],
)
def test_a_wrong_line_is_refused_once_with_the_place(line: str, message: str, position: int | None) -> None:
    with pytest.raises(ScheduleError) as refused:
        Cron(line)
    assert refused.value.args[0] == message
    assert refused.value.position == position
    assert refused.value.text == line


@pytest.mark.parametrize(
    ("zone", "mend"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("asia/kolkata", "did you mean Asia/Kolkata?"),
        ("Kolkata", "did you mean Asia/Kolkata?"),
        ("../etc/passwd", "write an IANA name such as Europe/Berlin"),
        ("Europe", ""),
        ("utc", "did you mean UTC?"),
        ("IST", "write an IANA name such as Europe/Berlin"),  # MST is nearer than Asia/Kolkata, and wrong
        ("GMT+2", "write an IANA name such as Europe/Berlin"),
        ("", "write an IANA name"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest(zone: str, mend: str) -> None:
    with pytest.raises(ScheduleError, match="There is no time zone") as refused:
        Cron("0 0 * * *", zone=zone)
    assert mend in str(refused.value)


def test_h_is_decided_by_the_name_alone() -> None:
    line = Cron("H H * * *")
    here, there = (line.bound(name=name, anchor=0) for name in ("report", "prices"))
    assert here == line.bound(name="report", anchor=12345)
    assert here != there
    assert str(here) == "21 8 * * *"  # written down: a changed hash would move every task


def test_h_spreads_names_over_its_whole_range() -> None:
    minutes = {
        str(Cron("H(10-29) * * * *").bound(name=f"task{at}", anchor=0)).split()[0] for at in range(500)
    }
    assert minutes == {str(minute) for minute in range(10, 30)}


def test_h_with_a_step_starts_below_the_step() -> None:
    lines = {str(Cron("H/20 * * * *").bound(name=f"task{at}", anchor=0)).split()[0] for at in range(300)}
    assert lines == {f"{start}-59/20" for start in range(20)}


def test_h_leaves_out_days_that_some_months_lack() -> None:
    days = {int(str(Cron("0 0 H * *").bound(name=f"task{at}", anchor=0)).split()[2]) for at in range(500)}
    assert days == set(range(1, 29))


def test_an_unbound_h_refuses_to_compute_but_can_be_read() -> None:
    line = Cron("H * * * *")
    assert str(line) == "H * * * *"
    assert "hash" in line.sentence()
    with pytest.raises(ScheduleError, match="bind the schedule first"):
        line.instant_after(0)
    with pytest.raises(ScheduleError, match="bind the schedule first"):
        line.instant_before(0)
    with pytest.raises(ScheduleError, match="bind the schedule first"):
        line.count(0, 1)


def test_naive_moments_are_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    line = Cron("0 0 * * *")
    with pytest.raises(ScheduleError, match="names no zone"):
        line.after(naive)
    with pytest.raises(ScheduleError, match="names no zone"):
        line.before(naive)
    with pytest.raises(ScheduleError, match="names no zone"):
        line.between(naive, START)


def test_equal_lines_are_equal_and_hash_alike() -> None:
    line = Cron("0  6 * * MON-fri", zone="Asia/Kolkata")
    line.instant_after(instant_of(START))
    assert line == Cron("0 6 * * mon-FRI", zone="Asia/Kolkata")
    assert hash(line) == hash(Cron("0 6 * * mon-fri", zone="Asia/Kolkata"))
    assert line != Cron("0 6 * * mon-fri")
    assert line != Cron("0 6 * * mon-fri", zone="Asia/Kolkata", gap="skip")


def test_a_second_line_is_counted_over_years_without_a_walk() -> None:
    line = Cron("* * * * * *", zone="Europe/Berlin")
    a, b = (instant_of(datetime(year, 1, 1, tzinfo=UTC)) for year in (2020, 2040))
    assert line.count(a, b) == (b - a) // 1_000_000


def test_the_ends_of_time_are_quiet() -> None:
    line = Cron("0 0 1 1 *")
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert line.after(last) is None
    assert Cron("0 0 1 1 *", zone="Europe/Berlin").after(datetime(9999, 2, 1, tzinfo=UTC)) is None
    assert line.before(datetime(1, 1, 1, 1, tzinfo=UTC)) is None
    assert line.count(instant_of(datetime(1, 1, 1, tzinfo=UTC)), instant_of(last)) == 9998
