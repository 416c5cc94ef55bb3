"""What a run came to, as Markdown for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .acts import ACTS

Result = Mapping[str, Any]

_COUNTS = (
    ("due", "ticks due"),
    ("run", "run"),
    ("succeeded", "succeeded"),
    ("failed error", "failed: error"),
    ("failed timeout", "failed: timeout"),
    ("failed lost", "failed: lost"),
    ("cancelled", "cancelled"),
    ("skipped overlap", "skipped: overlap"),
    ("skipped superseded", "skipped: superseded"),
    ("skipped missed", "skipped: missed"),
    ("skipped expired", "skipped: expired"),
    ("skipped paused", "skipped: paused"),
    ("reruns", "reruns after a loss"),
    ("lost by restores", "ran, and the record was lost by a restore"),
    ("refused", "refused settlements"),
    ("beside one that stood still", "began while a lost one stood still with its node"),
)
_ASKED = (
    ("apply", "edits of twenty tasks at once, meanwhile"),
    ("pause", "pauses"),
    ("run", "runs by hand"),
    ("cancel", "cancels"),
)
_ZEROS = (("missing", "**missing**"), ("doubled", "**doubled**"))


def table(results: Sequence[Result]) -> str:
    """Return one table with a column for each run."""
    rows = [["", *(_title(result) for result in results)], ["---", *("---:" for _ in results)]]
    rows += [[kind, *(str(result["faults"].get(kind, 0)) for result in results)] for kind in ACTS]
    rows += [[words, *(str(result["asked"].get(act, 0)) for result in results)] for act, words in _ASKED]
    rows += [[words, *(_count(result, name) for result in results)] for name, words in _COUNTS]
    rows += [[words, *(f"**{_count(result, name)}**" for result in results)] for name, words in _ZEROS]
    rows.append(["**orphans**", *(f"**{result['orphans']}**" for result in results)])
    rows += [[words, *(gap(result, victim, kind) for result in results)] for words, victim, kind in _gaps()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def gap(result: Result, victim: str, kind: str) -> str:
    """Return the longest gap after the kills of a kind of program, and the gap after each, in seconds."""
    found = [one[kind] / 1e6 for one in result["gaps"] if one["victim"] == victim and one[kind] is not None]
    if not found:
        return "-"
    return f"**{max(found):.2f}** of {', '.join(f'{one:.2f}' for one in found)}"


def _gaps() -> Iterator[tuple[str, str, str]]:
    yield "seconds until all was started that was due after a kill of a scheduler", "scheduler", "free"
    yield "the same of a runner, ticks that it did not hold", "runner", "free"
    yield "the same of a runner, ticks that it held", "runner", "held"


def _title(result: Result) -> str:
    what = "`uncertain = skip`" if result["score"]["once"] else "mixed policies"
    what += f", PostgreSQL {result['score']['server']}".replace(
        "PostgreSQL pgbouncer,", "pgbouncer, PostgreSQL"
    )
    return f"{what}, {result['seconds'] / 60:.1f} min, seed {result['score']['seed']}"


def _count(result: Result, name: str) -> str:
    return f"{result['counts'].get(name, 0):,}"
