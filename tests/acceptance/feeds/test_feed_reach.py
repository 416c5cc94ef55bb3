"""Where a download goes: redirects, names and addresses, certificates, proxies; on real connections."""

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from everytick.errors import FetchFailed
from everytick.feeds.archive.downloads import Downloads
from everytick.feeds.feed import Feed
from everytick.feeds.fetch.download import fetch
from everytick.testing.provider import Provider, send

LIST = b"ISIN,NAME\nUS0378331005,Apple\n"
LOOPBACK = ("127.0.0.0/8",)
FEED = Feed(name="list", url="", allow_private=LOOPBACK, key="ISIN", fetch_timeout=5.0)


def port(provider: Provider) -> int:
    found = urlsplit(provider.url).port
    assert found is not None
    return found


def leading_to(target: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/list.csv":
            send(handler, b"moved", status=301, headers={"Location": target})
        else:
            send(handler, LIST)

    return elsewhere


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The addresses of names, as the world's name servers say them: one for each look-up."""
    answers: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, number: int | None, *rest: int, **more: int) -> list[tuple[Any, ...]]:
        try:
            ip_address(host)
        except ValueError:
            host = answers[host].pop(0)
        return list(real(host, number, *rest, **more))

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


def test_every_step_of_the_way_is_recorded_without_its_query(provider: Provider, tmp_path: Path) -> None:
    def onwards(handler: BaseHTTPRequestHandler) -> None:
        steps = {"/list.csv?day=1": "/b?token=secret", "/b?token=secret": "c?signature=secret"}
        if handler.path in steps:
            send(handler, b"", status=307, headers={"Location": steps[handler.path]})
        else:
            send(handler, LIST)

    provider.manners = onwards
    fetched = fetch(replace(FEED, url=provider.url + "?day=1"), Downloads(tmp_path), now=1)
    assert [path for path, _ in provider.asked] == [
        "/list.csv?day=1",
        "/b?token=secret",
        "/c?signature=secret",
    ]
    assert fetched.redirects == (provider.url, provider.url.replace("list.csv", "b"))
    assert fetched.url == provider.url.replace("list.csv", "c")
    assert all(b"secret" not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://localhost:{port}/x", r"localhost, which its definition does not name; .* hosts = "),
        (
            "http://169.254.169.254/latest/meta-data/",
            r"169\.254\.169\.254, which its definition does not name",
        ),
        ("http://user:secret@127.0.0.2:{port}/x", r"127\.0\.0\.2, which"),
        ("//evil.example/x", r"evil\.example, which"),
        ("http://[::1", "RemoteProtocolError: Invalid URL"),
        ("mailto:secret@example.org", "sent to, what is no URL"),
        ("http://xn--/secret", "sent to, what is no URL"),
    ],
)
def test_a_redirect_to_where_the_feed_does_not_go_is_refused_at_once(
    provider: Provider, tmp_path: Path, target: str, words: str
) -> None:
    provider.manners = leading_to(target.format(port=port(provider)))
    with pytest.raises(FetchFailed, match=words) as failure:
        fetch(replace(FEED, url=provider.url), Downloads(tmp_path), now=1)
    assert {path for path, _ in provider.asked} == {"/list.csv"}
    assert "secret" not in str(failure.value)


def test_a_host_that_the_feed_names_may_be_redirected_to(provider: Provider, tmp_path: Path) -> None:
    provider.manners = leading_to(f"http://localhost:{port(provider)}/x")
    feed = replace(FEED, url=provider.url, hosts=("localhost",))
    assert fetch(feed, Downloads(tmp_path), now=1).redirects == (provider.url,)


def test_a_named_host_with_a_private_address_is_refused_unless_the_feed_allows_it(
    provider: Provider, tmp_path: Path
) -> None:
    provider.serve(LIST)
    feed = replace(FEED, url=provider.url, allow_private=())
    with pytest.raises(FetchFailed, match=r'no public address; .* allow_private = \["127\.0\.0\.1"\]'):
        fetch(feed, Downloads(tmp_path), now=1)
    with pytest.raises(FetchFailed, match="no public address"):
        fetch(replace(feed, allow_private=("10.0.0.0/8",)), Downloads(tmp_path), now=1)
    assert provider.asked == []
    assert fetch(replace(feed, allow_private=("127.0.0.1/32",)), Downloads(tmp_path), now=1).status == 200


def test_a_name_is_looked_up_once_and_its_address_is_the_one_that_is_contacted(
    provider: Provider, tmp_path: Path, names: dict[str, list[str]]
) -> None:
    provider.serve(LIST)
    names["lists.example"] = ["127.0.0.1", "10.0.0.1"]
    feed = replace(FEED, url=f"http://lists.example:{port(provider)}/list.csv")
    assert fetch(feed, Downloads(tmp_path), now=1).url == feed.url
    assert [headers["Host"] for _, headers in provider.asked] == [f"lists.example:{port(provider)}"]
    with pytest.raises(FetchFailed, match=r"lists\.example \(10\.0\.0\.1\), which is no public address"):
        fetch(feed, Downloads(tmp_path), now=2)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for lists.example with its key, in one file; nobody vouches for it but itself."""
    file = tmp_path_factory.mktemp("certificate") / "lists.example.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-batch", "-subj", "/CN=lists.example", "-addext", "subjectAltName=DNS:lists.example",
         "-days", "2", "-keyout", file, "-out", file.with_suffix(".crt")],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@contextmanager
def secure(certificate: Path) -> Iterator[tuple[Provider, list[str | None]]]:
    """A provider behind TLS, and the names that its clients asked for."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: asked.append(name)
    provider = Provider()
    provider._server.socket = context.wrap_socket(
        provider._server.socket, server_side=True, do_handshake_on_connect=False
    )
    provider.serve(LIST)
    with provider:
        yield provider, asked


