"""Days of a feed at random: lists good and bad, decisions, edits, kills; the judge is an oracle of dicts."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from hashlib import blake2b, sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from everytick.errors import ExtractFailed, FeedHeld, FeedRefused, NothingNew, UnknownName
from everytick.feeds import decide
from everytick.feeds.archive import durable
from everytick.feeds.ask import closer
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.history import as_of, history, listing
from everytick.feeds.ask.show import entries, show
from everytick.feeds.feed import AsOf, Feed, Limit, Window
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider

from .oracle import Accepted, Rows, digest, judged, quoted, told_apart

DAY = 86_400_000_000
JANUARY = 20_454 * DAY
"""2026-01-01: a Thursday, before which no list is dated."""

COLUMNS = ("CODE", "NAME", "SIZE")
Row = tuple[str, str, str]

EDITS = st.sampled_from(
    [
        *({"key": key} for key in ("ID", "KEY", "CODE")),
        *({"columns": names, "identity": None} for names in (None, ("NAME",), ("SIZE", "NAME"))),
        *({"columns": names, "identity": ("NAME",)} for names in (None, ("SIZE", "NAME"))),
        *({"max_removed": Limit(hold=hold, refuse=refuse)} for hold in (0.0, None) for refuse in (0.5, None)),
        *({"max_changed": Limit(hold=hold)} for hold in (0.2, None)),
        *({"formats": forms} for forms in (("csv", "jsonl"), ("csv", "parquet"))),
        *({"window": window} for window in (None, Window(every=60.0, within=600.0))),
        *({"same_on": days} for days in ((), ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))),
    ]
)
"""What may be said otherwise in the feed's table."""

DAYS = st.sampled_from([0, 1, 1, 1, 2, -1])
ROWS = st.dictionaries(
    st.sampled_from("ABCDEFGH"),
    st.tuples(st.sampled_from("PQRSTUVW"), st.sampled_from(["x", "y,", '"z"', ""]), st.sampled_from("12")),
    min_size=1,
    max_size=8,
)


class Killed(BaseException):
    """The process is gone."""


