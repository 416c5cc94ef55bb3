"""The one path of a refresh: fetch, extract, check, diff, guard, archive, publish.

Given the same bytes, the same last snapshot and the same moment, it does the same. Whatever comes of it, the
last good list stays published, and the journal has a line.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from everytick.clock import Clock, SystemClock
from everytick.errors import FeedError, FeedHeld, FeedRefused, NothingNew
from everytick.feeds import section
from everytick.feeds.archive.accept import Outlet, accept, complete
from everytick.feeds.archive.diff import Difference, difference, first, none
from everytick.feeds.archive.downloads import Downloads
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.journal import Act, Entry
from everytick.feeds.archive.snapshot import Held, Snapshot
from everytick.feeds.arrived import Arrived, arrival, arrive, columns_before
from everytick.feeds.asked import Asked
from everytick.feeds.feed import Feed
from everytick.feeds.fetch.download import fetch
from everytick.feeds.judge.contract import compare
from everytick.feeds.judge.fresh import refuse_old_news
from everytick.feeds.judge.guard import Facts, Judgement, Rejection, judge
from everytick.feeds.progress import SILENT, Progress
from everytick.feeds.refreshed import Refreshed, reading, told
from everytick.tick import Tick
from everytick.when import Instant, instant_of, moment_of


def run(tick: Tick, *, name: str, feed: Mapping[str, Any], data: str, zone: str = "UTC") -> dict[str, Any]:
    """Refresh a feed as the work of a tick; a worker process calls this.

    Args:
        tick: The tick.
        name: The feed's name.
        feed: The feed's own keys, as in its ``[feed.NAME]`` table.
        data: The folder that holds everything Everytick keeps beside its ledger.
        zone: The zone of its schedule.

    Raises:
        FeedError: Nothing was published; the message is the reason.
    """
    described, _ = section.read(name, feed)
    asked = Asked(moment=_clock().now(), due_at=instant_of(tick.due_at), tick=tick.name, zone=zone)
    return _refresh(described, Path(data), asked, SILENT).summary()


def refresh(
    feed: Feed,
    data: Path,
    *,
    moment: Instant,
    due_at: Instant | None = None,
    tick: str = "",
    zone: str = "UTC",
    progress: Progress = SILENT,
) -> Refreshed:
    """Download a list and publish it, if it is one to believe.

    Safe to repeat: what a killed refresh left half done is completed first, and a tick that is run again
    after it was done reports the same.

    Args:
        feed: The feed.
        data: The folder that holds everything Everytick keeps beside its ledger.
        moment: Now.
        due_at: The nominal instant, where it is another.
        tick: The name of the tick that asked.
        zone: The zone of the schedule: where ``same_on`` has its days.
        progress: Hears how far it has come.

    Raises:
        FeedError: Nothing was published, and the last good list still is: another refresh is under way, or a
            folder cannot be written.
        FetchFailed: The same, and in the journal: the list did not arrive whole.
        ExtractFailed: The same, and in the journal: what arrived is not the list that the feed describes.
        NothingNew: The same, and in the journal: it is the list of before, and a new one is due.
        FeedRefused: The same, and in the journal: it is a list, but not one to believe.
        FeedHeld: The same, and in the journal: a person may yet approve it.
    """
    asked = Asked(moment=moment, due_at=moment if due_at is None else due_at, tick=tick, zone=zone)
    return _refresh(feed, data, asked, progress)


@cache
def _clock() -> Clock:
    return SystemClock()


def _refresh(feed: Feed, data: Path, asked: Asked, progress: Progress) -> Refreshed:
    archive = Archive(data, feed.name)
    outlet = Outlet(data=data, formats=feed.formats, copies=feed.publish)
    try:
        with archive.alone():
            complete(archive, outlet)
            last = next(archive.entries(), None)
            if last is not None and last.good and asked.tick and last.tick == asked.tick:
                return told(last)
            return _Refresh(feed, archive, outlet, asked, progress).run()
    except OSError as error:
        raise FeedError(f"feed '{feed.name}' cannot be kept in {archive.folder}: {error}") from error


class _Refresh:
    """One refresh, with nobody else at work on the feed."""

    def __init__(
        self, feed: Feed, archive: Archive, outlet: Outlet, asked: Asked, progress: Progress
    ) -> None:
        self._feed = feed
        self._archive = archive
        self._outlet = outlet
        self._asked = asked
        self._progress = progress
        self._downloads = Downloads(archive.folder / "downloads")
        self._last = archive.newest()
        self._good = next((entry for entry in archive.entries() if entry.good), None)
        self._entry = Entry(
            at=asked.moment,
            due_at=asked.due_at,
            tick=asked.tick,
            act="failed",
            sequence=self._last.sequence if self._last else None,
            reading=reading(feed),
        )

    def run(self) -> Refreshed:
        """Go the whole path; note its end, whatever it is."""
        try:
            entry = self._path()
        except FeedError as error:
            reasons = self._entry.reasons or (str(error),)
            failed = replace(self._entry, act=_act(error), kind=type(error).__name__, reasons=reasons)
            self._archive.note(failed)
            self._tidy()
            raise
        self._tidy()
        return told(entry)

    def _path(self) -> Entry:
        feed, asked, good = self._feed, self._asked, self._good
        fetched = fetch(feed, self._downloads, now=asked.moment, progress=self._progress)
        self._learn(url=fetched.url, redirects=fetched.redirects)
        self._learn(raw_sha256=fetched.sha256, arrived=arrival(fetched))
        self._learn(status=fetched.status, raw_bytes=fetched.size)
        if good is not None and self._tells_all(good):
            refuse_old_news(feed, asked, good.as_of, good.as_of)
            return self._unchanged(good)
        arrived = arrive(fetched, feed, self._archive.arrived, self._progress)
        self._archive.quarantined(fetched.sha256, arrived.checked.quarantine)
        snapshot = arrived.snapshot(feed, asked, self._last)
        self._learn(digest=snapshot.digest, as_of=snapshot.as_of, rows=snapshot.rows)
        self._learn(invalid=snapshot.invalid, repeated=snapshot.repeated)
        refuse_old_news(feed, asked, snapshot.as_of, good.as_of if good else None)
        differs = self._compare(arrived)
        judgement = self._judge(arrived, differs)
        if judgement.verdict == "refuse":
            raise FeedRefused(judgement.reason)
        entry = self._entry
        snapshot = replace(
            snapshot,
            added=entry.added,
            removed=entry.removed,
            changed=entry.changed,
            warnings=judgement.warnings,
        )
        if judgement.verdict == "hold":
            self._hold(snapshot)
            raise FeedHeld(judgement.reason)
        if self._last is not None and self._last.digest == snapshot.digest:
            return self._unchanged(entry)
        self._progress.stage("publish")
        return accept(self._archive, self._archive.take(snapshot), differs, self._outlet)

    def _learn(self, **facts: Any) -> None:  # noqa: ANN401 - as replace() has it
        """Remember for the journal what is known by now."""
        self._entry = replace(self._entry, **facts)

    def _tells_all(self, good: Entry) -> bool:
        """Tell whether these bytes were read before, as they would be now, and made the last good list."""
        entry, place = self._entry, self._feed.as_of
        same = (good.raw_sha256, good.reading) == (entry.raw_sha256, entry.reading)
        return same and (place is None or place.response is None)

    def _compare(self, arrived: Arrived) -> Difference:
        self._progress.stage("compare")
        last, key, rows = self._last, self._feed.key, pl.scan_parquet(self._archive.arrived)
        if last is None:
            differs = first(rows, key=key)
        elif last.digest == arrived.digest:
            differs = none()
        else:
            before = self._archive.rows(last)
            differs = difference(before, rows, key=key, was=last.key, identity=self._feed.identity)
        self._learn(added=len(differs.added), removed=len(differs.removed), changed=len(differs.changed))
        return differs

    def _judge(self, arrived: Arrived, differs: Difference) -> Judgement:
        checked, last = arrived.checked, self._last
        rejection = self._archive.rejection(arrived.digest)
        facts = Facts(
            rows=arrived.rows,
            invalid=checked.invalid,
            invalid_examples=checked.invalid_examples,
            repeated=checked.repeated,
            repeated_examples=checked.repeated_examples,
            events=compare(arrived.names, columns_before(last, arrived, self._feed), self._feed),
            warnings=checked.warnings(),
            as_of=arrived.as_of,
            today=moment_of(self._asked.moment).date(),
            rejection=Rejection(actor=rejection.actor, note=rejection.note) if rejection else None,
            before=last.rows if last else None,
            before_as_of=self._good.as_of if self._good else None,
            added=len(differs.added),
            removed=len(differs.removed),
            changed=len(differs.changed),
        )
        judgement = judge(facts, self._feed)
        reasons = tuple(each.words for each in judgement.objections)
        self._learn(reasons=reasons, warnings=judgement.warnings)
        return judgement

    def _hold(self, snapshot: Snapshot) -> None:
        """Let the list wait for a person, unless it does already."""
        waiting = self._archive.held()
        if waiting is not None and waiting.snapshot.digest == snapshot.digest:
            return
        self._learn(superseded=waiting.snapshot.digest if waiting else "")
        held = Held(
            snapshot=self._archive.take(snapshot),
            reasons=self._entry.reasons,
            formats=self._outlet.formats,
            publish=self._outlet.copies,
        )
        self._archive.hold(held)

    def _unchanged(self, known: Entry) -> Entry:
        """Note that the list is the last good one; one that was held is the source's no longer."""
        waiting = self._archive.held()
        self._learn(
            act="unchanged",
            digest=known.digest,
            as_of=known.as_of,
            rows=known.rows,
            invalid=known.invalid,
            repeated=known.repeated,
            warnings=known.warnings,
            superseded=waiting.snapshot.digest if waiting else "",
        )
        self._archive.note(self._entry)
        self._archive.release()
        complete(self._archive, self._outlet)
        return self._entry

    def _tidy(self) -> None:
        """Let go of what arrived long ago."""
        self._archive.arrived.unlink(missing_ok=True)
        held = self._archive.held()
        needed = {each.raw_sha256 for each in (self._archive.newest(), held and held.snapshot) if each}
        self._downloads.prune(self._feed.keep_downloads, needed)
        kept = {*needed, *(each.sha256 for each in self._downloads.all())}
        self._archive.prune(kept, self._feed.keep_snapshots)


def _act(error: FeedError) -> Act:
    if isinstance(error, FeedHeld):
        return "held"
    if isinstance(error, FeedRefused):
        return "refused"
    return "nothing_new" if isinstance(error, NothingNew) else "failed"
