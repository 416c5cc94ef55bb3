"""The laws hold in some two thousand random worlds, through twenty thousand crashes."""

import os
import sys

import pytest

from everytick.testing.simulation import simulate
from everytick.testing.simulation.report import crashes, empty_cells, play_many, table

WORLDS = range(1, 1801)
CRASHES = 20_000


def test_a_seed_decides_everything_that_happens() -> None:
    first: list[str] = []
    second: list[str] = []
    played = simulate(7, first.append)
    assert played.runs > 0
    assert simulate(7, second.append) == played
    assert [_timeless(line) for line in first] == [_timeless(line) for line in second]


def _timeless(line: str) -> str:
    return line.replace(str(os.getpid()), "PID")


def test_the_laws_hold_through_twenty_thousand_crashes(capfd: pytest.CaptureFixture[str]) -> None:
    counts, broken = play_many(WORLDS, os.cpu_count() or 1)
    with capfd.disabled():
        sys.stderr.write(f"\n{table(counts)}\n{len(WORLDS)} worlds, {crashes(counts)} crashes\n")
    assert not [
        f"{played.broken}; replay it: python -m everytick.testing.simulation --seed {played.seed}"
        for played in broken
    ]
    assert not empty_cells(counts)
    assert crashes(counts) >= CRASHES
