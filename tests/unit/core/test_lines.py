import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.config import parse
from everytick.differences import Differences, NameTaken
from everytick.errors import ConfigError
from everytick.lines import LONGEST, Lines
from everytick.policy import Overlap, Overlapping, Policies, Retry
from everytick.task import Call, Command, Task

FILE = Path("/srv/jobs/tasks.jsonl")
GOOD = {"name": "good", "schedule": "every 15m", "command": ["true"]}


def read(*lines: str | bytes | dict[str, Any]) -> list[Task]:
    """Return the tasks of these lines."""
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    whole = b"\n".join(text if isinstance(text, bytes) else text.encode() for text in texts)
    return list(Lines(io.BytesIO(whole), FILE, "us"))


def refused(*lines: str | bytes | dict[str, Any]) -> str:
    """Return what is said of lines of which some are no good."""
    with pytest.raises(ConfigError) as fault:
        read(*lines)
    return str(fault.value)


def test_each_line_is_a_task() -> None:
    first, second = read(
        GOOD
        | {
            "zone": "Asia/Kolkata",
            "directory": "work",
            "environment": {"A": "1"},
            "retry": {"attempts": 3},
            "overlap": "queue_one",
        },
        {"name": "b", "schedule": "0 6 * * mon-fri", "call": "jobs.py:go", "arguments": {"n": [1, None]}},
    )
    assert (first.name, first.origin, str(first.schedule)) == ("good", "us", "every 15m")
    assert first.work == Command(command=("true",), directory="/srv/jobs/work", environment={"A": "1"})
    assert first.policies == Policies(retry=Retry(3), overlap=Overlap(Overlapping.QUEUE_ONE))
    assert second.work == Call(call="/srv/jobs/jobs.py:go", arguments={"n": [1, None]})


words = st.fixed_dictionaries(
    {"schedule": st.sampled_from(["every 15m", "0 6 * * mon-fri", "@daily"])},
    optional={
        "zone": st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin"]),
        "queue": st.text("ab", min_size=1),
        "timeout": st.sampled_from(["30s", "1h"]),
        "priority": st.sampled_from(["high", "low"]),
        "pause_after": st.integers(1, 9),
    },
)


@given(words)
def test_a_line_means_what_a_table_of_the_configuration_means(table: dict[str, Any]) -> None:
    told = "\n".join(f"{word} = {json.dumps(value)}" for word, value in table.items())
    toml = f'origin = "us"\n[task.same]\ncommand = ["true"]\n{told}'
    (meant,) = parse(FILE.with_name("everytick.toml"), toml).tasks
    assert read({"name": "same", "command": ["true"]} | table) == [meant]


def test_empty_lines_and_a_byte_order_mark_are_no_matter() -> None:
    (task,) = read(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "", "  \r")
    assert task.name == "good"
    assert read("\n") == read("", "\n") == []


def test_a_file_without_any_line_is_refused() -> None:
    assert "jsonl:1: there is not one line" in refused()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "this is no JSON: Expecting property name enclosed in double quotes, at column 2"),
        ('{"name": "a"} {}', "this is no JSON: Extra data, at column 15"),
        ("[1]", "write each task as an object"),
        ("{}", 'this task has no name; write "name": "report" into the object'),
        ('{"name": 7}', "name: 7 is not a text"),
        ({"name": "a b", "schedule": "every 1m", "command": ["true"]}, "task 'a b': 'a b' cannot"),
        ({"name": "a", "command": ["true"]}, "task 'a' has no schedule; write schedule ="),
        (GOOD | {"schedule": "every fortnight"}, "task 'good': schedule: "),
        (GOOD | {"zone": "Asia/Calcuta"}, "task 'good': zone: "),
        (GOOD | {"timeuot": "5m"}, "task 'good': unknown key 'timeuot'; did you mean 'timeout'?"),
        (GOOD | {"timeout": None}, "task 'good': timeout: None is no duration"),
        (GOOD | {"call": "a:b"}, "task 'good': name what runs, once"),
        (b'{"name": "\xff"}', "this is not UTF-8; save it as such"),
        (json.dumps(GOOD | {"command": ["\ud800"]}), "this is not UTF-8"),
        ('{"name": "a", "name": "b"}', "'name' stands twice in one object; leave one out"),
        ('{"name": "a", "jitter": NaN}', "JSON has no NaN; write a number"),
        ("[" * 100_000, "this is no JSON that can be read: too deep or too long"),
        ('{"name": ' + "7" * 5_000 + "}", "this is no JSON that can be read: too deep or too long"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_used_is_told_with_file_and_line(
    line: str | bytes | dict[str, Any], said: str
) -> None:
    assert refused(GOOD, line).startswith(f"{FILE}:2: {said}")


def test_all_bad_lines_are_told_at_once() -> None:
    told = refused("[]", GOOD, {"name": "a"}, "", "7")
    assert [line.partition(" ")[0] for line in told.splitlines()[:-1]] == [f"{FILE}:{n}:" for n in (1, 3, 5)]
    assert told.splitlines()[-1] == "3 lines cannot be used"


def test_no_more_than_twenty_are_told() -> None:
    told = refused(*["{}"] * 1_000).splitlines()
    assert len(told) == 21
    assert told[-1] == "20 or more lines cannot be used"


def test_a_line_without_an_end_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b'{"name": "' + b"a" * 5 * LONGEST)
    with pytest.raises(ConfigError, match=f"{FILE}:1: this line is longer than 1,000,000 bytes"):
        list(Lines(file, FILE, "us"))
    assert file.tell() <= LONGEST + 1


def test_a_name_that_two_lines_have_is_told_with_both() -> None:
    good, other = json.dumps(GOOD), json.dumps(GOOD | {"name": "other"})
    lines = Lines(io.BytesIO(f"\n{good}\n\n{other}\n{good}".encode()), FILE, "us")
    with pytest.raises(NameTaken, match="two tasks are named 'good'; a name stands for one task") as fault:
        list(Differences(lines, "us").wanted())
    assert (lines.place(fault.value.first).number, lines.place(fault.value.second).number) == (2, 5)


def test_it_is_told_how_far_reading_is() -> None:
    heard: list[int] = []
    text = json.dumps(GOOD) + "\n"
    whole = "".join(text.replace("good", f"t{n:04}") for n in range(2_500))
    tasks = list(Lines(io.BytesIO(whole.encode()), FILE, "us", heard.append))
    assert len(tasks) == 2_500
    assert heard == [1_000 * (len(text) + 1), 2_000 * (len(text) + 1)]
