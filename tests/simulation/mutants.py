"""Ten bugs, planted one at a time: the simulation has to find each of them, or it proves nothing.

Each mutant patches a function or a statement at run time, in a few lines, and says what it stands for.
Run it with ``make mutants``; it prints in which world each was found, and fails where one survives.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import pytest
from msgspec import structs

from everytick.conclude import Attempt
from everytick.consider import Considered, Ready, Slot, _Lanes
from everytick.errors import LedgerError
from everytick.ledger import PlanDecision, Process
from everytick.ledgers import rows
from everytick.ledgers.sqlite import connection
from everytick.ledgers.sqlite.writes import SqliteWrites
from everytick.life.presence import Presence, _Watched
from everytick.plan import Cursor, Plan, _Planner
from everytick.policy import Policies
from everytick.runner import Runner
from everytick.testing.simulation import Played, simulate

Patch = pytest.MonkeyPatch
WORLDS = 2000


def publish_before_commit(patch: Patch) -> None:
    """An attempt is started while its claim can still be rolled back (here: by the local executor)."""
    consider, start = Runner._consider, Runner._start

    def eager(
        self: Runner, batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]], now: int, places: int
    ) -> Considered:
        decided = consider(self, batch, slots, now, places)
        for one in decided.starts:
            ready = one.ready
            start(
                self,
                Attempt(
                    key=ready.key,
                    attempt=ready.attempt,
                    holder=self._presence.id,
                    reruns=ready.reruns,
                    version=ready.version,
                    prev_due=ready.prev_due,
                    next_due=ready.next_due,
                    started_at=now,
                ),
            )
        return decided

    patch.setattr(Runner, "_consider", eager)
    patch.setattr(Runner, "_start", lambda *_: None)


def settle_without_attempt(patch: Patch) -> None:
    """A result settles whatever attempt the tick is at by now: no fencing token is compared."""
    for statement in ("end_attempt", "try_again"):
        _reword(patch, statement, "AND attempt = :attempt AND holder = :holder", "")


def cursor_moved_apart(patch: Patch) -> None:
    """The cursor is committed first, its ticks in a transaction of their own."""
    plan = SqliteWrites.plan

    def apart(
        self: SqliteWrites, until: int, now: int, limit: int, without: frozenset[int], decide: PlanDecision
    ) -> int:
        later: list[Plan] = []

        def without_ticks(cursors: Sequence[Cursor]) -> list[Plan]:
            later.extend(decide(cursors))
            return [structs.replace(one, ticks=()) for one in later]

        moved = plan(self, until, now, limit, without, without_ticks)
        for one in later:
            cursor = one.cursor
            ticks = [rows.planned(cursor.task_id, cursor.request, tick, now) for tick in one.ticks]
            with self._db.transaction():
                self._db.many("insert_tick", ticks)
        return moved

    patch.setattr(SqliteWrites, "plan", apart)


def overlap_without_slot(patch: Patch) -> None:
    """The lanes that others hold are not looked at: each tick takes one that is free."""

    def free(self: _Lanes, policies: Policies, due_at: int) -> int:
        del policies, due_at
        taken = {slot.lane for slot in self.slots.values()}
        return next(lane for lane in range(10_000) if lane not in taken)

    patch.setattr(_Lanes, "free", free)


def sweep_on_a_wall_clock(patch: Patch) -> None:
    """The silence of the others is measured by the wall clock, which can step."""

    def silent(self: Presence) -> list[Process]:
        wall = self._clock.now() + self._clock.skew()
        seen = [process for process in self._ledger.processes() if process.id != self.id]
        for process in seen:
            watched = self._watched.get(process.id)
            if watched is None or watched.beat != process.beat:
                self._watched[process.id] = _Watched(process.beat, wall)
        return [process for process in seen if wall - self._watched[process.id].since >= self.lease]

    patch.setattr(Presence, "silent", silent)


def edit_keeps_planned_ticks(patch: Patch) -> None:
    """What was planned under the old version stays when a new one begins."""
    _reword(patch, "delete_planned", "WHERE", "WHERE 0 AND")


def retry_frees_the_lane(patch: Patch) -> None:
    """A tick in back-off gives its lane up, so that the next tick of its task may start beside it."""
    old = "UPDATE slot SET attempt = :attempt + 1, holder = NULL"
    _reword(patch, "idle_slot", old, "DELETE FROM slot")


def range_off_by_one(patch: Patch) -> None:
    """A range row says that it stands for one instant more than it does."""
    put = _Planner._put

    def one_more(self: _Planner, *arguments: object, **options: object) -> None:
        count = options.get("count", 1)
        if isinstance(count, int) and options.get("through") is not None:
            options["count"] = count + 1
        put(self, *arguments, **options)  # type: ignore[arg-type]

    patch.setattr(_Planner, "_put", one_more)


def sent_taken_for_started(patch: Patch) -> None:
    """A claim that may have been committed is taken for a start.

    There is no broker yet, so there is no sent_at to be mistaken: this stands for it. A broker's publisher
    that dies between commit and publish leaves a queued tick that nobody started; the local form of that is
    a claim in doubt, whose attempts are held and were never started. The mutant believes that they run.
    """

    def believe(self: Runner) -> None:
        self._doubtful = False

    patch.setattr(Runner, "_adopt", believe)


def doubt_repeated(patch: Patch) -> None:
    """A claim whose commit is in doubt is made again at once, without asking what is held already."""
    claim = Runner._claim

    def again(self: Runner) -> bool:
        try:
            return claim(self)
        except LedgerError:
            self._doubtful = False
            return claim(self)

    patch.setattr(Runner, "_claim", again)


MUTANTS: Mapping[str, Callable[[Patch], None]] = {
    "publish before commit": publish_before_commit,
    "settle without attempt": settle_without_attempt,
    "cursor moved apart from its ticks": cursor_moved_apart,
    "overlap without slot": overlap_without_slot,
    "sweep on a wall clock": sweep_on_a_wall_clock,
    "edit keeps planned ticks": edit_keeps_planned_ticks,
    "retry frees the lane": retry_frees_the_lane,
    "range count off by one": range_off_by_one,
    "sent_at taken for a start": sent_taken_for_started,
    "in-doubt commit repeated": doubt_repeated,
}


_MISTAKES = ("TypeError", "AttributeError", "NameError")
"""What a world ends with where a mutant no longer fits the code that it patches: no bug was found."""


def _reword(patch: Patch, statement: str, old: str, new: str) -> None:
    text = connection._SQL[statement]
    assert old in text, f"{statement} does not say '{old}' any more: mend this mutant"
    patch.setitem(connection._SQL, statement, text.replace(old, new, 1))


def hunt(name: str, worlds: int) -> Played | None:
    """Return the first world that finds a mutant; None where it survives them all."""
    with Patch.context() as patch:
        MUTANTS[name](patch)
        worlds_played = (simulate(seed) for seed in range(1, worlds + 1))
        found = next((one for one in worlds_played if one.broken), None)
    if found is not None and (found.broken.startswith(_MISTAKES) or simulate(found.seed).broken):
        raise RuntimeError(f"seed {found.seed} is broken, but not by '{name}': {found.broken}")
    return found


def main() -> int:
    """Hunt all mutants, or those that are named; return 1 where one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MUTANTS, []], help="which mutants; all unless named")
    parser.add_argument("--worlds", type=int, default=WORLDS, help="how many worlds each may take")
    chosen = parser.parse_args()
    names = chosen.names or list(MUTANTS)
    survivors = 0
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        hunts = {pool.submit(hunt, name, chosen.worlds): name for name in names}
        for done in as_completed(hunts):
            played = done.result()
            survivors += played is None
            told = f"seed {played.seed:<5} {played.broken[:110]}" if played else "SURVIVED"
            sys.stdout.write(f"{hunts[done]:<35} {told}\n")
            sys.stdout.flush()
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
