import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network
from threading import Event
from typing import Any

import httpx
import pytest

from everytick.errors import FetchFailed
from everytick.feeds.feed import Feed
from everytick.feeds.fetch.deadline import Deadline
from everytick.feeds.fetch.reach import Reach, may_reach

FEED = Feed(name="list", url="https://example.org/list.csv", key="ISIN", hosts=("archives.example.org",))

Answers = Callable[[str], list[str]]
"""What a name server says."""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_no_feed_is_at_an_address_that_is_not_public_unless_it_says_so(address: str) -> None:
    found = ip_address(address)
    assert not may_reach(found, [])
    assert not may_reach(found, [ip_network("203.0.113.0/24"), ip_network("2001:db8:1::/48")])
    assert may_reach(found, [ip_network(address.partition("%")[0])])


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.15.255.255",
        "172.32.0.1",
        "169.253.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::",
    ],
)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may_reach(ip_address(address), [])


def test_an_address_that_stands_for_another_is_allowed_as_that_one() -> None:
    assert may_reach(ip_address("::ffff:127.0.0.1"), [ip_network("127.0.0.0/8")])
    assert not may_reach(ip_address("::ffff:10.0.0.1"), [ip_network("127.0.0.0/8")])


@contextmanager
def reach(feed: Feed, seconds: float = 30) -> Iterator[httpx.Client]:
    with (
        Deadline(seconds) as deadline,
        Reach(feed, deadline) as transport,
        httpx.Client(transport=transport, trust_env=False, timeout=5) as client,
    ):
        yield client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; every name has an address of this machine."""
    return _answering(monkeypatch, lambda _: ["127.0.0.1"])


def _answering(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> list[str]:
    """Stand in for the name server of the world; numbers are no names."""
    names: list[str] = []
    numbers = socket.getaddrinfo

    def look_up(host: str, port: int | None, *rest: int, **more: int) -> list[tuple[Any, ...]]:
        try:
            ip_address(host)
        except ValueError:
            names.append(host)
            return [found for each in answers(host) for found in numbers(each, port, *rest, **more)]
        return list(numbers(host, port, *rest, **more))

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "https://other.example.org/",
            r"other\.example\.org, which its definition does not name; .* hosts = ",
        ),
        ("https://example.org.evil.net/", "does not name"),
        ("https://example.org@evil.net/", r"evil\.net, which"),
        ("https://evil.net/example.org", "does not name"),
        ("https://169.254.169.254/latest/meta-data", "does not name"),
        ("ftp://example.org/", "http and https only"),
        ("file:///etc/hostname", "http and https only"),
    ],
)
def test_a_host_that_nobody_named_is_not_even_looked_up(asked: list[str], url: str, words: str) -> None:
    with reach(FEED) as client, pytest.raises(FetchFailed, match=words):
        client.get(url)
    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/list.csv",
        "https://EXAMPLE.org./list.csv",
        "http://archives.example.org:8080/",
        "https://user:word@example.org/",
    ],
)
def test_a_name_with_a_private_address_is_refused_with_the_mend(asked: list[str], url: str) -> None:
    words = r"\(127\.0\.0\.1\), which is no public address; .* allow_private = \[\"127\.0\.0\.1\"\]"
    with reach(FEED) as client, pytest.raises(FetchFailed, match=words):
        client.get(url)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "url", ["http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/", "http://[::1]/"]
)
def test_no_way_to_write_an_address_gets_past(url: str) -> None:
    with reach(replace(FEED, url=url)) as client, pytest.raises(FetchFailed, match="no public address"):
        client.get(url)


def test_a_name_in_other_letters_is_the_same_name(asked: list[str]) -> None:
    feed = replace(FEED, url="https://b\u00fccher.example/", hosts=("[::1]",))
    with reach(feed) as client:
        for same in ("https://xn--bcher-kva.example/", "https://B\u00dcCHER.example/"):
            with pytest.raises(FetchFailed, match="no public address"):
                client.get(same)
        with pytest.raises(FetchFailed, match="no public address"):
            client.get("http://[::1]/")
    assert asked == ["xn--bcher-kva.example"] * 2


def test_addresses_that_may_not_be_reached_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, lambda _: ["10.0.0.1", "127.0.0.2"])
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.2", 0))
        url = f"http://example.org:{unheard.getsockname()[1]}/"
        with (
            reach(replace(FEED, allow_private=("127.0.0.0/8",))) as client,
            pytest.raises(httpx.ConnectError),
        ):
            client.get(url)


def test_a_name_that_nobody_knows_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    _answering(monkeypatch, unknown)
    with reach(FEED) as client, pytest.raises(httpx.ConnectError, match="Name or service not known"):
        client.get(FEED.url)


def test_a_name_server_that_says_nothing_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Event()

    def say_nothing(_: str) -> list[str]:
        stop.wait(30)
        return []

    _answering(monkeypatch, say_nothing)
    with reach(FEED, 0.05) as client, pytest.raises(httpx.ConnectTimeout, match="nobody says which address"):
        client.get(FEED.url)
    stop.set()
