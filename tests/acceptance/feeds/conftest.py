import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from everytick.feeds.fetch.deadline import Deadline
from everytick.testing.provider import Provider

ROOT = Path(__file__).parents[3]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between two tries, in seconds; they are told, and not waited for."""
    waited: list[float] = []
    monkeypatch.setattr(Deadline, "wait", lambda _, seconds: waited.append(seconds))
    return waited


@pytest.fixture(scope="session")
def lists() -> Path:
    """The folder of real lists; they are too large, and not ours, to be kept in the project."""
    folder = Path(os.environ.get("EVERYTICK_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        words = f"the real lists are not at {folder}; set EVERYTICK_DATA to their folder"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(words)
        pytest.skip(words)
    return folder
