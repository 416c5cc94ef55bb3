"""The picture of kills: what became of the ticks that were due, as bars; readable light, dark and small."""

from collections.abc import Iterator
from html import escape

from peers.crash import Crash
from peers.results import Results
from peers.roster import ROWS

SHOWN = (
    "apscheduler-postgres",
    "apscheduler-postgres-default",
    "apscheduler-memory",
    "celery-beat-synced",
    "celery-beat",
    "django-celery-beat-synced",
    "django-celery-beat",
    "redbeat",
    "redbeat-default",
    "everytick-postgres",
    "everytick-postgres-default",
    "everytick-sqlite",
)
"""The rows of the schedulers that docs/why/choosing-a-scheduler.md judges; the page has all of them."""

WIDTH, TOP, STEP = 720, 144, 54
PANELS = (("between", 16, "killed between two bursts"), ("within", 306, "killed in the middle of a burst"))
BAR, HEIGHT, LEAST = 140, 12, 4
LEGEND = (
    ("lost", 16, 58, "lost, silently"),
    ("doubled", 256, 58, "run twice, silently"),
    ("ran", 540, 58, "run once"),
    ("skipped", 16, 88, "skipped, on record"),
    ("again", 256, 88, "tried again, on record"),
)
SHORT = {"lost": "lost", "doubled": "twice", "skipped": "skipped", "again": "again"}

STYLE = """
  .paper { fill: #ffffff } .band { fill: #f6f8fa } .ran { fill: #d1d9e0 }
  text { fill: #1f2328; font: 14px system-ui, sans-serif }
  .title { font-size: 17px; font-weight: 600 } .own { font-weight: 700 } .quiet { fill: #59636e }
  .lost { fill: #cf222e; stroke: #cf222e } .doubled { fill: #0550ae; stroke: #0550ae }
  .skipped { fill: #ffffff; stroke: #cf222e } .again { fill: #ffffff; stroke: #0550ae }
  rect { stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .band { fill: #151b23 } .ran { fill: #3d444d }
    text { fill: #e6edf3 } .quiet { fill: #9198a1 }
    .lost { fill: #ff7b72; stroke: #ff7b72 } .doubled { fill: #79c0ff; stroke: #79c0ff }
    .skipped { fill: #0d1117; stroke: #ff7b72 } .again { fill: #0d1117; stroke: #79c0ff }
  }
  @media (max-width: 560px) { text, .title { font-size: 19px } }
"""


def draw(results: Results) -> str:
    """Return the picture of the kills of a run."""
    found = {(one.row, one.kind): one for one in results.crashes}
    rows = [row for row in ROWS if row.key in SHOWN]
    rows.sort(key=lambda row: SHOWN.index(row.key))
    bottom = TOP + len(rows) * STEP
    label = "What became of the ticks that were due, by scheduler; a table of the page has the same figures"
    height = bottom + 40
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} aria-label="{label}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        '<text class="title" x="16" y="28">Killed with -9 and started again: the ticks that were due</text>',
        *_legend(),
    ]
    parts += [f'<text class="quiet" x="{x}" y="{TOP - 12}">{words}</text>' for _, x, words in PANELS]
    for number, row in enumerate(rows):
        y = TOP + number * STEP
        if number % 2 == 0:
            parts.append(f'<rect class="band" y="{y}" width="{WIDTH}" height="{STEP}"/>')
        own = "" if row.environment else ' class="own"'
        parts.append(f'<text{own} x="16" y="{y + 20}">{escape(row.title)}</text>')
        for kind, x, _ in PANELS:
            parts += _bar(found.get((row.key, kind)), x, y + 30)
    parts.append(
        f'<text class="quiet" x="16" y="{bottom + 26}">{results.date}; {escape(results.machine)}</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> Iterator[str]:
    for fate, x, y, words in LEGEND:
        yield f'<rect class="{fate}" x="{x}" y="{y - 11}" width="{HEIGHT}" height="{HEIGHT}"/>'
        yield f'<text x="{x + 20}" y="{y}">{words}</text>'


def _bar(crash: Crash | None, x: int, y: int) -> Iterator[str]:
    if crash is None or crash.losses is None:
        yield f'<text class="quiet" x="{x}" y="{y + HEIGHT - 1}">not played</text>'
        return
    losses = crash.losses
    counts = {
        "lost": losses.lost - crash.skipped,
        "doubled": losses.doubled,
        "skipped": crash.skipped,
        "again": losses.again,
    }
    yield f'<rect class="ran" x="{x}" y="{y}" width="{BAR}" height="{HEIGHT}"/>'
    start, told = float(x), []
    for fate, count in counts.items():
        if count:
            wide = round(max(count / losses.due * BAR, LEAST), 1)
            yield f'<rect class="{fate}" x="{start:g}" y="{y}" width="{wide:g}" height="{HEIGHT}"/>'
            start += wide
            told.append(f"{_share(count / losses.due)} {SHORT[fate]}")
    words = ", ".join(told) if told else "all, once"
    yield f'<text x="{x + BAR + 10}" y="{y + HEIGHT - 1}">{words}</text>'


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else f"{share:.1%}"
