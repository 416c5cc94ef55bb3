"""Values from free text: as a list, and as ``everytick extract`` searches."""

import re
from collections.abc import Sequence
from typing import Literal

from everytick.errors import EverytickError, ExtractFailed
from everytick.feeds.extract import Extracted, extract, text

from . import lists, path
from .judge import WHITE
from .target import Target, refused

PATTERNS = [
    r'"isin"[ \t\n]*:[ \t\n]*"(?P<ISIN>[^"]*)"(?:,[ \t\n]*"name"[ \t\n]*:[ \t\n]*"(?P<NAME>[^"]*)")?',
    r"(?P<ISIN>[A-Z]{2}[A-Z0-9]{9}[0-9])",
    r"(?m)^(?P<NAME>.*?)[;,](?P<ISIN>[^;,]*)$",
]

SEARCHED = [r'"id":([0-9]+)', r"[A-Z]{2}[A-Z0-9]+", r"(?P<x>[0-9]+)[.](?:[0-9]+)"]
"""Patterns that mean the same to the standard library."""

KINDS: Sequence[Literal["int", "float"] | None] = (None, "int", "float")


def run(body: bytes) -> str:
    """Find a list in free text; the standard library must find the same."""
    verdict = "refused"
    for pattern in PATTERNS:
        feed = lists.described(
            {
                "key": "ISIN",
                "format": "text",
                "pattern": pattern,
                "check": "isin",
                "max_invalid": "50%",
                "encoding": ["utf-8", "latin-1"],
            }
        )
        try:
            extracted = extract(body, feed, {})
        except ExtractFailed as refusal:
            refused(refusal)
            continue
        verdict = path.go(body, feed)
        _matches_stand_there(extracted, pattern, _decoded(body))
    return verdict


def _matches_stand_there(extracted: Extracted, pattern: str, plain: str) -> None:
    frame, matches = extracted.frame, [*re.finditer(pattern, plain)]
    keys, expected = frame.get_column("ISIN").to_list(), [match["ISIN"].strip(WHITE) for match in matches]
    assert keys == expected, "keys differ"
    if "NAME" in frame.columns:
        assert frame.get_column("NAME").to_list() == [match["NAME"] or "" for match in matches], (
            "names differ"
        )
    lines = extracted.lines_of(frame.with_row_index("\0").get_column("\0")).to_list()
    assert lines == [plain.count("\n", 0, match.start()) + 1 for match in matches], "lines differ"


def _decoded(body: bytes) -> str:
    try:
        return body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def texts() -> Sequence[bytes]:
    pairs = [("US0378331005", "Apple"), ("INE144J01028", "20 Microns"), ("XS0971721963", "é")]
    return [
        "".join(f'{{"isin": "{isin}", "name": "{name}"}},\n' for isin, name in pairs).encode(),
        "".join(f"{name};{isin}\n" for isin, name in pairs).encode("latin-1"),
        *lists.heads("orders/*.json"),
        *(body[:3000] for body in lists.heads("firds/*.xml")),
    ]


def search(body: bytes) -> str:
    """Search free text as ``everytick extract`` does: kind and pattern on the first line, then the text."""
    head, _, rest = body.partition(b"\n")
    pattern = head[1:80].decode("utf-8", "replace")
    if re.search(r"\{[0-9, ]{3,}|\{[0-9,].*\{[0-9,]", pattern):
        return "passed over"  # it would be written out; the command, not the library, bounds its memory
    kind = KINDS[head[0] % 3] if head else None
    try:
        found = text.matches(pattern, text.decode(rest, "stdin"), as_=kind, timeout=0.05)
    except EverytickError as refusal:
        return refused(refusal)
    if pattern in SEARCHED:
        matches = re.finditer(pattern, rest.decode().removeprefix("\ufeff"))
        values = [match[1] if match.re.groups else match[0] for match in matches]
        assert found in (values, [float(value) for value in values if kind]), "other values are found"
    return "found"


def searches() -> Sequence[bytes]:
    """Return each pattern with each kind, then some that ask for trouble."""
    order = b'{"orders":[{"id":1},{"id":2.5}]} aaaaaaaaaaaaaaaaaaaab INE144J01028\n'
    patterns = [*SEARCHED, r"(?i)(?<!a)\bx(?=y)|(z)?", r"(a+)+$", "(?P<x>"]
    return [f"{kind}{pattern}\n".encode() + order for kind in range(3) for pattern in patterns]


FREE = Target(run=run, seeds=texts)
SEARCH = Target(run=search, seeds=searches)
