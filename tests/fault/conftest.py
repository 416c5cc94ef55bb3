"""What the fault tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ground import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A folder where real processes may die; nothing outlives the test."""
    made = Ground(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def kills() -> int:
    """How often to kill; `make fault` asks for more than the daily run."""
    return int(os.environ.get("EVERYTICK_KILLS", "10"))
