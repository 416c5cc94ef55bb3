"""Judge: Debian's cron itself, run through the nights on which the clocks of Berlin change.

The daemon runs in a mount namespace of its own, with a private crontab, on a clock that libfaketime starts
shortly before the change and turns faster. Each job notes the real time at which it ran; the speed turns that
into the daemon's time. Jobs lie a quarter of an hour or more apart, so a busy machine may be minutes late.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from everytick.when import Cron

BERLIN = "Europe/Berlin"
SPEEDS = (120, 60)  # cron drops jobs when the machine stalls for seconds: then once more, slower
LASTS = timedelta(minutes=98)
EARLY, LATE = timedelta(minutes=-2), timedelta(minutes=9)
LINES = {
    "fixed": "30 2 * * *",
    "hourly": "15 * * * *",
    "wildcard": "*/30 2 * * *",
    "twice": "20,40 2,3 * * *",
}
NIGHTS = {"spring": "2026-03-29 01:50:00", "autumn": "2026-10-25 01:55:00"}


def start(night: str) -> datetime:
    """Return when the daemon's time begins."""
    return datetime.fromisoformat(NIGHTS[night]).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


@contextmanager
def daemon(folder: Path, night: str, speed: int) -> Iterator[None]:
    """Run cron on its own clock, as the only cron of a namespace."""
    for name in ("spool/crontabs", "cron.d", "notes"):
        (folder / name).mkdir(parents=True)
    (folder / "crontab").touch()
    table = folder / "spool/crontabs/root"
    jobs = (f"{line} date +\\%s.\\%N >> {folder}/notes/{name}\n" for name, line in LINES.items())
    table.write_text("".join(jobs))
    table.chmod(0o600)
    script = f"""
        mount --make-rprivate /
        mount --bind {folder}/spool /var/spool/cron
        mount --bind {folder}/crontab /etc/crontab
        mount --bind {folder}/cron.d /etc/cron.d
        mount -t tmpfs none /run
        date +%s.%N > {folder}/started
        exec faketime -f '@{NIGHTS[night]} x{speed}' cron -f -L 0
    """
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": BERLIN}
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            ["unshare", "--mount", "sh", "-ec", script],
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
            assert running.poll() is None, (folder / "log").read_text()
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def noted(folder: Path, job: str, night: str, speed: int) -> list[datetime]:
    """Return when the daemon ran a job, in its own time, up to the end of the night."""
    notes = folder / "notes" / job
    started = float((folder / "started").read_text())
    real = [float(line) for line in notes.read_text().split()] if notes.exists() else []
    ran = sorted(start(night) + timedelta(seconds=(moment - started) * speed) for moment in real)
    return [moment for moment in ran if moment <= start(night) + LASTS]


def once(ran: list[datetime]) -> list[datetime]:
    """Return the runs, of several at about the same time the first: cron makes up for each time in a gap."""
    return [moment for at, moment in enumerate(ran) if at == 0 or moment - ran[at - 1] > LATE]


def differences(folder: Path, speed: int) -> list[str]:
    """Run both nights and return each line whose runs are not where we say."""
    with daemon(folder / "spring", "spring", speed), daemon(folder / "autumn", "autumn", speed):
        Event().wait((LASTS + LATE).total_seconds() / speed)
    found = []
    for night in NIGHTS:
        for job, line in LINES.items():
            due = list(Cron(line, BERLIN).between(start(night), start(night) + LASTS))
            ran = once(noted(folder / night, job, night, speed))
            near = [EARLY < moment - instant < LATE for instant, moment in zip(due, ran, strict=False)]
            if len(ran) != len(due) or not all(near):
                found.append(
                    f"{night}, {line}: {[f'{moment.astimezone(ZoneInfo(BERLIN))}' for moment in ran]}"
                )
    return found


def test_debian_cron_runs_each_line_when_we_say(
    tmp_path: Path, program: Callable[[str], Path], absent: Callable[[str], None]
) -> None:
    for path in ("/usr/sbin/cron", "/usr/bin/faketime", "/usr/bin/unshare"):
        program(path)
    if os.geteuid():
        absent("only root can give cron a private crontab")
    for speed in SPEEDS:
        found = differences(tmp_path / str(speed), speed)
        if not found:
            return
    pytest.fail("\n".join(found))
