"""A feed's definition is edited between two refreshes."""

from dataclasses import replace
from pathlib import Path

import pytest

from everytick.errors import FeedHeld
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.history import history
from everytick.feeds.decide import approve
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider

LIST = Feed(name="list", url="", key="ID", allow_private=("127.0.0.0/8",), max_removed=Limit(hold=0.5))


def test_a_column_that_the_list_has_already_becomes_the_key(provider: Provider, tmp_path: Path) -> None:
    feed = replace(LIST, url=provider.url)
    provider.serve(b"ID,CODE\n1,x\n2,y\n")
    refresh(feed, tmp_path, moment=1)
    with pytest.raises(FeedHeld, match="2 of the last good list's 2 rows are gone"):
        refresh(replace(feed, key="CODE"), tmp_path, moment=2)
    approve(tmp_path, "list", actor="ann", note="codes name the rows now", moment=3)
    for again in (False, True):
        found = changes(tmp_path, "list").shown()
        assert found == {"added": ["x", "y"], "removed": ["1", "2"], "changed": [], "snapshot": 2}
        assert [span.ended for span in history(tmp_path, "list", "1")] == ["removed"]
        if not again:  # what differs can be told from the two lists too
            (tmp_path / "feeds" / "list" / "changes" / "000002.parquet").unlink()
