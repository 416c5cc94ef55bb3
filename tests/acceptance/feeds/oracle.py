"""What a feed should come to, in plain dicts: the judge of its days at random."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

from everytick.feeds.feed import Limit

Rows = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Believed:
    """A list as the feed reads it: by key, the other columns by name."""

    key: str
    columns: tuple[str, ...]
    rows: Rows

    def text(self) -> bytes:
        """Return it as it is published."""
        lines = [",".join([self.key, *self.columns])]
        for key in sorted(self.rows):
            cells = [key, *(self.rows[key][name] for name in self.columns)]
            lines.append(",".join(quoted(cell) for cell in cells))
        return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True, kw_only=True)
class Accepted(Believed):
    """One that was published, and what it differed in."""

    day: date
    names: tuple[str, ...]
    at: int = 0
    differs: dict[str, list[str]] = field(default_factory=dict)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell


def told_apart(
    before: Believed | None, after: Believed, identity: Sequence[str] | None
) -> dict[str, list[str]]:
    old = before.rows if before else {}
    both = [name for name in after.columns if before and name in before.columns]
    counting = [name for name in both if identity is None or name in identity]
    return {
        "added": sorted(after.rows.keys() - old.keys()),
        "removed": sorted(old.keys() - after.rows.keys()),
        "changed": sorted(
            key
            for key in after.rows.keys() & old.keys()
            if any(after.rows[key][name] != old[key][name] for name in counting)
        ),
    }


def judged(part: int, whole: int, limit: Limit) -> str:
    if limit.refuse is not None and part > limit.refuse * whole + 1e-9:
        return "refused"
    return "held" if limit.hold is not None and part > limit.hold * whole + 1e-9 else "published"


def digest(held: Believed | None) -> str:
    return blake2b(held.text(), digest_size=32).hexdigest() if held else ""
