"""Everytick's own tasks, as many as the cell says."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from everytick import Every, Everytick
from everytick.settings import policies
from everytick.task import Inline, Task

CELL = "EVERYTICK_PEERS_CELL"
"""The variable that holds the cell, as JSON."""

_cell = json.loads(os.environ[CELL])
_every = Every(timedelta(seconds=_cell["period"]), datetime.fromtimestamp(_cell["begin"], UTC))
_work = Inline(call=f"{Path(__file__).with_name('own_body.py')}:note")
_stated = policies(_cell["options"].get("policies", {}))

app = Everytick(origin="peers")
app.tasks = [
    Task(name=str(task), schedule=_every, work=_work, policies=_stated, origin="peers")
    for task in range(_cell["tasks"])
]
