"""Damaged lists, a few hundred each day; `make fuzz` tries many more."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import lists
from .damage import DAMAGES, Damage
from .judge import is_isin
from .odd import ODD
from .targets import TARGETS

LISTS = ("nse", "amfi", "euronext", "xetra", "gzip")


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_worse_comes_of_a_damaged_input_than_a_refusal(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()

    @settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(seeds), st.randoms())
    def damage(seed: bytes, chance: Random) -> None:
        target.run(target.damage(seed, chance))

    damage()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_every_damage_is_lived_through(damage: Damage) -> None:
    for name in ("nse", "amfi", "euronext", "xetra"):
        first, *_ = TARGETS[name].seeds()
        for number in range(12):
            TARGETS[name].run(first[:1] + damage(first[1:], Random(number)))


@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_damage_is_published(name: str) -> None:
    target = TARGETS[name]
    good = [seed for seed in target.seeds() if seed[1:] not in lists.no_lists()]
    assert [target.run(seed) for seed in good] == ["publish"] * len(good)


def test_what_real_servers_sent_in_a_lists_place_is_not_published() -> None:
    verdicts = {TARGETS["nse"].run(b"\0" + body) for body in lists.no_lists()}
    assert verdicts <= {"refused", "refuse"}


def test_the_odd_definitions_can_each_be_satisfied() -> None:
    verdicts = [TARGETS["odd"].run(seed) for seed in TARGETS["odd"].seeds()]
    assert verdicts.count("publish") > len(ODD) / 2


def test_the_judge_knows_an_isin() -> None:
    assert is_isin("US0378331005")
    assert not any(map(is_isin, ["US0378331006", "us0378331005", "US037833100", "", "US03783310O5"]))
