from everytick.app import Everytick
from everytick.policy import CatchUp, Overlap, Policies, Priority, Retry
from everytick.settings import duration
from everytick.task import Call, Command, Inline, Task
from everytick.tick import Tick
from everytick.when import At, Cron, Every, Schedule, schedule

__all__ = [
    "At",
    "Call",
    "CatchUp",
    "Command",
    "Cron",
    "Every",
    "Everytick",
    "Inline",
    "Overlap",
    "Policies",
    "Priority",
    "Retry",
    "Schedule",
    "Task",
    "Tick",
    "__version__",
    "duration",
    "schedule",
]

__version__: str
