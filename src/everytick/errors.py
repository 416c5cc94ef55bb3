"""Every error that Everytick raises on purpose.

    EverytickError
    ├── UsageError            the user's to mend: exit code 2, one line, no traceback
    │   ├── ScheduleError     a schedule that cannot be read or never comes
    │   ├── ConfigError       everytick.toml or a task's definition, with file and line
    │   ├── PatternError      a regular expression that is broken or ran too long
    │   └── UnknownName       a task, tick or feed that does not exist
    ├── LedgerError           the ledger cannot do its work now
    │   ├── LedgerLocked      another process holds it for longer than we wait
    │   ├── LedgerFull        no space left where it lies
    │   ├── LedgerReadOnly    it cannot be written
    │   ├── LedgerDamaged     it is not a ledger, or its file is broken
    │   ├── UnreadableRow     a row of it holds what no release has written
    │   ├── LedgerTooNew      a newer release wrote it
    │   ├── LedgerUnfinished  it is the half copy of another
    │   ├── LedgerMoved       its tasks went on at another
    │   └── EditRefused       somebody else edited the same task meanwhile
    ├── ClockSuspect          the wall clock stepped and nobody has vouched for it
    └── FeedError             a download that must not be published
        ├── FetchFailed       it did not arrive whole
        ├── ExtractFailed     it is not the list that the feed describes
        ├── NothingNew        it is the list of before, and a new one is due
        └── FeedRefused       it is a list, but not one to believe
            └── FeedHeld      a person may yet approve it

A message says what is wrong, where, and how to mend it.
"""


class EverytickError(Exception):
    """Anything that Everytick raises on purpose."""


class UsageError(EverytickError):
    """The user can mend this: wrong words, wrong file, wrong name."""


class ScheduleError(UsageError):
    """A schedule that cannot be read, or that never yields an instant.

    Args:
        message: What is wrong and how to mend it.
        text: The schedule as it was written.
        position: Where in the text the fault begins, counted from 0, where that is known.
    """

    def __init__(self, message: str, *, text: str = "", position: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        """Return the message with the place under the text."""
        message = super().__str__()
        if not self.text:
            return message
        if self.position is None:
            return f"{message}\n  {self.text}"
        return f"{message}\n  {self.text}\n  {' ' * self.position}^"


class ConfigError(UsageError):
    """A definition that cannot be used.

    Args:
        message: What is wrong and how to mend it.
        file: The file it stands in, where there is one.
        line: The line, counted from 1, where that is known.
    """

    def __init__(self, message: str, *, file: str = "", line: int | None = None) -> None:
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{place}{message}")
        self.file = file
        self.line = line


class PatternError(UsageError):
    """A regular expression that cannot be read or was stopped by its timeout."""


class UnknownName(UsageError):
    """No task, tick or feed of that name."""


class LedgerError(EverytickError):
    """The ledger cannot do its work now; nothing that was committed is lost."""


class LedgerLocked(LedgerError):
    """Another process holds the ledger for longer than we wait."""


class LedgerFull(LedgerError):
    """There is no space left where the ledger lies."""


class LedgerReadOnly(LedgerError):
    """The ledger, or the folder it lies in, cannot be written."""


class LedgerDamaged(LedgerError):
    """The file is no ledger, or it is broken."""


class UnreadableRow(LedgerError):
    """A row of a tick holds what no release has written.

    Args:
        message: What it holds.
        task_id: Its task.
        due_at: When it is due.
        request: The change that asked for it, or 0.
    """

    def __init__(self, message: str, *, task_id: int, due_at: int, request: int) -> None:
        super().__init__(message)
        self.task_id = task_id
        self.due_at = due_at
        self.request = request


class LedgerTooNew(LedgerError):
    """A newer release of Everytick wrote this ledger."""


class LedgerUnfinished(LedgerError):
    """A copy into this ledger was begun, and is not whole yet."""


class LedgerMoved(LedgerError):
    """This ledger was given up for its copy; its tasks went on there."""


class EditRefused(LedgerError):
    """Somebody else edited the same task meanwhile; look again, then repeat."""


class ClockSuspect(EverytickError):
    """The wall clock stepped, and nothing yet says which clock is right."""


class FeedError(EverytickError):
    """A download that must not be published; the last good list still is."""


class FetchFailed(FeedError):
    """The download did not arrive whole."""


class ExtractFailed(FeedError):
    """What arrived is not the list that the feed describes."""


class FeedRefused(FeedError):
    """What arrived is a list, but not one to believe."""


class FeedHeld(FeedRefused):
    """What arrived differs so much that a person has to approve it."""


class NothingNew(FeedError):
    """The source still serves the list of before, and a new one is due."""
