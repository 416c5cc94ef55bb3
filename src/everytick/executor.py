"""The contract of an executor: how an attempt is run.

An executor starts attempts and tells how they ended. It knows no ledger: what a result means for the
tick is decided elsewhere. It is used from one thread.
"""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import msgspec

from everytick.task import JSON, Work

Outcome = Literal["succeeded", "error", "timeout", "cancelled", "lost"]
"""How an attempt ended.

``error``: it said so, crashed, or could not be started. ``timeout``: stopped for taking too long.
``cancelled``: stopped on request. ``lost``: killed, or out of sight, for no fault of its own.
"""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, ready to start.

    Attributes:
        key: Unique among those in flight: tick name and attempt, ``report@2026-11-21T06:00:00Z!2``.
        call: ``package.module:function`` or ``/path/file.py:function``; for process and inline.
        function: The callable itself, in place of ``call``; inline only.
        command: A program and its arguments; for command.
        arguments: Keyword arguments of the callable, beside the tick.
        environment: Variables beside the runner's own; they hold for this attempt alone.
        tick: The fields of the Tick value that a callable is given.
        timeout: Seconds until it is stopped: SIGTERM, then SIGKILL after ``grace``. None: never.
        grace: Seconds between SIGTERM and SIGKILL.
        directory: Where it runs; None for the runner's own directory.
    """

    key: str
    call: str = ""
    function: Callable[..., object] | None = None
    command: tuple[str, ...] = ()
    arguments: Mapping[str, JSON] = msgspec.field(default_factory=dict)
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    tick: Mapping[str, JSON] = msgspec.field(default_factory=dict)
    timeout: float | None = None
    grace: float = 10.0
    directory: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How one attempt ended.

    Its texts can be stored anywhere: no NUL, and no code point that UTF-8 cannot write.

    Attributes:
        key: The job's key.
        outcome: How it ended.
        summary: JSON text, 4 kB at most: what the callable returned, where that is not None and can be
            said in JSON; of a command its exit status.
        error: One line for people, where it did not succeed.
        output: What it wrote to stdout and stderr, its first and its last part where it is long; with the
            traceback of a callable that raised.
        pid: The process it ran in.
    """

    key: str
    outcome: Outcome
    summary: str | None = None
    error: str | None = None
    output: str = ""
    pid: int | None = None

    def __post_init__(self) -> None:
        if self.summary or self.error or self.output:
            for name in ("summary", "error", "output"):
                text = getattr(self, name)
                if text and ("\0" in text or not text.isascii()):
                    storable = text.encode(errors="replace").decode().replace("\0", "\ufffd")
                    msgspec.structs.force_setattr(self, name, storable)


class Executor(Protocol):
    """Runs attempts."""

    def lacks(self, work: Work) -> str | None:
        """Return what this machine lacks to run it, such as its module; None where it may be there.

        Nothing is imported. What is there, and fails, is no lack: that is the attempt's failure.
        """

    def start(self, job: Job) -> None:
        """Start an attempt and return at once; only inline runs it here and now.

        What goes wrong with the job itself is a result, never an exception.

        Raises:
            ValueError: A job with this key is in flight.
        """

    def stop(self, key: str, *, grace: float) -> None:
        """Ask an attempt to end: SIGTERM now, SIGKILL after ``grace`` seconds.

        Its result is ``cancelled``, unless it ended by itself before. An unknown key is an attempt that
        has ended meanwhile: nothing happens.
        """

    def extend(self, until: int) -> None:
        """Let attempts live until this moment; told after each confirmed beat.

        When it passes without a new one, all attempts are killed, at once and whatever the runner does,
        and are reported as ``lost``; none starts until it is told again. Before the first call there is
        no limit.

        Args:
            until: Microseconds of CLOCK_BOOTTIME.
        """

    def results(self) -> list[Result]:
        """Return what has ended since the last call; never blocks."""

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when ``results`` may have something.

        It may change or be absent until the next ``start``, and two executors may share one; ask both
        for results then.
        """

    def close(self) -> None:
        """Kill what still runs, which is then reported as ``lost``, and let go of all processes."""
