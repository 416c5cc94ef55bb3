"""What the tests of commands share."""

from pathlib import Path

import pytest

from .shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty folder to type commands in."""
    return Shell(tmp_path)
