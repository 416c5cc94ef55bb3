"""Judge: cronsim, which follows Debian's cron through changes of the clocks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from everytick.when import Cron

# Not Australia/Lord_Howe: behind a change by half an hour cronsim loses the first half of an hour.
ZONES = ["Europe/Berlin", "Asia/Kolkata", "America/New_York", "America/Santiago", "Europe/Dublin", "UTC"]
STARTS = [
    datetime(2026, 3, 28, 22, 17, tzinfo=UTC),
    datetime(2026, 10, 24, 21, 43, tzinfo=UTC),
    datetime(2028, 2, 27, 12, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 1, 30, tzinfo=UTC),
    datetime(2026, 10, 3, 14, 59, tzinfo=UTC),
]


def agree(line: str, zone: str, start: datetime, many: int = 25) -> None:
    judge = CronSim(line, start.astimezone(ZoneInfo(zone)))
    told = list(dict.fromkeys(moment.astimezone(UTC) for moment in islice(judge, many)))
    ours = list(islice(Cron(line, zone).between(start, told[-1]), many + 1))
    assert ours == told, (line, zone, start)


@pytest.mark.parametrize("zone", ZONES)
def test_five_fields_agree_through_changes_of_the_clocks(
    zone: str, lines: Callable[[int], list[str]]
) -> None:
    for line in lines(120):
        for start in STARTS:
            agree(line, zone, start)


@pytest.mark.parametrize(
    "line",
    [
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 1,L * *",
        "0 0 * * 1#2",
        "0 0 * * 5L",
        "0 0 * * 0#5,3L",
        "0 0 13 * 5",
        "0 0 29 2 *",
    ],
)
def test_days_of_the_month_agree(line: str) -> None:
    agree(line, "Asia/Kolkata", STARTS[0], 60)


def test_days_of_both_kinds_agree_by_vixies_rule(field: Callable[[int, int], str]) -> None:
    for _ in range(150):
        agree(f"0 12 {field(1, 28)} * {field(0, 6)}", "UTC", STARTS[2])


def test_six_fields_agree_where_the_clock_never_changes(
    field: Callable[[int, int], str], lines: Callable[[int], list[str]]
) -> None:
    for line in lines(100):
        agree(f"{field(0, 59)} {line}", "Asia/Kolkata", STARTS[0])


def test_going_back_agrees_away_from_changes(lines: Callable[[int], list[str]]) -> None:
    start = datetime(2027, 2, 1, 12, tzinfo=UTC)
    for line in lines(150):
        schedule = Cron(line, "Asia/Kolkata")
        moment = start
        for told in islice(CronSim(line, start.astimezone(ZoneInfo("Asia/Kolkata")), reverse=True), 20):
            earlier = schedule.before(moment)
            assert earlier == told, (line, moment)
            moment = earlier
    assert timedelta(0) < start - moment
