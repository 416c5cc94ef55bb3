"""Commands that examine: audit, check, doctor."""

import importlib.util
import json
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from everytick.app import author
from everytick.audit.auditor import Audit
from everytick.audit.auditor import audit as prove
from everytick.checkup import facts
from everytick.cli import present
from everytick.cli.options import (
    AnyTaskArgument,
    AppArgument,
    AppOption,
    JsonOption,
    LedgerOption,
    NoteOption,
    ZoneOption,
    moment,
)
from everytick.cli.progress import progress
from everytick.cli.session import Session, ledger_of, place, session, the_app
from everytick.cli.silence import silent
from everytick.clock import SystemClock
from everytick.errors import ConfigError, EverytickError, UsageError
from everytick.health import Kind, health
from everytick.ledger import Change
from everytick.ledgers.secrecy import SCHEMES, without_password
from everytick.life import losses
from everytick.life.presence import LEASE
from everytick.life.trust import VOUCHED
from everytick.plan import Status
from everytick.release import VERSION
from everytick.task import Call, Command, Inline, Task
from everytick.tick import SECOND, rfc3339
from everytick.when import Instant

_ALIKE = 100
"""So many alarms of a kind are told one by one."""

_EXTRAS = {
    "polars": ("feeds", "feeds"),
    "httpx": ("feeds", "feeds"),
    "regex": ("feeds and extract", "feeds"),
    "psycopg": ("ledgers on PostgreSQL", "postgres"),
}
"""What may be installed: for which use, and what of ours brings it."""

