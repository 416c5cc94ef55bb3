"""Which release came before which."""

import pytest

from everytick import release
from everytick.release import is_older


@pytest.mark.parametrize(
    ("ours", "other", "older"),
    [
        ("0.2.0", "0.1.0", True),
        ("0.2.0", "0.2.0", False),
        ("0.2.0", "0.2.1", False),
        ("0.10.0", "0.9.9", True),
        ("1.0.0", "0.99.0", True),
        ("0.9.0", "1.0.0", False),
        ("0.2.0", "", True),
        ("0.2.0", "a fork", True),
        ("a fork", "a fork", False),
        ("a fork", "0.2.0", True),
    ],
)
def test_by_its_numbers_and_what_has_none_counts_as_older(
    monkeypatch: pytest.MonkeyPatch, ours: str, other: str, *, older: bool
) -> None:
    monkeypatch.setattr(release, "VERSION", ours)
    assert is_older(other) is older


def test_the_first_release_is_older() -> None:
    assert is_older("0.1.0")
