"""What a target is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from everytick.errors import EverytickError

from .damage import Damage, damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One way into the extractors.

    Attributes:
        run: Takes an input; returns what became of it, raises where something is wrong.
        seeds: Inputs to begin with.
        damage: Damages an input in a way that fits.
    """

    run: Callable[[bytes], str]
    seeds: Callable[[], Sequence[bytes]]
    damage: Damage = damaged


def behind_the_first(body: bytes, chance: Random) -> bytes:
    """Damage an input whose first byte chooses something else."""
    return body[:1] + damaged(body[1:], chance)


def refused(refusal: EverytickError) -> str:
    """Return the verdict on an input that was refused; a refusal says why."""
    assert str(refusal), "no reason is given"
    return "refused"
