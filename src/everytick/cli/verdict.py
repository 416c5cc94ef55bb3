"""What became of a list, in words: of a refresh's summary, and of a line of a feed's journal."""

import re
from collections.abc import Mapping
from typing import Any

from everytick.feeds.archive.journal import Arrival, Entry

_SAME: Mapping[Arrival | None, str] = {
    "not_modified": "not modified",
    "same_bytes": "same bytes",
    "other_bytes": "other bytes, same list",
}
_UNCHANGED: Mapping[Arrival | None, str] = {
    "not_modified": "unchanged: the source has nothing newer (304, not modified)",
    "same_bytes": "unchanged: the same bytes came again",
    "other_bytes": "unchanged: other bytes came, and they are the same list",
}
_DONE = {"published", "unchanged"}
_KINDS = {
    "FetchFailed": "",
    "ExtractFailed": "",
    "NothingNew": "",
    "FeedRefused": "refused: ",
    "FeedHeld": "held: ",
}
_ADDRESS = re.compile(r"^https?://\S+?:? ")
_WHOLE = {
    "FetchFailed": "failed: the list did not arrive whole",
    "ExtractFailed": "failed: what arrived is not the list that the feed describes",
}


def is_summary(value: Mapping[str, Any]) -> bool:
    """Tell whether the result of a tick is that of a feed's refresh."""
    return value.get("verdict") in _DONE and isinstance(value.get("rows"), int) and "snapshot" in value


def in_short(summary: Mapping[str, Any]) -> str:
    """Return the result of a refresh in one line, the verdict first: ``published, 2,003 rows, +3 -2 ~1``."""
    told = [str(summary["verdict"])]
    if told[0] == "unchanged" and summary.get("arrived") in _SAME:
        told[0] += f" ({_SAME[summary['arrived']]})"
    told.append(f"{summary['rows']:,} rows")
    if summary["verdict"] == "published":
        told.append("+{added:,} -{removed:,} ~{changed:,}".format(**summary))
    if summary.get("as_of"):
        told.append(f"of {summary['as_of']}")
    told += [f"{summary[kind]:,} {kind}" for kind in ("invalid", "repeated") if summary.get(kind)]
    told += [f"warning: {words}" for words in summary.get("warnings") or ()]
    return ", ".join(told)


def refreshed(summary: Mapping[str, Any]) -> str:
    """Return the result of a refresh in a sentence."""
    differs = "{added:,} added, {removed:,} removed, {changed:,} changed".format(**summary)
    of = f", of {summary['as_of']}" if summary.get("as_of") else ""
    listed = f"snapshot {summary['snapshot']}, {summary['rows']:,} rows{of}"
    if summary["verdict"] == "unchanged":
        return f"{_UNCHANGED.get(summary.get('arrived'), 'unchanged')}; {listed} is still the list"
    same = summary["snapshot"] > 1 and not (summary["added"] or summary["removed"] or summary["changed"])
    if same:
        differs += ": the same keys, and what differs is in columns that are not compared"
    return f"published: {listed}; {differs}"


def act(entry: Entry) -> str:
    """Return what a line of the journal came to, in a few words."""
    match entry.act:
        case "approved" | "rejected":
            return f"{entry.act} by {entry.actor}"
        case "unchanged":
            return f"unchanged ({_SAME[entry.arrived]})" if entry.arrived else "unchanged"
        case "nothing_new":
            return "nothing new"
        case _:
            return entry.act


def sentence(entry: Entry) -> str:
    """Return what a line of the journal came to, to stand before its reasons."""
    match entry.act:
        case "held":
            return "held: it differs too much to be published unseen"
        case "refused":
            return "refused: it is no list to believe"
        case "nothing_new":
            return "nothing new: it is the list of before, and a newer one was due"
        case "failed":
            return _WHOLE.get(entry.kind, "failed")
        case "unchanged":
            return _UNCHANGED.get(entry.arrived, "unchanged")
        case "published":
            same = entry.sequence != 1 and not (entry.added or entry.removed or entry.changed)
            rest = ", with the same keys; what differs is in columns that are not compared" if same else ""
            return f"published as snapshot {entry.sequence}{rest}"
        case "approved":
            return f"{entry.actor} approved it, and it was published as snapshot {entry.sequence}"
        case "rejected":
            return f"{entry.actor} rejected it: this very list is refused from then on"


def briefly(reasons: str) -> str:
    """Return reasons without the address at their begin, which is long and the same each time."""
    return plain(_ADDRESS.sub("", reasons))


def complaint(error: str) -> str:
    """Return why a refresh published nothing, from the error of its tick: short, what matters first."""
    kind, _, words = error.partition(": ")
    if kind not in _KINDS:
        return plain(error)
    return _KINDS[kind] + briefly(words)


def plain(text: str) -> str:
    """Return foreign text with nothing in it that a terminal would obey."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
