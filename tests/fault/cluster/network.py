"""The network of a stage: a bridge, and nodes that hang on it by one cable each."""

import subprocess
from types import TracebackType
from typing import Self

HERE = "10.77.0.1"
"""The address of the bridge: where the database listens."""


class Network:
    """A bridge with nodes; the namespace around it is the stage's."""

    def __init__(self) -> None:
        _ip("link", "add", "bridge", "type", "bridge")
        _ip("addr", "add", f"{HERE}/24", "dev", "bridge")
        _ip("link", "set", "bridge", "up")
        self._count = 0

    def node(self) -> "Node":
        """Return a new node, connected."""
        self._count += 1
        return Node(self._count)


class Node:
    """A network namespace and a host's name; a process that only reads holds them.

    Args:
        number: Counted from 1.

    Attributes:
        name: Its name.
    """

    def __init__(self, number: int) -> None:
        self.name = f"node-{number}"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "sh", "-c", f"hostname {self.name}; echo; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.read(1) == b"\n", "no namespace for a node"
        self._cable = f"cable-{number}"
        _ip(
            "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid)
        )
        _ip("link", "set", self._cable, "master", "bridge", "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"10.77.0.{10 + number}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
        ):
            subprocess.run([*self.prefix, "ip", *words], check=True)

    @property
    def prefix(self) -> list[str]:
        """The words before a command that is to run here."""
        place = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--net={place}/net", f"--uts={place}/uts", "--"]

    def __enter__(self) -> Self:
        """Pull its cable."""
        _ip("link", "set", self._cable, "down")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put it back."""
        _ip("link", "set", self._cable, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)