class Days(RuleBasedStateMachine):
    """What a feed goes through, and what it should have come to."""

    def __init__(self) -> None:
        super().__init__()
        self.provider = Provider()
        self.provider.__enter__()
        self.data = Path(tempfile.mkdtemp())
        self.moment = JANUARY + 400 * DAY
        self.feed = Feed(
            name="list",
            url=self.provider.url,
            allow_private=("127.0.0.0/8",),
            key="ID",
            as_of=AsOf(pattern=r"# (\S+)"),
            max_removed=Limit(hold=0.3, refuse=0.8),
            max_changed=Limit(hold=0.5),
            publish=("copy.jsonl",),
        )
        self.rows: dict[str, Row] = {key: (chr(ord(key) + 15), "x", "1") for key in "ABCDEF"}
        self.named = "ID"
        self.day = date(2026, 1, 1)
        self.accepted: list[Accepted] = []
        self.held: Accepted | None = None
        self.held_identity: Sequence[str] | None = None
        self.rejected: list[bytes] = []
        self.good_day: date | None = None
        self.half = False
        self.serve()

    def teardown(self) -> None:
        self.provider.__exit__(None, None, None)
        shutil.rmtree(self.data)

    def serve(self) -> None:
        lines = [f"# {self.day}", ",".join([self.named, *COLUMNS])]
        lines += [",".join(map(quoted, (key, *row))) for key, row in self.rows.items()]
        self.provider.serve("".join(f"{line}\n" for line in lines).encode())

    @rule(rows=ROWS, days=DAYS)
    def another_list(self, rows: dict[str, Row], days: int) -> None:
        self.rows = rows
        self.day += timedelta(days)
        self.serve()

    @rule(key=st.sampled_from("ABCDEFGH"), size=st.sampled_from("123"), days=DAYS)
    def a_row_changes(self, key: str, size: str, days: int) -> None:
        code, name, _ = self.rows.get(key, (chr(ord(key) + 15), "x", "1"))
        self.rows = {**dict(reversed(self.rows.items())), key: (code, name, size)}
        self.day += timedelta(days)
        self.serve()

    @rule(left=st.integers(1, 4), days=DAYS)
    def most_rows_go_and_a_refresh_sees_it(self, left: int, days: int) -> None:
        self.another_list(dict(list(self.rows.items())[:left]), days)
        self.a_refresh()

    @rule(name=st.sampled_from(["ID", "KEY"]))
    def the_source_renames_the_key(self, name: str) -> None:
        self.named = name
        self.serve()
        if self.feed.key in {"ID", "KEY"}:
            self.feed = replace(self.feed, key=name)

    @rule(edit=EDITS)
    def an_edit(self, edit: dict[str, Any]) -> None:
        self.feed = replace(self.feed, **edit)

    @rule()
    def a_refresh(self) -> None:
        expected = self.expect()
        self.moment += 3 * DAY // 2
        self.judge(expected, self.refreshed())
        self.half = False

    @rule(step=st.integers(1, 30))
    def a_refresh_that_is_killed(self, step: int) -> None:
        """What it was to come to holds for the next one."""
        expected = self.expect()
        self.moment += DAY
        try:
            with dying(step):
                ended = self.refreshed()
        except Killed:
            ended = self.left_behind()
            self.half = True
        if ended:
            self.judge(expected, ended)

    def left_behind(self) -> str:
        """Return what is decided, although the process is gone; nothing if that is nothing."""
        if self.counted() > len(self.accepted):
            return "published"
        noted = entries(self.data, "list", limit=1)
        if noted and noted[0].at == self.moment:
            act = str(noted[0].act)
            return act if act in {"held", "unchanged"} else "refused"
        return "held" if show_held(self.data) != digest(self.held) else ""

    def counted(self) -> int:
        return len(list((self.data / "feeds" / "list" / "snapshots").glob("[0-9]*.json")))

    def refreshed(self) -> str:
        try:
            return refresh(self.feed, self.data, moment=self.moment, zone="Asia/Kolkata").verdict
        except FeedHeld:
            return "held"
        except (ExtractFailed, FeedRefused, NothingNew):
            return "refused"

    def read(self) -> Accepted | None:
        """Return the list that is served, as the feed reads it; None if it cannot."""
        feed, names = self.feed, (self.named, *COLUMNS)
        if feed.key not in names:
            return None
        place = names.index(feed.key)
        columns = feed.columns or tuple(name for name in names if name != feed.key)
        if any(name not in names for name in (*columns, *(feed.identity or ()))):
            return None
        columns = tuple(name for name in columns if name != feed.key)
        rows: Rows = {}
        for key, row in self.rows.items():
            cells = (key, *row)
            if cells[place] in rows:
                return None  # a repeated key, of which none is allowed
            rows[cells[place]] = {name: cells[names.index(name)] for name in columns}
        return Accepted(key=feed.key, columns=columns, rows=rows, day=self.day, names=names)

    def expect(self) -> tuple[str, Accepted | None]:
        found, last = self.read(), self.accepted[-1] if self.accepted else None
        if found is None:
            return "refused", None
        if self.feed.window and not self.feed.same_on and self.good_day and found.day <= self.good_day:
            return "refused", None
        differs = told_apart(last, found, self.feed.identity)
        found = replace(found, differs=differs)
        if found.text() in self.rejected:
            return "refused", None
        if last is None:
            return "published", found
        known = {self.feed.key if name == last.key else name for name in last.names}
        if self.feed.columns is None and known - {*found.names}:
            return "refused", None  # a column is gone
        if self.good_day and found.day < self.good_day:
            return "refused", None
        same = last.text() == found.text()
        verdicts = (
            []
            if same
            else [
                judged(len(differs["removed"]), len(last.rows), self.feed.max_removed),
                judged(
                    len(differs["changed"]), len(last.rows) - len(differs["removed"]), self.feed.max_changed
                ),
            ]
        )
        for verdict in ("refused", "held"):
            if verdict in verdicts:
                return verdict, found
        return "unchanged" if same else "published", found

    def judge(self, expected: tuple[str, Accepted | None], ended: str) -> None:
        verdict, found = expected
        assert ended == verdict
        if verdict == "published" and found is not None:
            self.accepted.append(replace(found, at=self.moment))
        if verdict in {"published", "unchanged"} and found is not None:
            self.good_day, self.held = found.day, None
        if verdict == "held" and (self.held is None or self.held.text() != (found and found.text())):
            self.held, self.held_identity = found, self.feed.identity

    @precondition(lambda self: self.held is not None)
    @rule()
    def ann_approves(self) -> None:
        held, last = self.held, self.accepted[-1]
        assert held is not None
        self.moment += 60
        differs = told_apart(last, held, self.held_identity)
        entry = decide.approve(self.data, "list", actor="ann", note="seen", moment=self.moment)
        assert entry.sequence == len(self.accepted) + 1
        self.accepted.append(replace(held, at=self.moment, differs=differs))
        self.good_day, self.held, self.half = held.day, None, False

    @precondition(lambda self: self.held is not None)
    @rule()
    def bob_rejects(self) -> None:
        assert self.held is not None
        self.rejected.append(self.held.text())
        decide.reject(self.data, "list", actor="bob", note="no", moment=self.moment)
        self.held = None
        self.a_refresh()

    @precondition(lambda self: self.held is None and self.accepted)
    @rule()
    def nobody_decides_on_nothing(self) -> None:
        with pytest.raises(UnknownName):
            decide.approve(self.data, "list", actor="ann", note="seen", moment=self.moment)

    @invariant()
    def readers_find_the_last_good_list(self) -> None:
        folder = self.data / "feeds" / "list"
        if not self.accepted:
            assert not (folder / "current.csv").exists()
            return
        if self.half and len(self.accepted) == 1:
            return  # the first list of all may be on its way
        last, manifest = self.accepted[-1], json.loads((folder / "current.json").read_bytes())
        number = int((folder / "current").readlink().name)
        if number != len(self.accepted):  # a killed refresh; the next one, or a decision, publishes
            assert self.half
            assert number == len(self.accepted) - 1
            last = self.accepted[-2]
        text = (folder / "current.csv").read_bytes()
        assert text == last.text()
        assert manifest["snapshot"] == number
        assert manifest["blake2b"] == blake2b(text, digest_size=32).hexdigest()
        for name, known in manifest["files"].items():
            assert sha256((folder / "current" / name).read_bytes()).hexdigest() == known["sha256"]
        assert {key: manifest[key] for key in last.differs} == {k: len(v) for k, v in last.differs.items()}

    @invariant()
    def what_came_and_went_is_what_the_lists_say(self) -> None:
        for number, each in enumerate(self.accepted, start=1):
            assert changes(self.data, "list", number).shown() == {**each.differs, "snapshot": number}
        if self.held is not None:
            _, found = closer.held(self.data, "list")
            told = told_apart(self.accepted[-1], self.held, self.held_identity)
            assert found.shown() == {**told, "snapshot": len(self.accepted) + 1}
        if not self.half:  # a killed process may have left the one that it ended
            assert show_held(self.data) == digest(self.held)

    @precondition(lambda self: self.accepted)
    @rule()
    def somebody_asks_for_lives(self) -> None:
        keys = {key for each in self.accepted for key in each.rows}
        for key in keys:
            stood = [number for number, each in enumerate(self.accepted, start=1) if key in each.rows]
            lived = history(self.data, "list", key)
            for number in range(1, len(self.accepted) + 1):
                spans = [
                    span
                    for span in lived
                    if span.since.sequence <= number and (span.until is None or number < span.until.sequence)
                ]
                assert len(spans) == (number in stood)
        for number, each in enumerate(self.accepted, start=1):
            found = as_of(self.data, "list", each.at)
            assert found.sequence == number
            rows = {row.pop(each.key): row for row in listing(self.data, "list", found).to_dicts()}
            assert rows == each.rows

    @precondition(lambda self: self.accepted)
    @rule()
    def somebody_reads_the_journal(self) -> None:
        told = [entry for entry in entries(self.data, "list") if entry.act in {"published", "approved"}]
        numbers = [entry.sequence for entry in reversed(told)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= len(self.accepted) - self.half
        assert all(later.at <= earlier.at for earlier, later in pairwise(told))


def show_held(data: Path) -> str:
    try:
        held = show(data, "list").held
    except UnknownName:
        return ""
    return held.snapshot.digest if held else ""


@contextmanager
def dying(step: int) -> Iterator[None]:
    """Die at a step: before a file gets its name, or loses it, or either is made durable."""
    left = iter(range(step))

    def counted(real: Callable[..., None]) -> Callable[..., None]:
        def act(*arguments: object) -> None:
            if next(left, None) is None:
                raise Killed
            real(*arguments)

        return act

    with ExitStack() as stack:
        for name in ("name", "remove", "link", "settle"):
            stack.enter_context(mock.patch.object(durable, name, counted(getattr(durable, name))))
        yield


def test_days_at_random() -> None:
    run_state_machine_as_test(
        Days,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
