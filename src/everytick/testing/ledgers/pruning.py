"""What a pruning deletes, and what it leaves."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from everytick.audit import pruner
from everytick.audit.auditor import audit
from everytick.audit.pruner import LEAST, NEWEST, Pruned
from everytick.conclude import Attempt, Outcome
from everytick.ledger import Change
from everytick.plan import PlannedTick
from everytick.policy import CatchingUp, CatchUp, Overlap, Policies, Retry
from everytick.proof.finding import Kind
from everytick.proof.seal import Seal, Sealing
from everytick.testing.ledgers.scene import SECOND, START, STEP, Scene, due
from everytick.tick import NEVER, Key, State
from everytick.upkeep import Store
from everytick.when import Instant

LATER = due(1000) + 2 * LEAST


ALL = Policies(overlap=Overlap.allow(), catch_up=CatchUp(CatchingUp.ALL))
"""No tick is left out, however late and however many at once."""


class Pruning:
    """The tests of pruning."""

    def test_what_decides_on_a_task_is_known(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task, other = scene.task(policies=ALL), scene.task("other", ALL)
        scene.plan(due(4))
        assert ledger.needed([task, other], 1) == {task: (None, None), other: (None, None)}
        lived(scene, 3, "succeeded", "error", "error")
        assert ledger.needed([task, other], 2)[task] == (due(1), due(2))
        assert ledger.needed([task], 3) == {task: (due(1), due(1))}
        assert ledger.needed([task], 4) == {task: (due(1), None)}
        assert ledger.needed([], 4) == {}

    def test_what_has_not_ended_is_found(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        other = scene.task("other", ALL)
        scene.plan(due(4))
        lived(scene, 2)
        assert ledger.unsettled({task: due(4), other: due(4)}, NEVER) == {task: due(3), other: due(3)}
        assert ledger.unsettled({task: due(2), other: due(2)}, NEVER) == {}
        assert ledger.unsettled({task: due(2)}, due(2)) == {task: due(1)}
        assert ledger.unsettled({task: due(2)}, due(2) + SECOND) == {}

    def test_what_reaches_beyond_a_bound_is_found(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(300), now=due(300))
        (row,) = [row for row in scene.recorded(task) if row.through is not None]
        end = row.through or 0
        assert ledger.unsettled({task: end - 1}, NEVER) == {task: row.key.due_at}
        assert ledger.unsettled({task: end}, NEVER) == {}

    def test_a_seal_takes_the_place_of_the_one_before_and_of_no_other(self, ledger: Store) -> None:
        task, other = Scene(ledger).task(), Scene(ledger).task("other")
        first = Seal(task_id=task, through=due(1), last=due(1), ticks={State.SUCCEEDED: 1})
        assert ledger.seal([first], {}) == [first]
        assert ledger.seals([task, other]) == [first]
        second = Seal(task_id=task, through=due(2), last=due(2), rows="ab", ticks={State.SUCCEEDED: 2})
        beside = Seal(task_id=other, through=due(2))
        assert ledger.seal([second, beside], {}) == [beside]
        assert ledger.seal([second, beside], {task: first}) == [second]
        assert ledger.seals([task, other]) == [second, beside]
        assert all(one.sound for one in ledger.seals([task, other]))
        assert ledger.histories(None, names=["report"])[0].seal == second

    def test_what_a_seal_stands_for_is_deleted_in_parts(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=replace(ALL, retry=Retry(attempts=2, delay=SECOND)))
        scene.plan(due(4))
        lived(scene, 3, "error")
        asked = scene.request(task, due(1))
        tried = [one for one in scene.recorded(task) if one.attempt == 2]
        assert len(tried) == 1
        assert ledger.output(tried[0].key, 1) != (None, "")
        seal = Seal(task_id=task, through=due(4))
        ledger.seal([seal], {})
        gone = ledger.delete_sealed([seal], {}, 2)
        assert gone == [Key(task, due(1)), Key(task, due(2))]
        assert ledger.attempts(tried[0].key) == []
        assert ledger.output(tried[0].key, 1) == (None, "")
        assert ledger.delete_sealed([seal], {task: due(2)}, 2) == [Key(task, due(3))]
        assert ledger.delete_sealed([seal], {}, 2) == []
        assert [row.key for row in scene.recorded(task)] == [asked, Key(task, due(4))]

    def test_the_oldest_ticks_go_and_an_audit_goes_on_behind_them(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 30)
        before = audit(ledger, due(NEWEST + 30)).counts
        done = pruned(ledger)
        assert (done.tasks, done.rows, done.ticks) == (1, 30, {State.SUCCEEDED: 30})
        assert scene.recorded(task)[0].key.due_at == due(31)
        found = audit(ledger, due(NEWEST + 30))
        assert found.clean
        assert found.counts.pruned == 30
        assert found.counts.expected == found.counts.recorded == before.recorded - 30
        assert audit(ledger, due(NEWEST + 30), since=due(40)).clean
        assert audit(ledger, due(NEWEST + 30), since=due(10), until=due(20)).counts.expected == 0
        assert [one.act for one in ledger.changes()][-1] == "prune"
        assert pruned(ledger).tasks == 0
        assert [one.act for one in ledger.changes()].count("prune") == 1

    def test_a_second_pruning_adds_to_the_seal(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 10)
        pruned(ledger)
        (first,) = ledger.seals([task])
        lived(scene, NEWEST + 25, begun=NEWEST + 10)
        assert pruned(ledger).rows == 15
        (second,) = ledger.seals([task])
        assert (first.last, second.last) == (due(10), due(25))
        assert second.count == 25
        assert second.rows != first.rows
        assert audit(ledger, due(NEWEST + 25)).clean

    def test_nothing_is_written_where_it_is_only_tried(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 5)
        before = scene.facts(task)
        done = pruner.prune(ledger, LATER, LEAST, None)
        assert (done.tasks, done.rows) == (1, 5)
        assert scene.facts(task) == before
        assert ledger.seals([task]) == []

    def test_a_backfill_asked_for_later_stands_beside_the_seal(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 30)
        pruned(ledger)
        number = ledger.backfill(asking("backfill", START, due(5), due(35)), task, due(5), due(35), due(6))
        scene.plan(due(35), now=due(200))
        for one in scene.claim(scene.runner(), due(300), limit=1000).attempts:
            scene.settle(one, due(301))
        found = audit(ledger, due(NEWEST + 30))
        assert found.clean
        assert (found.counts.recorded, found.counts.pruned) == (NEWEST + 30, 30)
        lived(scene, NEWEST + 60, begun=NEWEST + 30)
        assert pruned(ledger).rows == 60
        assert {row.key.request for row in scene.recorded(task)} == {0}
        (seal,) = ledger.seals([task])
        assert (seal.request, seal.count) == (number, 90)
        assert audit(ledger, due(NEWEST + 60)).clean

    def test_an_edit_goes_on_behind_what_was_pruned_where_no_row_is_left(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, 3)
        sealing = Sealing(None, task, due(3))
        for row in scene.recorded(task):
            sealing.take(row)
        seal = sealing.seal()
        ledger.seal([seal], {})
        assert len(ledger.delete_sealed([seal], {}, 10)) == 3
        scene.plan(due(5), now=due(3))
        assert scene.revise(due(3) + 1, policies=ALL).last_due == due(3)
        lived(scene, 6, begun=3)
        assert scene.recorded(task)[0].prev_due == due(3)
        found = audit(ledger, due(6))
        assert (found.clean, found.counts.recorded, found.counts.pruned) == (True, 3, 3)

    def test_a_backfill_under_way_is_not_cut_in_two(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 30)
        ledger.backfill(asking("backfill", START, due(10), due(400)), task, due(10), due(400), due(11))
        assert pruned(ledger).rows == 10
        assert audit(ledger, due(NEWEST + 30)).clean

    def test_what_has_not_ended_stays_and_all_behind_it(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        at = due(4) + 1
        policies = scene.versions.policies(task, 1)
        tick = PlannedTick(due_at=at, version=1, prev_due=None, next_due=None, ready_at=at, policies=policies)
        asked = ledger.request(asking("run", at), task, tick)
        lived(scene, NEWEST + 30, but=asked)
        assert pruned(ledger).rows == 4
        assert scene.recorded(task)[0].key == asked
        assert audit(ledger, due(NEWEST + 30)).clean

    def test_a_task_that_may_yet_pause_itself_keeps_its_failures(self, ledger: Store) -> None:
        scene = Scene(ledger)
        scene.task(policies=replace(ALL, pause_after=500))
        scene.task("other", ALL)
        lived(scene, NEWEST + 30, *["error"] * (NEWEST + 30))
        assert (done := pruned(ledger)).rows == 30
        assert done.tasks == 1

    def test_everything_since_the_newest_success_stays(self, ledger: Store) -> None:
        scene = Scene(ledger)
        scene.task(policies=ALL)
        lived(scene, NEWEST + 30, *["succeeded"] * 8, *["error"] * (NEWEST + 30))
        assert pruned(ledger).rows == 7
        assert audit(ledger, due(NEWEST + 30)).clean

    def test_a_range_row_goes_whole_or_not_at_all(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(300), now=due(300))
        (row,) = [row for row in scene.recorded(task) if row.through is not None]
        for one in scene.claim(scene.runner(), due(300), limit=1000).attempts:
            scene.settle(one, due(300))
        lived(scene, 330, begun=300)
        done = pruned(ledger)
        assert done.ticks[State.SKIPPED] > row.count
        assert audit(ledger, due(330)).clean

    def test_a_task_in_which_an_audit_finds_something_keeps_everything(self, ledger: Store) -> None:
        scene = Scene(ledger)
        scene.task("sound", ALL)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 30)
        ledger.edit(asking("run", due(3)), [], lambda _known, _numbers: [])
        before = scene.recorded(task)
        done = pruner.prune(ledger, LATER, LEAST, pruner.pruning(LATER, LEAST, "suite", ""))
        assert (done.tasks, done.rows) == (1, 30)
        assert [(one.kind, one.task) for one in done.findings] == [(Kind.MISSING, "report")]
        assert scene.recorded(task) == before
        assert [one.task for one in audit(ledger, LATER).findings] == ["report"]

    def test_a_pruning_that_was_cut_short_is_gone_on_with(self, ledger: Store) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=ALL)
        lived(scene, NEWEST + 30)
        rows = scene.recorded(task)[:30]
        sealing = Sealing(None, task, due(30))
        for row in rows:
            sealing.take(row)
        ledger.seal([sealing.seal()], {})
        assert audit(ledger, due(NEWEST + 30)).clean
        assert audit(ledger, due(NEWEST + 30), since=due(10)).clean
        assert pruned(ledger).rows == 0
        assert scene.recorded(task)[0].key == Key(task, due(31))
        assert audit(ledger, due(NEWEST + 30)).clean


def asking(act: str, at: Instant, after: Instant = 0, through: Instant = 0) -> Change:
    """Return the change that asks for a tick, or for a backfill."""
    detail = msgspec.json.encode({"task": "report", "after": after, "through": through}).decode()
    return Change(at=at, actor="suite", act=act, detail=detail)


def pruned(ledger: Store) -> Pruned:
    """Prune all that is a day old, long after."""
    done = pruner.prune(ledger, LATER, LEAST, pruner.pruning(LATER, LEAST, "suite", "it is old"))
    assert done.findings == []
    return done


def lived(scene: Scene, count: int, *outcomes: str, begun: int = 0, but: Key | None = None) -> None:
    """Let the ticks of a scene live, from the one behind ``begun`` through ``count``."""
    runner = scene.runner()
    said = dict(enumerate(outcomes, begun + 1))
    for first in range(begun, count, 100):
        last = min(first + 100, count)
        scene.plan(due(last), now=due(first))
        for now in (due(last), due(last) + 5 * SECOND):
            settlements = [
                scene.concluded(one, now, _outcome(one, said))
                for one in scene.claim(runner, now, limit=1000).attempts
                if one.key != but
            ]
            assert scene.ledger.settle(settlements, now + SECOND) == []


def _outcome(attempt: Attempt, said: Mapping[int, str]) -> Outcome:
    number = (attempt.key.due_at - START) // STEP
    return "error" if attempt.attempt == 1 and said.get(number) == "error" else "succeeded"
