"""An audit that finds more than it lists."""

from collections.abc import Iterator

import pytest

from everytick.audit import auditor
from everytick.audit.auditor import audit
from everytick.ledgers.sqlite import SqliteLedger
from everytick.proof.finding import Kind
from everytick.testing.ledgers.scene import Scene, due


@pytest.fixture
def faulty() -> Iterator[SqliteLedger]:
    """Return a ledger in which five ticks of three tasks were asked for by nobody."""
    with SqliteLedger(":memory:") as ledger:
        scene = Scene(ledger)
        for name, count in (("one", 3), ("other", 1), ("third", 1)):
            task = scene.task(name)
            for number in range(count):
                scene.request(task, due(number + 1))
        scene.task("sound")
        yield ledger


@pytest.mark.parametrize("listed", [1, 2, 3, 4, 5])
def test_what_is_not_listed_is_counted(
    faulty: SqliteLedger, monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    monkeypatch.setattr(auditor, "LISTED", listed)
    found = audit(faulty, due(9))
    assert [(one.kind, one.task) for one in found.findings] == [
        (Kind.UNEXPECTED, name) for name in ("one", "one", "one", "other", "third")[:listed]
    ]
    assert (found.unlisted, found.counts.unexplained) == (5 - listed, 5)
