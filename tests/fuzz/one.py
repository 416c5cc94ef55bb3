"""Fuzz one target with atheris: ``python -m tests.fuzz.one TARGET [options of libFuzzer] CORPUS``."""

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["everytick"]):
    from .targets import TARGETS


def main() -> None:
    """Fuzz until something is wrong, or until an option says that it is enough."""
    target = TARGETS[sys.argv.pop(1)]

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = Random(seed)
        if chance.random() < 0.3:
            return bytes(atheris.Mutate(data, most))
        return target.damage(data, chance)[:most]

    atheris.Setup(sys.argv, target.run, custom_mutator=mutate)
    atheris.Fuzz()


main()
