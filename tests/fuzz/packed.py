"""Lists in gzip."""

import gzip
import zlib
from collections.abc import Sequence
from random import Random

from everytick.errors import ExtractFailed
from everytick.feeds.extract.gzip import unpacked

from . import lists, path
from .damage import damaged
from .target import Target, refused

LIMIT = 200_000
"""Bytes that a gzip may unpack to."""


def run(body: bytes) -> str:
    """Unpack a gzip, then take the list the whole way; the standard library must have unpacked it alike."""
    try:
        plain = unpacked(body, LIMIT)
    except ExtractFailed as refusal:
        return refused(refusal)
    if body.startswith(b"\x1f\x8b"):
        assert plain == gzip.decompress(body), "unpacked otherwise"
    else:
        assert plain is body, "unpacked what is not packed"
    return path.go(plain, lists.described(lists.NSE))


def seeds() -> Sequence[bytes]:
    return [gzip.compress(body, mtime=0) for body in lists.nse()]


def damage(body: bytes, chance: Random) -> bytes:
    """Damage a gzip, or what is in it, or make it one of several members."""
    try:
        plain = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return damaged(body, chance)
    match chance.randrange(4):
        case 0:
            return damaged(body, chance)
        case 1:
            return body + gzip.compress(damaged(plain, chance), mtime=0)
        case 2:
            return gzip.compress(plain + b"\n" * LIMIT, mtime=0)
        case _:
            return gzip.compress(damaged(plain, chance), mtime=0)


PACKED = Target(run=run, seeds=seeds, damage=damage)
