"""Does what it is told with a feed, and kills itself before its N-th step in the feed's folder.

Run as ``python refresher.py``, it reads a line of JSON for each order and answers with how its child ended:
``{"do": "refresh", "feed": {...}, "data": "...", "step": 7}``; ``approve`` and ``reject`` are other deeds.
Run as ``python refresher.py FEED DATA`` it refreshes on and on.

A step is what the interpreter reports of files: opening one to write, renaming, linking, removing, making
a folder, locking. The deed is done by a fork, as starting an interpreter would take most of the time; the
parent keeps out of the libraries with threads of their own.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from everytick.errors import FeedRefused
from everytick.feeds import decide
from everytick.feeds.refresh import refresh
from everytick.feeds.section import read

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


def deed(order: dict[str, Any]) -> int:
    feed, _ = read("list", order["feed"])
    data = Path(order["data"])
    sys.addaudithook(Trap(order["step"], order["data"]).step)
    if order["do"] == "refresh":
        try:
            refresh(feed, data, moment=2)
        except FeedRefused:
            return 1
    else:
        decision = {"approve": decide.approve, "reject": decide.reject}[order["do"]]
        decision(data, feed.name, actor="ann", note="seen", moment=2)
    return 0


def obey() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(deed(json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - its parent reads


def on_and_on(section: str, data: str) -> None:
    feed, _ = read("list", json.loads(section))
    for moment in count(2):
        print(moment, refresh(feed, Path(data), moment=moment).sequence, flush=True)  # noqa: T201 - its parent reads


if len(sys.argv) > 1:
    on_and_on(*sys.argv[1:])
else:
    obey()
