"""Where a feed's download may go: to hosts that its definition names, at addresses that are public.

A name is looked up once, and the connection is made to the address that was examined: a name server that
gives another answer the second time changes nothing. Certificates are examined for the name.

Where the environment names a proxy for a URL (``https_proxy``, ``no_proxy``, ...), the request goes through
it, wherever it stands: its operator vouches for it. The proxy then looks the name up, so that only the name
is examined here, and the address only where a URL has it in place of a name.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.request import getproxies, proxy_bypass

import httpx

from everytick.errors import FetchFailed
from everytick.feeds.feed import Feed
from everytick.feeds.fetch.deadline import Deadline

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_NO_SOURCES = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24")))
"""Addresses that pass for public, and where no list is: Azure's own for its machines, protocols', relays'."""


def may_reach(address: Address, allowed: Iterable[Network]) -> bool:
    """Tell whether an address may be contacted: it is public, or one of the networks has it.

    An IPv6 address that stands for one of IPv4 (mapped, NAT64, 6to4) is judged as that one.
    """
    meant = _meant(address)
    return any(meant in network or address in network for network in allowed) or _public(meant)


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NO_SOURCES)
    )


def _meant(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


class Reach(httpx.BaseTransport):
    """Carries requests to where a feed may go, and refuses all others before anybody is contacted.

    Args:
        feed: The feed.
        deadline: Bounds the look-up of a name, too.
    """

    def __init__(self, feed: Feed, deadline: Deadline) -> None:
        self._feed = feed
        self._hosts = {_plain(host) for host in (httpx.URL(feed.url).host, *feed.hosts)}
        self._allowed = [ip_network(network) for network in feed.allow_private]
        self._deadline = deadline
        # Connections are known by their address alone, and two names may share it: none is used again.
        self._direct = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self._proxied: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, if it may be sent.

        Raises:
            FetchFailed: It may not.
            httpx.TransportError: No address of the host answers, or the answer breaks off.
        """
        self._refuse_strange_host(request.url)
        proxy = _proxy(request.url)
        if proxy is not None:
            self._refuse_private_literal(request.url)
            return self._through(proxy).handle_request(request)
        return self._to_first_of(self._addresses(request.url), request)

    def close(self) -> None:
        """Close all connections."""
        for transport in (self._direct, *self._proxied.values()):
            transport.close()

    def _refuse_strange_host(self, url: httpx.URL) -> None:
        if url.scheme not in {"http", "https"}:
            raise FetchFailed(
                f"feed '{self._feed.name}' is sent to {url.scheme}:, and follows http and https only"
            )
        if _plain(url.host) not in self._hosts:
            raise FetchFailed(
                f"feed '{self._feed.name}' is sent to {url.host}, which its definition does not name; "
                f'if that is right, write hosts = ["{url.host}"]'
            )

    def _refuse_private_literal(self, url: httpx.URL) -> None:
        try:
            address = ip_address(url.host)
        except ValueError:
            return
        if not may_reach(address, self._allowed):
            raise self._private(url.host, [address])

    def _private(self, host: str, addresses: list[Address]) -> FetchFailed:
        told = "" if host == str(addresses[0]) else f" ({', '.join(map(str, addresses))})"
        return FetchFailed(
            f"feed '{self._feed.name}' is at {host}{told}, which is no public address; "
            f'if that is right, write allow_private = ["{addresses[0]}"]'
        )

    def _addresses(self, url: httpx.URL) -> list[Address]:
        """Look a host up, once, and return the addresses that may be contacted."""
        host = url.raw_host.decode("ascii")
        try:
            answers = self._deadline.call(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"nobody says which address {url.host} has") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{url.host} has no address: {error}") from error
        found = list(dict.fromkeys(ip_address(str(answer[4][0])) for answer in answers))
        reachable = [address for address in found if may_reach(address, self._allowed)]
        if not reachable:
            raise self._private(url.host, found)
        return reachable

    def _to_first_of(self, addresses: list[Address], request: httpx.Request) -> httpx.Response:
        """Send a request to the first address that takes a connection; the name stays for Host and TLS."""
        *others, last = addresses
        for address in others:
            try:
                return self._direct.handle_request(self._pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return self._direct.handle_request(self._pinned(request, last))

    def _pinned(self, request: httpx.Request, address: Address) -> httpx.Request:
        timeout = request.extensions["timeout"]
        return httpx.Request(
            request.method,
            request.url.copy_with(host=str(address)),
            headers=request.headers,
            extensions={
                **request.extensions,
                "sni_hostname": request.url.raw_host.decode("ascii"),
                "timeout": {**timeout, "connect": min(timeout["connect"], self._deadline.left())},
            },
        )

    def _through(self, proxy: str) -> httpx.HTTPTransport:
        if proxy not in self._proxied:
            try:
                self._proxied[proxy] = httpx.HTTPTransport(proxy=proxy)
            except (ImportError, ValueError) as error:
                raise FetchFailed(f"the proxy that the environment names cannot be used: {error}") from error
        return self._proxied[proxy]


def _proxy(url: httpx.URL) -> str | None:
    """Return the proxy that the environment names for a URL."""
    host = url.host if url.port is None else f"{url.host}:{url.port}"
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named or proxy_bypass(host):
        return None
    return named if "://" in named else f"http://{named}"


def _plain(host: str) -> str:
    return httpx.URL(scheme="http", host=host.strip("[]")).host.lower().rstrip(".")
