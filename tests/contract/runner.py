"""A runner that the tests kill, stop and interrupt: runner.py JOBS FOLDER LEASE."""

import json
import select
import signal
import sys
import time

from everytick.executor import Executor, Job
from everytick.executors.command import CommandExecutor
from everytick.executors.process import ProcessExecutor
from everytick.executors.warden.client import Warden

FAMILY = 'sleep 1000 & a=$!; setsid sleep 1000 & echo "$$ $a $!" > "$0.new"; mv "$0.new" "$0"; wait'


def tell(said: object) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201 - the test reads it


def main(jobs: str, folder: str, lease: float | None) -> None:
    signal.signal(signal.SIGINT, lambda _number, _frame: tell("interrupted"))
    warden = Warden()
    executors: list[Executor] = [CommandExecutor(warden), ProcessExecutor(warden)]
    executors[0].start(Job(key="command", command=("sh", "-c", FAMILY, f"{folder}/command")))
    executors[1].start(Job(key="process", call=f"{jobs}:family", arguments={"ready": f"{folder}/process"}))
    while (descriptor := warden.fileno()) is not None:
        if lease is not None:
            moment = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - a lease is told in real time
            executors[0].extend(moment + int(lease * 1_000_000))
        select.select([descriptor], [], [], 0.1)
        for executor in executors:
            for result in executor.results():
                tell([result.key, result.outcome])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
