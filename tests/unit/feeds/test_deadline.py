import socket
from dataclasses import dataclass

import pytest

from everytick.feeds.fetch.deadline import Deadline


@dataclass
class Stream:
    """What an HTTP library tells of a connection that it opened."""

    opened: socket.socket

    def get_extra_info(self, name: str) -> socket.socket:
        assert name == "socket"
        return self.opened


@pytest.mark.parametrize("event", ["connection.connect_tcp.complete", "proxy.start_tls.complete"])
def test_who_reads_from_a_connection_finds_it_at_its_end(event: str) -> None:
    here, there = socket.socketpair()
    with here, there, Deadline(0.05) as deadline:
        deadline.hear(event, {"return_value": Stream(here)})
        assert here.recv(1) == b""
        assert deadline.over


def test_a_connection_that_is_opened_too_late_is_at_its_end_at_once() -> None:
    here, there = socket.socketpair()
    with here, there, Deadline(0.01) as deadline:
        deadline.wait(60)
        assert deadline.over
        deadline.hear("connection.connect_tcp.complete", {"return_value": Stream(here)})
        assert here.recv(1) == b""


def test_a_connection_that_was_closed_meanwhile_is_nobodys_business() -> None:
    here, there = socket.socketpair()
    with there, Deadline(0.01) as deadline:
        deadline.hear("connection.connect_tcp.complete", {"return_value": Stream(here)})
        here.close()
        deadline.wait(60)
        assert deadline.over


def test_what_is_done_in_time_is_returned_or_raised() -> None:
    with Deadline(60) as deadline:
        assert deadline.call(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            deadline.call(lambda: 1 // 0)
        assert 0 < deadline.left() <= 60
        assert not deadline.over
