"""The program of the warden: one loop that starts, watches, ends and reports attempts.

It is single-threaded and imports little, so that it can fork at any moment, costs little memory, and
has little to go wrong.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from functools import partial

from everytick.executors.warden import child as children
from everytick.executors.warden import kin
from everytick.executors.warden.attempt import SECOND, Attempt
from everytick.executors.warden.capture import Capture
from everytick.executors.warden.child import Child
from everytick.executors.warden.frames import Frame, Frames

CALLS_PER_WORKER = 1000
"""After so many calls a worker is replaced: whatever its callables leak is given back."""

LAST_WAIT = 2 * SECOND
"""How long killed processes may take to vanish when the warden ends."""


class WardenProgram:
    """The state of a warden."""

    def __init__(self, runner: socket.socket) -> None:
        self._runner = Frames(runner)
        self._selector = selectors.DefaultSelector()
        self._living: dict[int, Child] = {}  # the processes it started, by pid
        self._in_flight: dict[str, tuple[Attempt, Child]] = {}  # by key; the process may have ended
        self._idle: list[Child] = []  # workers, the longest unused first
        self._until: int | None = None
        self._path: list[str] = []
        self._output_limit = 0
        self._keep = 0  # microseconds
        self._open = True

    def run(self) -> None:
        """Serve the runner until it is gone; then end all processes."""
        self._watch(self._runner, self._hear_runner)
        # Someone else may hold the runner's end of the socket when it dies, and then there is no EOF.
        runner = os.pidfd_open(os.getppid())
        self._watch(runner, self._part)
        self._watch(_woken_by_children(), self._reap)
        while self._open:
            self._listen(self._pause(_now()))
            self._act(_now())
        self._selector.unregister(runner)
        self._selector.unregister(self._runner)
        self._end_all(_now())

    def _listen(self, seconds: float | None) -> None:
        for key, events in self._selector.select(seconds):
            current = self._selector.get_map().get(key.fd)
            if current is not None and current.data is key.data:  # not dropped by one of those before it
                key.data(key.fd, events)

    # What the runner says.

    def _hear_runner(self, _descriptor: int, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._tend(self._runner)
        try:
            frames = self._runner.receive(wait=False)
        except EOFError:
            self._open = False
            return
        for frame in frames:
            if "start" in frame:
                self._start(frame, _now())
            elif "stop" in frame:
                self._stop(frame, _now())
            elif "until" in frame:
                self._until = frame["until"]
            else:
                self._path, self._output_limit = frame["path"], frame["output_limit"]
                self._keep = int(frame["keep"] * SECOND)

    def _part(self, _descriptor: int, _events: int) -> None:
        self._open = False

    def _start(self, frame: Frame, now: int) -> None:
        attempt = Attempt(frame, Capture(self._output_limit), now)
        if self._lapsed(now):
            self._refuse(attempt, "lost", "not started: the runner had not renewed its lease in time")
            return
        if not frame.get("call") and not frame.get("command"):
            self._refuse(attempt, "error", "there is nothing to run")
            return
        try:
            child = self._child_for(frame)
        except OSError as fault:
            self._refuse(attempt, "error", f"cannot start a process: {fault.strerror}")
            return
        child.attempt = attempt
        self._in_flight[attempt.key] = attempt, child
        self._send(self._runner, {"started": attempt.key, "pid": child.pid})
        if child.link is not None:
            self._send(child.link, frame)

    def _child_for(self, frame: Frame) -> Child:
        if "call" not in frame:
            child = children.command(frame["command"], frame["directory"], frame["environment"])
        elif self._idle:
            child = self._idle.pop()
            self._drain(child)  # a thread of an earlier attempt may have written
            return child
        else:
            child = children.worker(self._path)
            if child.link is not None:
                self._watch(child.link, partial(self._hear_worker, child, child.link))
        self._living[child.pid] = child
        self._watch(child.output, partial(self._hear_output, child))
        return child

    def _refuse(self, attempt: Attempt, reason: str, error: str) -> None:
        attempt.ask_to_end(reason, error, 0)
        self._send(self._runner, attempt.report(None, None))

    def _stop(self, frame: Frame, now: int) -> None:
        attempt, child = self._in_flight.get(frame["stop"], (None, None))
        if attempt is not None and child is not None:
            attempt.ask_to_end("cancelled", "stopped on request", now + int(frame["grace"] * SECOND))
            kin.tell(child.roots, signal.SIGTERM)

    # What its processes do.

    def _hear_output(self, child: Child, descriptor: int, _events: int) -> None:
        data = children.read(descriptor)
        if data == b"":
            self._selector.unregister(descriptor)
        elif data and child.attempt is not None:
            child.attempt.output.add(data)

    def _drain(self, child: Child) -> None:
        """Take in all it has written so far; some more, if it never ends."""
        for _ in range(4):
            data = children.read(child.output)
            if not data:
                return
            if child.attempt is not None:
                child.attempt.output.add(data)

    def _hear_worker(self, child: Child, link: Frames, descriptor: int, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._tend(link)
        try:
            frames = link.receive(wait=False)
        except EOFError:
            self._selector.unregister(descriptor)  # it is about to end
            return
        for frame in frames:
            if child.attempt is not None:
                self._answered(child.attempt, child, link, frame)

    def _answered(self, attempt: Attempt, child: Child, link: Frames, answer: Frame) -> None:
        attempt.answer = answer
        child.served += 1
        if attempt.reason is not None:
            link.end()  # now it ends, while what it started may clean up within the grace
        elif (
            answer["spent"] or child.served >= CALLS_PER_WORKER or kin.left_behind(child.roots, self._living)
        ):
            self._kill(attempt, child)
        else:
            self._report(attempt, child)
            child.idle_since = _now()
            self._idle.append(child)

    def _reap(self, descriptor: int, _events: int) -> None:
        """Find out who has ended, orphans included."""
        children.read(descriptor)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                pid, status = ended
                if pid in self._living:
                    self._ended(self._living.pop(pid), status)
        for attempt, child in list(self._in_flight.values()):
            if attempt.status is not None:
                self._conclude(attempt, child)

    def _ended(self, child: Child, status: int) -> None:
        attempt = child.attempt
        if attempt is None:
            if child in self._idle:
                self._idle.remove(child)
            kin.kill(child.roots)
            self._drop(child)
            return
        attempt.status = status
        if child.link is not None and attempt.answer is None:
            with contextlib.suppress(EOFError):  # it may have answered right before
                attempt.answer = next(iter(child.link.receive(wait=False)), None)

    def _conclude(self, attempt: Attempt, child: Child) -> None:
        """Report an attempt whose process has ended, once its family is gone to the last."""
        if attempt.reason is None and not attempt.killed and kin.left_behind(child.roots, self._living):
            self._kill(attempt, child)
        if (attempt.reason is not None or attempt.killed) and kin.family(child.roots):
            return  # they are within their grace, or dying; each death brings us here again
        self._report(attempt, child)
        self._drop(child)

    # What time does.

    def _lapsed(self, now: int) -> bool:
        return self._until is not None and now >= self._until

    def _pause(self, now: int) -> float | None:
        """Return for how many seconds nothing falls due; None for ever."""
        due = [child.idle_since + self._keep for child in self._idle[:1]]
        for attempt, _ in self._in_flight.values():
            if not attempt.killed:
                # Look often: while the machine sleeps, the selector's clock stands still, but not BOOTTIME.
                due += [now + SECOND, *attempt.moments()]
                if self._until is not None:
                    due.append(self._until)
        return max(0, min(due) - now) / SECOND if due else None

    def _act(self, now: int) -> None:
        for attempt, child in list(self._in_flight.values()):
            if attempt.killed:
                continue
            if self._lapsed(now):
                attempt.ask_to_end("lost", "killed: its runner did not renew its lease in time", now)
            elif attempt.timeout_at is not None and now >= attempt.timeout_at:
                attempt.run_out(now)
                kin.tell(child.roots, signal.SIGTERM)
            if attempt.kill_at is not None and now >= attempt.kill_at:
                self._kill(attempt, child)
                if attempt.status is not None:
                    self._conclude(attempt, child)
        while self._idle and now >= self._idle[0].idle_since + self._keep:
            kin.kill(self._idle.pop(0).roots)

    # How things end.

    def _kill(self, attempt: Attempt, child: Child) -> None:
        attempt.killed = True
        kin.kill(child.roots)

    def _drop(self, child: Child) -> None:
        """Let go of a process that has ended."""
        self._unwatch(child.output)
        if child.link is not None:
            self._unwatch(child.link)
        child.close()

    def _report(self, attempt: Attempt, child: Child) -> None:
        self._drain(child)
        del self._in_flight[attempt.key]
        child.attempt = None
        self._send(self._runner, attempt.report(child.pid, child.complaint()))

    def _end_all(self, now: int) -> None:
        for attempt, _ in self._in_flight.values():
            attempt.ask_to_end("lost", "killed: its runner ended", now)
            attempt.killed = True
        us = {os.getpid()}
        kin.kill(us)
        while len(kin.family(us)) > 1 and (left := now + LAST_WAIT - _now()) > 0:
            self._listen(left / SECOND)
        for attempt, child in list(self._in_flight.values()):
            self._report(attempt, child)
        self._runner.limit(1)
        self._runner.finish()

    # The selector.

    def _watch(self, source: Frames | int, hear: Callable[[int, int], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, hear)

    def _unwatch(self, source: Frames | int) -> None:
        with contextlib.suppress(KeyError):  # it said before that nothing more would come
            self._selector.unregister(source)

    def _send(self, link: Frames, frame: Frame) -> None:
        link.post(frame)
        self._tend(link)

    def _tend(self, link: Frames) -> None:
        """Flush, and be called when there is room for the rest."""
        rest = 0 if link.flush() else selectors.EVENT_WRITE
        key = self._selector.get_map().get(link)
        if key is not None and key.events != selectors.EVENT_READ | rest:
            self._selector.modify(link, selectors.EVENT_READ | rest, key.data)


def main(descriptor: int) -> None:
    """Be a warden.

    Args:
        descriptor: Our end of the socket to the runner.
    """
    for number in children.IGNORED:
        signal.signal(number, signal.SIG_IGN)
    os.set_inheritable(descriptor, False)
    children.adopt_orphans()
    gc.freeze()  # what is here now is shared with all workers
    WardenProgram(socket.socket(fileno=descriptor)).run()


def _woken_by_children() -> int:
    """Return a descriptor that becomes readable when a child ends."""
    woken, waking = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return woken


def _now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - outlives the runner, whose clock may stand still
