"""Refreshes a feed and kills itself before its N-th step in the feed's folder.

Run as ``python refresher.py URL DATA N``, or with ``on`` for N to refresh on and on. A step is what the
interpreter reports of files: opening, renaming, linking and removing one, making a folder, taking the lock.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from everytick.feeds.feed import Feed
from everytick.feeds.refresh import refresh

STEPS = {"open", "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock"}


@dataclass
class Trap:
    left: int
    data: str

    def step(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and (event == "fcntl.flock" or self.data in str(arguments[0])):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, data: str, rounds: str) -> None:
    feed = Feed(name="list", url=url, key="ISIN", max_removed=1.0, max_changed=1.0)
    if rounds != "on":
        sys.addaudithook(Trap(int(rounds), data).step)
        refresh(feed, Path(data), moment=2)
        return
    moment = 2
    while True:
        print(moment, refresh(feed, Path(data), moment=moment).sequence, flush=True)  # noqa: T201 - its parent reads
        moment += 1


main(*sys.argv[1:])
