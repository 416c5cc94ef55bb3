"""Planted bugs are found: a simulation that finds none proves nothing."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("mutants", Path(__file__).with_name("mutants.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
mutants = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(mutants)


@pytest.mark.parametrize("name", ["publish before commit", "overlap without slot", "retry frees the lane"])
def test_a_planted_bug_is_found_within_a_few_worlds(name: str) -> None:
    assert mutants.hunt(name, 60) is not None


def test_there_are_ten() -> None:
    assert len(mutants.MUTANTS) == 10