def test_a_certificate_is_examined_for_the_name_and_not_for_the_address(
    tmp_path: Path, names: dict[str, list[str]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.update({"lists.example": ["127.0.0.1"] * 9, "other.example": ["127.0.0.1"] * 9})
    with secure(certificate) as (provider, asked):
        named = replace(FEED, url=f"https://lists.example:{port(provider)}/list.csv")
        with pytest.raises(FetchFailed, match=r"CERTIFICATE_VERIFY_FAILED.*self-signed"):
            fetch(named, Downloads(tmp_path), now=1)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch(named, Downloads(tmp_path), now=1).url == named.url
        assert set(asked) == {"lists.example"}
        for other in ("other.example", "127.0.0.1"):
            feed = replace(FEED, url=f"https://{other}:{port(provider)}/list.csv")
            with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
                fetch(feed, Downloads(tmp_path), now=1)
        assert len(provider.asked) == 1


def test_another_name_at_the_same_address_is_examined_anew(
    tmp_path: Path, names: dict[str, list[str]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.update({"lists.example": ["127.0.0.1"] * 3, "other.example": ["127.0.0.1"] * 3})
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def onwards(handler: BaseHTTPRequestHandler) -> None:
        there = f"https://other.example:{handler.headers['Host'].partition(':')[2]}/x"
        send(handler, b"", status=302, headers={"Location": there, "Connection": "keep-alive"})

    with secure(certificate) as (provider, asked):
        provider.manners = onwards
        url = f"https://lists.example:{port(provider)}/list.csv"
        with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(replace(FEED, url=url, hosts=("other.example",)), Downloads(tmp_path), now=1)
        assert {path for path, _ in provider.asked} == {"/list.csv"}
        assert {"lists.example", "other.example"} == set(asked)


def test_nothing_leads_from_https_to_http(
    tmp_path: Path, names: dict[str, list[str]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["lists.example"] = ["127.0.0.1"] * 9
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with secure(certificate) as (provider, _):
        feed = replace(FEED, url=f"https://lists.example:{port(provider)}/list.csv")
        provider.manners = leading_to("http://lists.example/x")
        with pytest.raises(FetchFailed, match="redirects from https to http://lists"):
            fetch(feed, Downloads(tmp_path), now=1)
        assert len(provider.asked) == 1


@pytest.fixture
def proxied(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A proxy that the environment names, and that sends a list whatever it is asked for."""
    provider.serve(LIST)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port(provider)}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "direct.example")
    return provider


def test_a_proxy_of_the_environment_is_used_and_looks_the_name_up(
    proxied: Provider, tmp_path: Path, names: dict[str, list[str]]
) -> None:
    feed = replace(FEED, url="http://lists.example/list.csv", allow_private=())
    assert fetch(feed, Downloads(tmp_path), now=1).path.read_bytes() == LIST
    assert [path for path, _ in proxied.asked] == ["http://lists.example/list.csv"]
    assert names == {}


def test_a_proxy_is_not_asked_for_what_may_not_be_reached(proxied: Provider, tmp_path: Path) -> None:
    feed = replace(FEED, url="http://169.254.169.254/list.csv", allow_private=())
    with pytest.raises(FetchFailed, match="no public address"):
        fetch(feed, Downloads(tmp_path), now=1)
    assert proxied.asked == []
    proxied.serve(b"", status=302, headers={"Location": "http://evil.example/"})
    with pytest.raises(FetchFailed, match=r"evil\.example, which its definition does not name"):
        fetch(replace(feed, url="http://lists.example/list.csv"), Downloads(tmp_path), now=1)
    assert len(proxied.asked) == 1


def test_what_the_environment_keeps_from_the_proxy_is_fetched_directly(
    proxied: Provider, tmp_path: Path, names: dict[str, list[str]]
) -> None:
    names["direct.example"] = ["127.0.0.1"]
    feed = replace(FEED, url=f"http://direct.example:{port(proxied)}/list.csv")
    fetch(feed, Downloads(tmp_path), now=1)
    assert [path for path, _ in proxied.asked] == ["/list.csv"]


def test_a_proxy_that_nobody_can_use_is_named(
    proxied: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "gopher://127.0.0.1:70")
    with pytest.raises(FetchFailed, match="the proxy that the environment names cannot be used"):
        fetch(replace(FEED, url="http://lists.example/list.csv"), Downloads(tmp_path), now=1)
    assert proxied.asked == []