_SAFE_SQLITE = (3, 51, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """One thing that was examined."""

    verdict: Literal["good", "look", "bad"]
    what: str
    detail: str


def audit(
    task: AnyTaskArgument = "",
    ledger: LedgerOption = "",
    app: AppOption = "",
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Due later than this.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Due by then; now by default.")] = "",
    zone: ZoneOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Prove that no tick is missing, doubled or unexplained.

    Exit 1 if one is.
    """
    with session(ledger, app) as here:
        now = here.now()
        if task:
            here.task(task)
        first = moment("--from", since, zone, now, past=True) if since else None
        last = moment("--to", until, zone, now, past=True) if until else None
        with progress("auditing", of="ticks") as told:
            found = prove(here.ledger, now, since=first, until=last, task=task or None, progress=told)
    if as_json:
        present.write_json(found.as_json())
    else:
        _show_audit(found)
    if not found.clean:
        raise typer.Exit(1)


def _show_audit(found: Audit) -> None:
    whole = found.as_json()
    from everytick.cli import tables

    made = tables.table(f"of {present.many(found.tasks, 'task')}", "ticks", right=("ticks",))
    for name, value in whole.items():
        if isinstance(value, int) and name != "tasks" and (value or name != "unlisted"):
            bad = name in {"missing", "doubled", "unexplained"} and value
            made.add_row(name, f"{value:,}", style="bold red" if bad else "")
    console = tables.console()
    console.print(made)
    for note in found.notes:
        console.print(f"note: {note}", markup=False)
    for finding in found.findings:
        console.print(f"{finding.kind}: {finding.sentence}", style="red", markup=False)
    if found.clean:
        present.write("Nothing is missing, doubled or unexplained.")


def check(app: AppArgument = "", *, as_json: JsonOption = False) -> None:
    """Read the configuration, and say what to beware of."""
    tasks = the_app(app)
    now = SystemClock().now()
    points = [point for task in tasks.tasks for point in _lint(task, now)]
    good = f"{present.many(len(tasks.tasks), 'task')}, nothing to complain of."
    _report(points, as_json=as_json, good=good)


def _lint(task: Task, now: Instant) -> Iterator[_Point]:
    rule = task.schedule.bound(name=task.name, anchor=now)
    if rule.instant_after(now) is None:
        yield _Point(verdict="look", what=task.name, detail="its schedule yields no instant any more")
    for note in rule.notes(now):
        yield _Point(verdict="look", what=task.name, detail=note)
    work = task.work
    if isinstance(work, Command):
        if not _is_there(work):
            yield _Point(
                verdict="bad", what=task.name, detail=f"there is no program '{work.command[0]}' here"
            )
    elif isinstance(work, Call | Inline):
        fault = _call_fault(work.call)
        if fault:
            yield _Point(verdict="bad", what=task.name, detail=fault)


def _is_there(work: Command) -> bool:
    """Tell whether a program can be found as a runner looks for it, which enters the directory first."""
    program = work.command[0]
    if "/" in program:
        return Path(work.directory or ".", program).exists()
    return shutil.which(program, path=work.environment.get("PATH")) is not None


def _call_fault(call: str) -> str:
    """Return what is wrong with the place of a callable, without importing it."""
    place = call.rpartition(":")[0]
    if "/" in place:
        return "" if Path(place).is_file() else f"there is no file {place}"
    try:
        found = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        found = None
    return "" if found else f"there is no module '{place}' here"


def doctor(
    ledger: LedgerOption = "",
    app: AppOption = "",
    note: NoteOption = "",
    *,
    accept_clock: Annotated[
        bool, typer.Option("--accept-clock", help="The wall clock stepped and is right: go on by it.")
    ] = False,
    accept_restore: Annotated[
        bool,
        typer.Option(
            "--accept-restore", help="The ledger was restored from an older copy: go on with what it has."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Examine the installation and the ledger.

    It listens until each program has beaten, a lease at most. Exit 1 if something is bad.
    """
    url, unnamed = "", []
    try:
        url = ledger or ledger_of(app)
    except ConfigError as fault:
        unnamed.append(_Point(verdict="bad", what="ledger", detail=str(fault)))
    except UsageError:
        unnamed.append(
            _Point(verdict="look", what="ledger", detail="none is named here; --ledger URL examines it")
        )
    points = [*_installation(elsewhere=place(url).partition("://")[0] in SCHEMES), *unnamed]
    if url:
        try:
            with session(url) as here:
                supposed = bool(ledger) and not app
                lease = LEASE if supposed else the_app(app).runner.lease
                if accept_clock:
                    points = [_accept_clock(here, note)]
                elif accept_restore:
                    points = [_accept_restore(here, note, lease)]
                else:
                    points += _ledger(here, url, silent(here, lease))
                if supposed and (accept_restore or any(one.what == Kind.DEAD for one in points)):
                    points.append(_supposed())
        except EverytickError as fault:
            points.append(_Point(verdict="bad", what="ledger", detail=str(fault)))
    _report(points, as_json=as_json, good="")


def _installation(*, elsewhere: bool) -> Iterator[_Point]:
    """Tell what is installed; SQLite's age is nothing to look at where the ledger lies elsewhere."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield _Point(verdict="good", what="everytick", detail=f"{VERSION} on Python {python}")
    safe = elsewhere or sqlite3.sqlite_version_info >= _SAFE_SQLITE
    told = (
        ""
        if safe
        else "; before 3.51.3 only programs of Everytick should write to a ledger (its gate guards them)"
    )
    yield _Point(verdict="good" if safe else "look", what="sqlite", detail=sqlite3.sqlite_version + told)
    for name, (use, extra) in _EXTRAS.items():
        there = importlib.util.find_spec(name) is not None
        detail = (
            f"installed, for {use}"
            if there
            else f"not installed; {use} need it: pip install 'everytick[{extra}]'"
        )
        yield _Point(verdict="good" if there else "look", what=name, detail=detail)


def _ledger(here: Session, url: str, unheard: Collection[int]) -> Iterator[_Point]:
    count, unreadable = _read(here)
    yield _Point(
        verdict="good", what="ledger", detail=f"{without_password(url)}: {present.many(count, 'task')}"
    )
    for one in (one for one in here.ledger.processes() if one.id not in unheard):
        yield _Point(
            verdict="look" if abs(one.skew) > 2_000_000 else "good",
            what=one.kind,
            detail=f"process {one.id}, pid {one.pid} on {one.host}, Everytick {one.release}, "
            f"beat {one.beat}, its wall clock {one.skew / 1e6:+.3f} s from its own",
        )
    now = here.now()
    told: Counter[Kind] = Counter()
    for alarm in health(facts(here.ledger, here.versions, now, unheard), now):
        told[alarm.kind] += 1
        if told[alarm.kind] <= _ALIKE:
            yield _Point(verdict="bad", what=alarm.kind, detail=f"{alarm.sentence}; {alarm.mend}")
    for kind, count in told.items():
        if count > _ALIKE:
            yield _Point(verdict="bad", what=kind, detail=f"and {count - _ALIKE:,} more of the kind")
    yield from unreadable


def _supposed() -> _Point:
    """Say by which lease it was waited where a ledger alone is named, which knows of none."""
    return _Point(
        verdict="look",
        what="lease",
        detail=f"taken to be {LEASE / SECOND:g} s, as a ledger alone is named; where everytick.toml says "
        "otherwise, say this again with --app",
    )


def _read(here: Session) -> tuple[int, list[_Point]]:
    """Return how many tasks there are, and what is to be said of those that cannot be read."""
    count, points = 0, []
    for row in here.ledger.tasks():
        if row.newest.status is Status.REMOVED:
            continue
        count += 1
        here.versions.keep(row.newest)
        try:
            here.versions.version(row.newest.task_id, row.newest.version)
        except UsageError as fault:
            points.append(_Point(verdict="bad", what=row.newest.name, detail=str(fault)))
    return count, points


def _accept_clock(here: Session, note: str) -> _Point:
    """Vouch for the wall clock; the programs have not noticed yet, so nothing else is examined."""
    _write(here, VOUCHED, note)
    return _Point(verdict="good", what="clock", detail="accepted; programs go on within a second")


def _accept_restore(here: Session, note: str, lease: int) -> _Point:
    """Take the ledger as it is; first whatever a process that is cut off still runs comes to its end."""
    begun, until = here.now(), losses.quiet_from(here.ledger, lease)
    with progress("waiting until nothing runs that it does not know", long=begun < until) as told:
        while (now := here.now()) < until:
            told(now - begun, until - begun)
            here.clock.wait(min(until, now + SECOND // 10))
    through = losses.through(here.ledger, here.now())
    _write(here, losses.ACCEPTED, note, json.dumps({"through": through}))
    return _Point(
        verdict="good",
        what="ledger",
        detail=f"accepted; what was due by {rfc3339(through)} and looks as if it never ran is uncertain: "
        "it counts as lost once, so uncertain = rerun runs it again, and uncertain = skip does not",
    )


def _write(here: Session, act: str, note: str, detail: str = "") -> None:
    change = Change(at=here.now(), actor=author(note).actor, act=act, note=note, detail=detail)
    here.ledger.edit(change, [], lambda _known, _numbers: [])


def _report(points: list[_Point], *, as_json: bool, good: str) -> None:
    if as_json:
        present.write_json(
            [{"verdict": one.verdict, "what": one.what, "detail": one.detail} for one in points]
        )
    elif points:
        from everytick.cli import tables

        made = tables.table("", "what", "detail")
        styles = {"good": "green", "look": "yellow", "bad": "bold red"}
        for one in points:
            made.add_row(
                one.verdict, one.what, one.detail, style=styles[one.verdict] if one.verdict != "good" else ""
            )
        tables.console().print(made)
    else:
        present.write(good)
    if any(one.verdict == "bad" for one in points):
        raise typer.Exit(1)
