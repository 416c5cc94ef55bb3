"""Three schedulers and three runners on PostgreSQL, 200 tasks, and every kind of fault."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from .acts import ACTS
from .database import KINDS
from .play import Score
from .stage import on_stage, why_not
from .table import Result, table

MINUTES = float(os.environ.get("EVERYTICK_FAULT_MINUTES", "0"))
"""How long faults fall, in both runs together; by default each kind falls once, and as short as it can."""

SEED = int(os.environ.get("EVERYTICK_FAULT_SEED", "1"))
MOST_FREE, MOST_HELD = 5_000_000, 20_000_000
"""Microseconds that a gap after a kill may be long here, where other tests run beside it."""

ALONE = tuple(kind for kind in ACTS if "at once" not in kind and kind != "SIGSTOP, then SIGCONT")
DOUBTS = (
    "kill -9 of a runner",
    "kill -9 of a warden or an attempt",
    "SIGSTOP, then SIGCONT, of a whole node",
    "PostgreSQL killed -9 and started again",
    "connections cut",
    "partition of a node",
    "slow network that cuts",
    "restore from an older dump",
)
"""What leaves attempts in doubt: the short run of tasks that may not run twice."""


@pytest.fixture(scope="module")
def results() -> Iterator[list[Result]]:
    """What the runs came to; told together in the end."""
    found: list[Result] = []
    yield found
    print(table(found))  # noqa: T201 - its reader is a person


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A folder for a run, where a stage can be made."""
    why = why_not()
    if why and os.environ.get("CI"):
        pytest.fail(f"the faults of a cluster cannot be played here: {why}")
    if why:
        pytest.skip(why)
    return tmp_path


@pytest.mark.parametrize(("once", "share"), [(False, 2 / 3), (True, 1 / 3)], ids=["mixed policies", "once"])
def test_nothing_is_missing_or_doubled(stage: Path, results: list[Result], once: bool, share: float) -> None:  # noqa: FBT001 - a case of this test
    seconds = MINUTES * 60 * share
    kinds = () if MINUTES else DOUBTS if once else ALONE
    server = KINDS[(SEED + once) % len(KINDS)]
    score = Score(seed=SEED, seconds=seconds, brief=not MINUTES, once=once, kinds=kinds, server=server)
    played = on_stage(str(stage), json.dumps(asdict(score)), seconds=seconds + 600)
    assert played.returncode == 0, f"{played.stdout}\n{played.stderr}"
    result = json.loads((stage / "result.json").read_text())
    results.append(result)
    assert result["wrong"] == []
    counts = result["counts"]
    assert counts["due"] > 1000
    assert (counts.get("missing", 0), counts.get("doubled", 0), result["orphans"]) == (0, 0, 0)
    for one in result["gaps"]:
        assert one["free"] < MOST_FREE, one
        assert (one["held"] or 0) < MOST_HELD, one
