"""The picture: lateness by scheduler on a log scale, as SVG that is readable in light and in dark."""

from collections.abc import Iterator
from html import escape
from math import log10

from peers.judge import Lateness
from peers.results import Results, burst_of
from peers.roster import ALL, ROWS, Row
from peers.words import late

WIDTH, TOP, LEFT, RIGHT = 1000, 92, 300, 120
STEP, LINE = 48, 13
LEAST, MOST = 0.001, 30.0
MARKS = ((0.001, "1 ms"), (0.01, "10 ms"), (0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"))

STYLE = """
  .paper { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .own { font-weight: 700 }
  .quiet { fill: #59636e; font-size: 11px } .middle { text-anchor: middle }
  .grid { stroke: #d1d9e0 } .band { fill: #f6f8fa }
  .n0 { stroke: #9a6700; fill: #9a6700 } .n1 { stroke: #0969da; fill: #0969da }
  .n2 { stroke: #8250df; fill: #8250df }
  .figure { font-size: 11px } .bar { stroke-width: 3 } .over { stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 }
    .grid { stroke: #3d444d } .band { fill: #151b23 }
    .n0 { stroke: #d4a72c; fill: #d4a72c } .n1 { stroke: #58a6ff; fill: #58a6ff }
    .n2 { stroke: #c297ff; fill: #c297ff }
  }
  .figure { stroke: none }
"""


def draw(results: Results) -> str:
    """Return the picture of a run."""
    rows = [row for row in ROWS if any(burst_of(results.bursts, row.key, size) for size in ALL)]
    bottom = TOP + len(rows) * STEP
    label = "How late ticks are, by scheduler; the tables of the page have the same figures"
    size = f"0 0 {WIDTH} {bottom + 44}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{size}" aria-label="{label}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{bottom + 44}"/>',
        '<text class="title" x="20" y="30">How late ticks are when many are due in the same instant</text>',
        *_legend(),
    ]
    parts += [
        f'<rect class="band" x="0" y="{y}" width="{WIDTH}" height="{STEP}"/>'
        for y in range(TOP, bottom, 2 * STEP)
    ]
    for seconds, word in MARKS:
        x = _x(seconds)
        parts.append(f'<line class="grid" x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}"/>')
        parts.append(f'<text class="quiet middle" x="{x}" y="{bottom + 16}">{word}</text>')
    for number, row in enumerate(rows):
        parts += _row(results, row, TOP + number * STEP)
    parts.append(
        f'<text class="quiet" x="20" y="{bottom + 36}">{results.date}; {escape(results.machine)}; log scale; '
        "of all ticks that were due; those that did not arrive count as later than all others</text>"
    )
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> Iterator[str]:
    yield '<text class="quiet" x="20" y="52">dot: half have come (p50); end of bar: 99 of 100 (p99)</text>'
    for number, size in enumerate(ALL):
        x = LEFT + number * 150
        yield f'<circle class="n{number}" cx="{x}" cy="72" r="4"/>'
        yield f'<line class="bar n{number}" x1="{x}" y1="72" x2="{x + 26}" y2="72"/>'
        yield f'<text x="{x + 34}" y="76">{size:,} at once</text>'


def _row(results: Results, row: Row, y: int) -> Iterator[str]:
    own = "" if row.environment else "own"
    yield f'<text class="{own}" x="20" y="{y + 20}">{escape(row.title)}</text>'
    yield f'<text class="quiet" x="20" y="{y + 35}">keeps schedules in {row.keeps}; {_seen(row)}</text>'
    for number, size in enumerate(ALL):
        burst = burst_of(results.bursts, row.key, size)
        if burst and burst.lateness:
            yield from _line(burst.lateness, number, y + 10 + number * LINE)
        elif burst:
            yield f'<text class="figure n{number}" x="{LEFT}" y="{y + 15 + number * LINE}">not played</text>'


def _line(found: Lateness, number: int, y: int) -> Iterator[str]:
    start, stop = (_x(MOST if value is None else value) for value in (found.p50, found.p99))
    start = min(start, stop - 24) if found.p50 is None else start
    over = " over" if found.p99 is None else ""
    yield f'<line class="bar n{number}{over}" x1="{start}" y1="{y}" x2="{stop}" y2="{y}"/>'
    if found.p50 is not None:
        yield f'<circle class="n{number}" cx="{start}" cy="{y}" r="4"/>'
    told = late(found, found.p99)
    if found.p99 is None:
        told = f"{found.arrived / found.due:.0%} of them came"
    yield f'<text class="figure n{number}" x="{stop + 8}" y="{y + 4}">{told}</text>'


def _seen(row: Row) -> str:
    return {"start": "start seen", "message": "message seen", "row": "row seen"}[row.arrival]


def _x(seconds: float) -> float:
    share = (log10(max(seconds, LEAST)) - log10(LEAST)) / (log10(MOST) - log10(LEAST))
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)
