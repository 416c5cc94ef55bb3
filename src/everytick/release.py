"""The release of Everytick that is running, and how releases follow each other.

A release that changes the tables of the ledger has a number of its own: by it, processes of the release
before are told from those of this one.
"""

import re

VERSION = "0.2.0"

_NUMBER = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def is_older(other: str) -> bool:
    """Tell whether a release came before this one; one whose number cannot be read counts as older."""
    theirs, ours = _NUMBER.fullmatch(other), _NUMBER.fullmatch(VERSION)
    if theirs is None or ours is None:
        return other != VERSION
    return tuple(map(int, theirs.groups())) < tuple(map(int, ours.groups()))
