"""The judges: programs and libraries that others wrote."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def absent() -> Callable[[str], None]:
    """Say that a judge cannot come: a failure in CI, a skip elsewhere."""

    def report(problem: str) -> None:
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)

    return report


@pytest.fixture
def program(absent: Callable[[str], None]) -> Callable[[str], Path]:
    """Return a judge's program, which must be there."""

    def find(path: str) -> Path:
        if not Path(path).exists():
            absent(f"{path} is absent: tests/tools.sh installs it")
        return Path(path)

    return find


@pytest.fixture
def field() -> Callable[[int, int], str]:
    """Return a maker of random cron fields of the dialect that every judge reads, the same in each run."""
    draw = random.Random(4711)

    def make(low: int, high: int) -> str:
        a, b = sorted(draw.sample(range(low, high + 1), 2))  # 3-3/2 is one value here, and 3/2 to others
        step = draw.randint(1, max(2, (high - low) // 2))
        return draw.choice(("*", str(a), f"{a}-{b}", f"*/{step}", f"{a}-{b}/{step}", f"{a},{b}"))

    return make


@pytest.fixture
def lines(field: Callable[[int, int], str]) -> Callable[[int], list[str]]:
    """Return a maker of random cron lines; hours often lie where clocks change, one day field is a star."""
    draw = random.Random(20260329)

    def line() -> str:
        hour = draw.choice((field(0, 23), "0", "1", "2", "3", "0-3", "*/2", "23"))
        month = draw.choice(("*", "*", "*", field(1, 12)))
        day, weekday = draw.choice((("*", "*"), (field(1, 28), "*"), ("*", field(0, 6))))
        return f"{field(0, 59)} {hour} {day} {month} {weekday}"

    return lambda many: [line() for _ in range(many)]
