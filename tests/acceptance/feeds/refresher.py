"""Refreshes a feed and kills itself before its N-th step in the feed's folder.

Run as ``python refresher.py URL DATA N``, or with ``on`` for N to refresh on and on. A step is what the
interpreter reports of files: opening one to write, renaming, linking, removing, making a folder, locking.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from everytick.feeds.feed import Feed
from everytick.feeds.refresh import refresh

STEPS = {"os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR


@dataclass
class Trap:
    left: int
    data: str

    def step(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            counts = self.data in str(arguments[0]) and bool(arguments[2] & WRITING)
        else:
            counts = event == "fcntl.flock" or (event in STEPS and self.data in str(arguments[0]))
        self.left -= counts
        if counts and self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, data: str, rounds: str) -> None:
    feed = Feed(
        name="list", url=url, allow_private=("127.0.0.0/8",), key="ISIN", max_removed=1.0, max_changed=1.0
    )
    if rounds != "on":
        sys.addaudithook(Trap(int(rounds), data).step)
        refresh(feed, Path(data), moment=2)
        return
    moment = 2
    while True:
        print(moment, refresh(feed, Path(data), moment=moment).sequence, flush=True)  # noqa: T201 - its parent reads
        moment += 1


main(*sys.argv[1:])
