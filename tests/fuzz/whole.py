"""Lists of known shapes, taken the whole way after a good one."""

from collections.abc import Callable, Sequence
from functools import cache

from . import lists, path
from .lists import Table
from .target import Target, behind_the_first


def of_list(table: Table, bodies: Callable[[], Sequence[bytes]]) -> Target:
    """Return a target that takes a list the whole way; the first byte names the last good list."""
    feed = lists.described(table)

    @cache
    def good() -> Sequence[path.Good]:
        return [path.good(body, feed) for body in bodies()]

    def run(body: bytes) -> str:
        return path.go(body[1:], feed, before=good()[body[0] % len(good())] if body else None)

    def seeds() -> Sequence[bytes]:
        first = [bytes([place]) + body for place, body in enumerate(bodies())]
        return [*first, *(b"\0" + body for body in lists.no_lists())]

    return Target(run=run, seeds=seeds, damage=behind_the_first)


NSE = of_list(lists.NSE, lists.nse)
AMFI = of_list(lists.AMFI, lists.amfi)
EURONEXT = of_list(lists.EURONEXT, lists.euronext)
XETRA = of_list(lists.XETRA, lists.xetra)
