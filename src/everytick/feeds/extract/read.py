"""From the bytes that arrived to the list they hold, by the format that the feed declares."""

from collections.abc import Mapping

import polars as pl

from everytick.feeds.extract import csv
from everytick.feeds.extract.extracted import BROKEN, Extracted
from everytick.feeds.feed import Feed


def extract(body: bytes, feed: Feed, response: Mapping[str, str]) -> Extracted:  # noqa: ARG001 - see as_of
    """Return the list that some bytes hold.

    Args:
        body: The bytes, unpacked.
        feed: What the list looks like.
        response: The headers of the HTTP answer, by their names in lower case.

    Raises:
        ExtractFailed: The bytes are not the list that the feed describes; the message says where.
    """
    frame = csv.extract(body, feed)
    return Extracted(frame=frame, names=tuple(frame.columns), broken=pl.DataFrame(schema=BROKEN), first=2)
