"""Runs it all: prints tables, and writes docs/reference/peers.json, peers.svg, kills.svg and peers.md.

    python -m peers [--only ROW,...] [--tasks N,...] [--bursts | --crashes] [--into FOLDER]
    python -m peers --draw [--into FOLDER]      page and pictures anew, from the results that are kept

Everything takes about 25 minutes. A part of it is written to no document, unless `--into` names a folder.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from everytick import release
from everytick.testing.servers import PostgresServer, RedisServer, open_folder
from everytick.when import moment_of
from peers import burst, crash, environments, kills, page, picture
from peers.burst import Burst
from peers.cell import now
from peers.crash import Crash
from peers.environments import HERE
from peers.results import Results, read, write
from peers.roster import ALL, ROWS, Row
from peers.stage import Servers
from peers.table import tell, tell_burst, tell_crash

DOCUMENTS = HERE.parents[1] / "docs" / "reference"
MACHINE = "2 cores, 24 GB, shared"
LANES = 3
"""How many small cells play at once: a hundred tasks each, or counts alone."""

T = TypeVar("T")


def bursts(servers: Servers, rows: list[Row], sizes: list[int], tell: Callable[[Burst], None]) -> list[Burst]:
    """Play the bursts: the small ones a few at once, the others alone, one row after the other."""
    small = [(row, size) for size in sizes if size <= 100 for row in rows if size in row.bursts]
    large = [(row, size) for size in sizes if size > 100 for row in rows if size in row.bursts]
    found = []
    for one in at_once([partial(burst.safely, servers, row, size) for row, size in small]):
        found.append(one)
        tell(one)
    for row, size in large:
        found.append(burst.safely(servers, row, size, 0))
        tell(found[-1])
    return found


def crashes(servers: Servers, rows: list[Row], tell: Callable[[Crash], None]) -> list[Crash]:
    """Play the crashes, a few at once: they are a matter of counts."""
    found = []
    cells = [(row, kind) for row in rows if row.crashes for kind in ("between", "within")]
    for one in at_once([partial(crash.safely, servers, row, kind) for row, kind in cells], 4):
        found.append(one)
        tell(one)
    return found


def at_once(plays: list[Callable[[int], T]], count: int = LANES) -> Iterator[T]:
    """Let a few play at once, each on a lane of its own; yield what comes of them as it comes."""
    lanes: SimpleQueue[int] = SimpleQueue()
    for lane in range(1, count + 1):
        lanes.put(lane)

    def on_lane(play: Callable[[int], T]) -> T:
        lane = lanes.get()
        try:
            return play(lane)
        finally:
            lanes.put(lane)

    with ThreadPoolExecutor(count) as pool:
        for one in as_completed([pool.submit(on_lane, play) for play in plays]):
            yield one.result()


def versions(rows: list[Row], postgres: PostgresServer) -> dict[str, str]:
    """Return the versions of everything that plays."""
    with postgres.connect() as connection:
        row = connection.execute("SHOW server_version").fetchone()
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    found = {
        "Everytick": release.VERSION,
        "Python": sys.version.split()[0],
        "PostgreSQL": str(row[0]).split()[0] if row else "",
        "Redis": redis.split("v=")[1].split()[0],
    }
    for name in dict.fromkeys(row.environment for row in rows if row.environment):
        found |= environments.versions(name)
    return found


def install(console: Console, rows: list[Row]) -> None:
    """Make the environments that are not there."""
    for name in dict.fromkeys(row.environment for row in rows if row.environment):
        if not environments.stands(name):
            with console.status(f"installing {name} ..."):
                environments.install(name)
            console.print(f"  installed {name}: {environments.wanted(name).split()[0]}", highlight=False)


def asked() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m peers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="rows by their keys, with commas")
    parser.add_argument("--tasks", default=",".join(map(str, ALL)), help="how many are due at once")
    parser.add_argument("--remark", default="", help="what else there is to know of this run")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--bursts", action="store_true", help="bursts alone")
    part.add_argument("--crashes", action="store_true", help="crashes alone")
    parser.add_argument("--into", type=Path, help="write json, svg and md there, whatever was left out")
    parser.add_argument("--draw", action="store_true", help="page and pictures anew, from kept results")
    return parser.parse_args()


def document(results: Results, folder: Path) -> None:
    """Write page and pictures."""
    (folder / "peers.svg").write_text(picture.draw(results), "utf-8")
    (folder / "kills.svg").write_text(kills.draw(results), "utf-8")
    (folder / "peers.md").write_text(page.text(results), "utf-8")


def play(console: Console, how: argparse.Namespace) -> Results:
    """Run what is asked for."""
    keys = [key for key in how.only.split(",") if key] or [row.key for row in ROWS]
    rows = [row for row in ROWS if row.key in keys]
    sizes = [int(size) for size in how.tasks.split(",")]
    install(console, rows)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    folder = open_folder()
    with (
        PostgresServer(folder / "postgres", durable=True) as postgres,
        RedisServer(folder / "redis") as redis,
        Progress(*columns, console=console) as progress,
    ):
        servers = Servers(postgres=postgres.url(""), redis=redis.port)
        own = [row for row in rows if not row.environment]
        parts = ([], rows, []) if how.crashes else (rows, [], own) if how.bursts else (rows, rows, own)
        larger = [size for size in sizes if size > 100]
        total = sum(size in row.bursts for row in parts[0] for size in sizes)
        total += 2 * sum(row.crashes for row in parts[1])
        total += sum(size in row.bursts for row in parts[2] for size in larger)
        bar = progress.add_task("cells", total=total)

        def told_burst(one: Burst) -> None:
            tell_burst(progress.console, one)
            progress.advance(bar)

        def told_crash(one: Crash) -> None:
            tell_crash(progress.console, one)
            progress.advance(bar)

        return Results(
            date=f"{moment_of(now()):%Y-%m-%d %H:%M} UTC",
            machine=MACHINE,
            remark=how.remark,
            versions=versions(rows, postgres),
            bursts=bursts(servers, parts[0], sizes, told_burst),
            crashes=crashes(servers, parts[1], told_crash),
            again=bursts(servers, parts[2], larger, told_burst),
        )


def main() -> None:
    """Play, tell, and write."""
    how, console = asked(), Console()
    if not console.is_terminal:
        console = Console(width=160)
    if how.draw:
        document(read(DOCUMENTS / "peers.json"), how.into or DOCUMENTS)
        return
    results = play(console, how)
    tell(console, results)
    whole = not (how.only or how.bursts or how.crashes) and how.tasks == ",".join(map(str, ALL))
    folder = how.into or (DOCUMENTS if whole else None)
    if folder:
        write(results, folder / "peers.json")
        document(results, folder)


if __name__ == "__main__":
    main()
