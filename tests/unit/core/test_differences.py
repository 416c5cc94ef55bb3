"""Differences in parts: one is worked on while a thread reads the next."""

import threading
from contextlib import closing

import pytest

from everytick import differences
from everytick.differences import Differences
from everytick.errors import UsageError
from everytick.task import Inline, Task, read_definition
from everytick.when import schedule

PATIENCE = 15.0


def task(name: str) -> Task:
    return Task(name=name, schedule=schedule("every 10m"), work=Inline(call="none:none"))


def kept(names: str, broken: str = "") -> Differences:
    """Return differences that add tasks, some of which nobody can read."""
    found = Differences([], "us")
    found.keep((name, "add", "", "?" if name in broken else task(name).definition, 0) for name in names)
    return found


def threads() -> list[str]:
    """Return the names of the threads that read."""
    return [one.name for one in threading.enumerate() if one.name.startswith("reading")]


@pytest.mark.parametrize("names", ["", "a", "ab", "abc", "abcdefg"])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_all_come_in_order_in_parts_of_one_size(names: str, size: int) -> None:
    found = kept(names)
    parts = list(found.parts(size))
    assert [one for part in parts for one in part] == list(found)
    assert "".join(one.name for one in found) == names
    assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
    assert all(parts)


def test_the_next_part_is_read_while_one_is_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = threading.Event()

    def reading(name: str, origin: str, text: str) -> Task:
        if name == "d":
            assert [threading.current_thread().name] == threads()
            read.set()
        return read_definition(name, origin, text)

    monkeypatch.setattr(differences, "read_definition", reading)
    with closing(kept("abcdef").parts(2)) as parts:
        next(parts)
        assert read.wait(PATIENCE)


def test_what_cannot_be_read_is_told_behind_all_parts_before_it() -> None:
    seen: list[str] = []
    with pytest.raises(UsageError, match="the definition of task 'e' cannot be read"):
        seen.extend("".join(one.name for one in part) for part in kept("abcdefgh", "e").parts(2))
    assert seen == ["ab", "cd"]
    assert not threads()


def test_who_stops_early_reads_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def reading(name: str, origin: str, text: str) -> Task:
        names.append(name)
        return read_definition(name, origin, text)

    monkeypatch.setattr(differences, "read_definition", reading)
    with closing(kept("abcdefgh").parts(2)) as parts:
        next(parts)
    assert names == list("abcd")
    assert not threads()


def test_few_need_no_thread() -> None:
    with closing(kept("ab").parts(2)) as parts:
        assert len(next(parts)) == 2
        assert not threads()
