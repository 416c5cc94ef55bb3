"""Judge: croniter, away from changes of the clocks."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from everytick.when import Cron

START = datetime(2026, 5, 3, 7, 11, tzinfo=UTC)


def agree(line: str, zone: str, many: int = 25) -> None:
    judge = croniter(line, START.astimezone(ZoneInfo(zone)), ret_type=datetime)
    told = [moment.astimezone(UTC) for moment in islice(judge.all_next(datetime), many)]
    ours = list(Cron(line, zone).between(START, told[-1]))
    assert ours == told, (line, zone)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "UTC", "Asia/Kathmandu"])
def test_random_lines_agree(zone: str, lines: Callable[[int], list[str]]) -> None:
    for line in lines(150):
        agree(line, zone)


@pytest.mark.parametrize(
    "line",
    [
        "0 0 L * *",
        "30 6 * * mon#2",
        "0 0 * * L5",
        "@daily",
        "@weekly",
        "@monthly",
        "@yearly",
        "@hourly",
        "0 9 * jan-mar mon-fri",
    ],
)
def test_named_and_marked_days_agree(line: str) -> None:
    ours = line.replace("L5", "5L")
    judge = croniter(line, START, ret_type=datetime)
    told = [moment.astimezone(UTC) for moment in islice(judge.all_next(datetime), 20)]
    assert list(Cron(ours).between(START, told[-1])) == told
