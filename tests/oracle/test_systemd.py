"""Judge: `systemd-analyze calendar`, away from changes of the clocks."""

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from everytick.when import Cron

START = datetime(2026, 5, 3, 7, 11, tzinfo=UTC)
ZONES = ["Asia/Kolkata", "UTC"]
MANY = 20
UTC_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("line", "calendar"),
    [
        ("*/5 * * * *", "*-*-* *:00/5:00"),
        ("0 6 * * 1-5", "Mon..Fri *-*-* 06:00:00"),
        ("7,37 8-18/2 * * *", "*-*-* 08..18/2:07,37:00"),
        ("0 0 1 * *", "*-*-01 00:00:00"),
        ("0 0 L * *", "*-*~01 00:00:00"),
        ("0 0 29 2 *", "*-02-29 00:00:00"),
        ("0 0 31 * *", "*-*-31 00:00:00"),
        ("30 22 * 1,4,7,10 sat,sun", "Sat,Sun *-01,04,07,10-* 22:30:00"),
        ("0 12 */10 * *", "*-*-01/10 12:00:00"),
        ("0 12 */2 * 1", "Mon *-*-01/2 12:00:00"),
        ("*/20 15 3 * * *", "*-*-* 03:15:00/20"),
        ("10,40 * * * * *", "*-*-* *:*:10,40"),
        ("0 9 1-7 * */7", "Sun *-*-01..07 09:00:00"),
        ("0 9 * * mon#1", "Mon *-*-01..07 09:00:00"),
        ("0 9 * * mon#2", "Mon *-*-08..14 09:00:00"),
        ("0 9 * * friL", "Fri *-*~01..07 09:00:00"),
        ("59 23 15-20 6-8 *", "*-06..08-15..20 23:59:00"),
        ("@hourly", "hourly"),
        ("@daily", "daily"),
        ("@monthly", "monthly"),
        ("@yearly", "yearly"),
    ],
)
def test_the_same_calendar_elapses_at_the_same_times(
    line: str, calendar: str, zone: str, program: Callable[[str], Path]
) -> None:
    told = elapses(program("/usr/bin/systemd-analyze"), calendar, zone)
    found = list(islice(Cron(line, zone).between(START, told[-1]), MANY + 1))
    assert found == told


def elapses(analyze: Path, calendar: str, zone: str) -> list[datetime]:
    base = f"--base-time={START:%Y-%m-%d %H:%M:%S} UTC"
    command = [str(analyze), "calendar", f"--iterations={MANY}", base, f"{calendar} {zone}"]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"}
    )
    moments = [datetime.fromisoformat(f"{time}+00:00") for time in UTC_TIME.findall(run.stdout)]
    assert len(set(moments)) == MANY, run.stdout
    return sorted(set(moments))
