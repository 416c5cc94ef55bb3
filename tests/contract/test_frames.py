"""Messages between runner, warden and worker, over a real socket."""

import json
import socket
import struct
from collections.abc import Iterator

import pytest

from everytick.executors.warden.frames import LIMIT, Frames

Ends = tuple[Frames, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    near, far = socket.socketpair()
    with near, far:
        yield Frames(near), far


def packed(frame: object) -> bytes:
    text = json.dumps(frame).encode()
    return struct.pack("!I", len(text)) + text


def test_messages_arrive_whole_whatever_the_pieces(ends: Ends) -> None:
    near, far = ends
    found = []
    for byte in packed({"a": 1}) + packed({"b": "ü\ud800"}):
        assert near.receive(wait=False) == []
        far.sendall(bytes([byte]))
        found += near.receive(wait=True)
    assert found == [{"a": 1}, {"b": "ü\ud800"}]


def test_what_cannot_be_sent_at_once_is_sent_later(ends: Ends) -> None:
    near, far = ends
    other = Frames(far)
    long = {"text": "x" * 3_000_000}
    near.post(long)
    near.post({"last": True})
    found: list[object] = []
    while not near.flush():
        found += other.receive(wait=True)
    while len(found) < 2:
        found += other.receive(wait=True)
    assert found == [long, {"last": True}]


def test_the_other_end_s_end_is_seen(ends: Ends) -> None:
    near, far = ends
    far.sendall(packed({"last": True}))
    far.close()
    assert near.receive(wait=True) == [{"last": True}]
    for wait in (True, False):
        with pytest.raises(EOFError):
            near.receive(wait=wait)
    with pytest.raises(OSError, match="Broken pipe"):
        near.send({})
    near.post({})
    assert near.flush()


@pytest.mark.parametrize("nonsense", [struct.pack("!I", LIMIT + 1), struct.pack("!I", 3) + b"no!"])
def test_who_speaks_another_language_is_as_good_as_gone(ends: Ends, nonsense: bytes) -> None:
    near, far = ends
    far.sendall(nonsense)
    with pytest.raises(EOFError):
        near.receive(wait=True)


def test_waiting_has_a_limit_and_not_waiting_does_not_wait(ends: Ends) -> None:
    near, _ = ends
    near.limit(1)
    assert near.receive(wait=False) == []
    with pytest.raises(TimeoutError):
        near.receive(wait=True)
    with pytest.raises(OSError, match="unavailable"):
        near.send({"text": "x" * 3_000_000})


def test_a_message_over_the_limit_is_refused(ends: Ends) -> None:
    with pytest.raises(ValueError, match="longer than"):
        ends[0].send({"text": "x" * LIMIT})
