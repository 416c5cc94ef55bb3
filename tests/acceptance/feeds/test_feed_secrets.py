"""What a source asks for in private is told to it alone, and written down nowhere."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from everytick.errors import FeedError, FetchFailed
from everytick.feeds.feed import Feed
from everytick.feeds.refresh import refresh, run
from everytick.feeds.section import read
from everytick.testing.provider import Provider, send
from everytick.tick import Tick
from everytick.when import moment_of

SECRET = "s3cr3t-8fa1"
LIST = Feed(
    name="list",
    url="",
    key="ID",
    headers={"X-Api-Key": "env:LIST_KEY", "Accept": "text/csv"},
    allow_private=("127.0.0.0/8",),
)
BODY = b"ID,NAME\n1,a\n"


def sent(provider: Provider) -> Mapping[str, str]:
    return {name.lower(): value for name, value in provider.asked[-1][1].items()}


def written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_header_is_taken_from_the_environment_of_the_one_who_fetches(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    provider.serve(BODY)
    feed = replace(LIST, url=f"{provider.url}?token={SECRET}")
    assert read("list", feed.section())[0] == feed
    tick = Tick(task="list", due_at=moment_of(0), interval_start=None, attempt=1)
    with pytest.raises(FetchFailed, match="header X-Api-Key from the environment, which has no LIST_KEY"):
        run(tick, name="list", feed=feed.section(), data=str(tmp_path))
    assert provider.asked == []
    monkeypatch.setenv("LIST_KEY", SECRET)
    told = run(tick, name="list", feed=feed.section(), data=str(tmp_path))
    assert (sent(provider)["x-api-key"], sent(provider)["accept"]) == (SECRET, "text/csv")
    for status, headers in ((403, {}), (500, {}), (302, {"Location": f"/again?token={SECRET}"})):
        provider.serve(b"", status=status, headers=headers)
        with pytest.raises(FeedError) as failure:
            refresh(feed, tmp_path, moment=2)
        told[str(status)] = str(failure.value)
    assert SECRET not in str(told)
    assert "HTTP Request: GET" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET.encode() not in written(tmp_path)


@pytest.mark.parametrize("value", ["", " ", f"{SECRET}\nX-Evil: 1", f"{SECRET}\xe9"])
def test_a_secret_that_cannot_be_sent_is_not_told(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LIST_KEY", value)
    with pytest.raises(FetchFailed, match="LIST_KEY") as failure:
        refresh(replace(LIST, url=provider.url), tmp_path, moment=1)
    assert SECRET not in str(failure.value)
    assert SECRET.encode() not in written(tmp_path)


def test_a_secret_follows_no_redirect_to_another_host(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIST_KEY", SECRET)
    feed = replace(LIST, url=provider.url, hosts=("127.0.0.2",))
    with Provider() as other:
        other.serve(BODY)
        provider.manners = lambda handler: send(handler, b"", status=302, headers={"Location": other.url})
        refresh(feed, tmp_path, moment=1)
        assert sent(provider)["x-api-key"] == SECRET
        assert "x-api-key" not in sent(other)
        assert sent(other)["accept"] == "text/csv"
