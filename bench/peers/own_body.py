"""What Everytick's own tasks do: note their start, as the bodies of the peers do."""

import os
from pathlib import Path

from everytick.clock import SystemClock
from everytick.tick import Tick
from everytick.when import instant_of

FOLDER = "EVERYTICK_PEERS_FOLDER"
"""The variable that names the folder of the cell."""

_clock = SystemClock()
_file = os.open(Path(os.environ[FOLDER], "starts"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def note(tick: Tick) -> None:
    """Note that this tick starts now."""
    told = int(tick.task), instant_of(tick.due_at), tick.attempt, _clock.now()
    os.write(_file, b"%d %d %d %d\n" % told)
