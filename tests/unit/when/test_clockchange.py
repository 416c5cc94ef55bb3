"""What a change of the clocks does to a schedule, told from its instants."""

from datetime import UTC, datetime

import pytest

from everytick.when import instant_of, moment_of, schedule
from everytick.when.clockchange import Upset, upsets

SPRING = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
AUTUMN = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def told(text: str, span: tuple[datetime, datetime], zone: str = "Europe/Berlin") -> list[Upset]:
    rule = schedule(text, zone).bound(name="task", anchor=0)
    return list(upsets(rule, instant_of(span[0]), instant_of(span[1])))


@pytest.mark.parametrize(
    ("text", "times", "fate", "to"),
    [
        ("30 2 * * *", 1, "moved", "01:00:00"),
        ("30 2 * * * gap=skip", 1, "left out", None),
        ("30 2 * * * gap=previous", 1, "moved", "00:59:00"),
        ("30 30 2 * * * gap=previous", 1, "moved", "00:59:59"),
        ("0,30 2 * * *", 2, "moved", "01:00:00"),
        ("0,30 2,3 * * *", 2, "left out", None),  # they come with what is due at 03:00 anyway
        ("0 */2 * * *", 1, "left out", None),
        ("* 2-4 * * *", 60, "left out", None),
        ("at 2026-03-29T02:30", 1, "moved", "01:00:00"),
        ("every 15m within 01:30-02:45", 4, "left out", None),
        ("(0 * * * * | 30 2 * * *) within 02:00-02:59", 2, "left out", None),
        ("30 2,3 * * * minus 30 3 * * *", 1, "moved", "01:00:00"),
        ("@hourly | 30 2 * * *", 1, "moved", "01:00:00"),
    ],
)
def test_in_spring_times_are_missing(text: str, times: int, fate: str, to: str | None) -> None:
    (found,) = told(text, SPRING)
    assert (found.at, found.zone) == (instant_of(datetime(2026, 3, 29, 1, tzinfo=UTC)), "Europe/Berlin")
    assert (found.times, found.fate) == (times, fate)
    assert (found.to and f"{moment_of(found.to):%H:%M:%S}") == to
    assert found.wall.hour == 2


@pytest.mark.parametrize(
    ("text", "times", "fate"),
    [
        ("30 2 * * *", 1, "first"),
        ("30 2 * * * fold=second", 1, "second"),
        ("30 2 * * * fold=both", 1, "twice"),
        ("*/30 2 * * *", 2, "twice"),
        ("0 */2 * * *", 1, "twice"),
        ("at 2026-10-25T02:30", 1, "first"),
        ("every 15m within 01:30-02:44", 3, "twice"),
    ],
)
def test_in_autumn_times_come_again(text: str, times: int, fate: str) -> None:
    (found,) = told(text, AUTUMN)
    assert (found.times, found.fate, found.to) == (times, fate, None)


@pytest.mark.parametrize("span", [SPRING, AUTUMN])
@pytest.mark.parametrize(
    "text",
    ["*/5 * * * *", "@hourly", "* * * * * *", "every 7m", "30 1 * * *", "0 3 * * *", "0 6 * * mon-fri"],
)
def test_what_follows_elapsed_time_or_is_due_elsewhere_is_left_alone(
    text: str, span: tuple[datetime, datetime]
) -> None:
    assert told(text, span) == []
    assert told("30 2 * * *", span, zone="UTC") == []
    assert told("30 2 * * *", span, zone="Asia/Kolkata") == []


def test_a_change_counts_from_the_first_instant_of_the_span_to_before_its_end() -> None:
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert len(told("30 2 * * *", (change, AUTUMN[0]))) == 1
    assert told("30 2 * * *", (SPRING[0], change)) == []
    assert [found.fate for found in told("30 2 * * *", (SPRING[0], AUTUMN[1]))] == ["moved", "first"]


def test_a_half_hour_of_lord_howe_and_a_midnight_that_does_not_exist() -> None:
    (howe,) = told("15 2 * * *", AUTUMN, zone="Australia/Lord_Howe")
    assert (howe.fate, howe.to) == ("moved", instant_of(datetime(2026, 10, 3, 15, 30, tzinfo=UTC)))
    (cairo,) = told(
        "@daily", (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)), "Africa/Cairo"
    )
    assert (cairo.fate, cairo.wall) == ("moved", datetime(2026, 4, 24))  # noqa: DTZ001 - a wall time


def test_it_speaks_plainly() -> None:
    (spring,), (autumn,) = told("30 2 * * *", SPRING), told("30 2 * * *", AUTUMN)
    assert spring.sentence == (
        "2026-03-29 02:30 in Europe/Berlin does not exist, and comes once, at 01:00:00 UTC"
    )
    assert (
        autumn.sentence == "2026-10-25 02:30 in Europe/Berlin comes twice on the clock; only the first counts"
    )
    (many,) = told("*/30 2 * * *", AUTUMN)
    assert many.sentence == "2026-10-25 02:00 and 1 more in Europe/Berlin come twice"
