"""Judge: the zone files themselves. Every change of every zone since 1970 is found, and no other."""

import struct
from pathlib import Path
from zoneinfo import TZPATH, available_timezones

from everytick.when.walltime import zone_named

HEADER = struct.Struct(">4sc15x6l")


def changes_in_file(name: str) -> list[tuple[int, int]] | None:
    """Return (second, offset) of each change that a compiled zone file lists (RFC 8536); None if absent."""
    paths = (Path(folder, name) for folder in TZPATH)
    data = next((path.read_bytes() for path in paths if path.is_file()), None)
    if data is None:
        return None
    _, _, utc, standard, leaps, times, types, letters = HEADER.unpack_from(data)
    start = HEADER.size + times * 5 + types * 6 + letters + leaps * 8 + standard + utc
    _, _, _, _, _, times, types, _ = HEADER.unpack_from(data, start)
    start += HEADER.size
    seconds = struct.unpack_from(f">{times}q", data, start)
    kinds = struct.unpack_from(f">{times}B", data, start + times * 8)
    offsets = [struct.unpack_from(">l", data, start + times * 9 + kind * 6)[0] for kind in range(types)]
    changes = []
    offset = offsets[0]
    for second, kind in zip(seconds, kinds, strict=True):
        if offsets[kind] != offset and second >= 0:
            changes.append((second, offsets[kind]))
        offset = offsets[kind]
    return changes


def test_every_change_that_a_zone_file_lists_is_found_and_no_other() -> None:
    judged: dict[tuple[tuple[int, int], ...], str] = {}
    for name in available_timezones():
        changes = changes_in_file(name)
        if changes:
            judged.setdefault(tuple(changes), name)
    assert len(judged) > 200
    for told, name in judged.items():
        found = [(change.second, change.offset) for change in zone_named(name).changes(0, told[-1][0] + 1)]
        assert found == list(told), name
