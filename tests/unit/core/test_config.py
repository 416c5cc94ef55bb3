import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from everytick.config import Config, load, parse
from everytick.errors import ConfigError, UsageError
from everytick.feeds import tasks as feed_tasks
from everytick.policy import Overlap, Overlapping, Policies, Retry
from everytick.task import Call, Command, Inline

FILE = Path("/srv/jobs/everytick.toml")
S = 1_000_000


def read(text: str) -> Config:
    return parse(FILE, text)


def test_it_says_what_holds_where_it_says_nothing() -> None:
    config = read("")
    assert config.ledger == "sqlite:////srv/jobs/everytick.db"
    assert config.origin == str(FILE)
    assert config.data == Path("/srv/jobs/everytick-data")
    assert (config.runner.limit, config.runner.queues) == (8, ("default",))
    assert (config.runner.grace, config.runner.lease) == (30 * S, 10 * S)
    assert config.tasks == ()
    assert config.feeds == {}


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    file = tmp_path / "everytick.toml"
    file.write_text('data = "lists"\n', "utf-8-sig")
    assert load(file).data == tmp_path / "lists"


def test_every_key_of_the_top_and_of_the_runner_is_read() -> None:
    config = read("""
        ledger = "sqlite:////var/ticks.db"
        origin = "us"
        data = "lists"
        [runner]
        limit = 3
        queues = ["a", "b"]
        grace = "5s"
        lease = "20s"
        [feed.x]
        url = "http://127.0.0.1/x"
    """)
    assert config.ledger == "sqlite:////var/ticks.db"
    assert config.origin == "us"
    assert config.data == Path("/srv/jobs/lists")
    assert (config.runner.limit, config.runner.queues) == (3, ("a", "b"))
    assert (config.runner.grace, config.runner.lease) == (5 * S, 20 * S)
    assert config.feeds == {"x": {"url": "http://127.0.0.1/x"}}


def test_every_key_of_a_task_is_read() -> None:
    report, call, inline = read("""
        origin = "us"
        [task.report]
        command = ["sh", "-c", "make-report"]
        directory = "work"
        environment = { LANG = "C", EMPTY = "" }
        schedule = "0 6 * * mon-fri"
        zone = "Asia/Kolkata"
        overlap = "queue_one"
        retry = 3
        timeout = "10m"
        [task.call]
        call = "package.module:function"
        arguments = { deep = [1, { a = 1.5 }] }
        schedule = "every 15m"
        [task.inline]
        inline = "jobs.py:function"
        schedule = "@daily"
    """).tasks
    assert report.work == Command(
        command=("sh", "-c", "make-report"),
        directory="/srv/jobs/work",
        environment={"LANG": "C", "EMPTY": ""},
    )
    assert str(report.schedule) == "0 6 * * mon-fri in Asia/Kolkata"
    assert report.origin == "us"
    assert report.policies == Policies(
        overlap=Overlap(Overlapping.QUEUE_ONE), retry=Retry(3), timeout=600 * S
    )
    assert call.work == Call(call="package.module:function", arguments={"deep": [1, {"a": 1.5}]})
    assert call.policies == Policies()
    assert inline.work == Inline(call="/srv/jobs/jobs.py:function")


TASK = '[task.x]\ncommand = ["ls"]\nschedule = "every 5s"\n'


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("ledger = 5", 1, "ledger: 5 is not a text"),
        ('\nledger = "mysql://x"', 2, "ledger: 'mysql' names no ledger"),
        ('ledger = ""', 1, "ledger: '' is not a text"),
        ("origin = 5", 1, "origin: 5 is not a text"),
        ("data = []", 1, "data: [] is not a text"),
        ("runner = 5", 1, "runner: 5 is not a table"),
        ("\nleger = 5", 2, "unknown key 'leger'; did you mean 'ledger'?"),
        ("[tasks.x]\na = 1", 1, "unknown key 'tasks'; did you mean 'task'?"),
        ("[[tasks]]\na = 1", 1, "unknown key 'tasks'; did you mean 'task'?"),
        ("[runner]\nlimt = 5", 2, "runner: unknown key 'limt'; did you mean 'limit'?"),
        ("[runner]\nlimit = 0", 2, "runner: limit: 0 is not a whole number"),
        ("[runner]\nqueues = 5", 2, "runner: queues: 5 is not a list of texts"),
        ("[runner]\n\nqueues = []", 3, "runner: queues: [] is not a list of texts"),
        ('[runner]\nlease = "1s"', 2, "runner: lease: it must be at least 2s"),
        ('[runner]\ngrace = "1"', 2, "runner: grace: A duration is written like"),
        ("task = 5", 1, "write each task as a table of its own: [task.NAME]"),
        ("[task]\nx = 5", 2, "write each task as a table of its own"),
        ("[[task]]\nx = 5", 1, "write each task as a table of its own"),
        ("[[feed]]\nx = 5", 1, "write each feed as a table of its own"),
        ('[task.x]\ncommand = ["ls"]', 1, "task 'x' has no schedule"),
        ('[task.x]\nschedule = "@daily"', 1, "name what runs, once"),
        (TASK + 'call = "a:b"', 1, "name what runs, once"),
        (TASK + "arguments = {}", 4, "'arguments' does not go with 'command'"),
        (
            '[task.x]\ncall = "a:b"\nschedule = "@daily"\ndirectory = "a"',
            4,
            "'directory' does not go with 'call'",
        ),
        (TASK + "\nretrys = 1", 5, "unknown key 'retrys'; did you mean 'retry'?"),
        (TASK + "http = {}", 4, "HTTP requests come in a later release"),
        (TASK + "retry = { attempt = 5 }", 4, "retry: unknown key 'attempt'; did you mean 'attempts'?"),
        (TASK + 'timeout = "10q"', 4, "timeout: A duration is written like"),
        (TASK + "timeout = nan", 4, "timeout: nan is no duration"),
        (TASK + "zone = 5", 4, "zone: 5 is not a text"),
        (TASK + 'zone = "Europe/Berln"', 4, "did you mean Europe/Berlin?"),
        (TASK + 'environment = { "A=B" = "c" }', 4, "environment: 'A=B' cannot name a variable"),
        (TASK + "environment = { A = 5 }", 4, "environment: A = 5 is not a text"),
        (TASK + "environment = 5", 4, "environment: 5 is not a table"),
        (TASK + "directory = 5", 4, "directory: 5 is not a text"),
        ('[task.x]\nschedule = "every 5q"\ncommand = ["ls"]', 2, "schedule: A duration is written like"),
        ('[task.x]\nschedule = 5\ncommand = ["ls"]', 2, "schedule: 5 is not a text"),
        ('[task.x]\nschedule = "0 0 30 2 *"\ncommand = ["ls"]', 2, "schedule: No year has such a day"),
        ('[task.x]\nschedule = "@daily"\ncommand = "ls"', 3, "command: a command is a list"),
        ('[task.x]\nschedule = "@daily"\ncommand = ["sleep", 5]', 3, "command: each part is a text"),
        ('[task.x]\nschedule = "@daily"\ncommand = ["a\\u0000"]', 3, "command: 'a\\x00' is not a text"),
        ('[task.x]\nschedule = "@daily"\ncall = "module"', 3, "call: 'module' names no function"),
        ('[task.x]\nschedule = "@daily"\ncall = 5', 3, "call: 5 is not a text"),
        ('[task.x]\nschedule = "@daily"\ninline = "a:"', 3, "inline: 'a:' names no function"),
        ('[task.x]\nschedule = "@daily"\ncall = "a:b"\narguments = 5', 4, "arguments: 5 is not a table"),
        (
            '[task.x]\nschedule = "@daily"\ncall = "a:b"\narguments = { day = 2026-01-01 }',
            4,
            "arguments: day = datetime.date(2026, 1, 1) is no JSON value",
        ),
        ('[task."x y"]\nschedule = "@daily"\ncommand = ["ls"]', 1, "'x y' cannot name a task"),
        ('task.x.schedule = "every 5q"\ntask.x.command = ["ls"]', 1, "A duration is written like"),
        ('[task]\nx.schedule = "every 5q"\nx.command = ["ls"]', 2, "A duration is written like"),
        (TASK + '[feed.x]\nurl = "http://a/"', 4, "a task of that name stands at line 1"),
        (TASK + "[task.x]\n", 4, "this is no TOML: Cannot declare ('task', 'x') twice"),
        ("a = ", 1, "this is no TOML"),
        ("\na = ", 2, "this is no TOML"),
        ("a = " + "[" * 5000, None, "this is no TOML that can be read"),
        (f"[runner]\nlimit = {'9' * 5000}", None, "this is no TOML that can be read"),
    ],
)
def test_a_fault_is_told_with_its_line_and_the_mend(text: str, line: int | None, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text)
    assert complaint in str(refused.value)
    assert str(refused.value).startswith(f"{FILE}:")
    assert refused.value.line == line


TWO_FEEDS = """\
[feed.x]
url = "http://a/"
key = "a"
publish = "a.csv"
[feed.y]
url = "http://a/"
key = "a"
"""


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ('[feed.x]\nkey = "ISIN"', 1, 'lacks "url"; write url ='),
        ('[feed.x]\nurl = "http://a/"\nkey = 5', 3, "key is not a text: 5"),
        ('[feed.x]\nurl = "http://a/"\nkey = "a"\nkeey = 1', 4, "unknown key 'keey'; did you mean 'key'?"),
        (
            '[feed.x]\nurl = "http://a/"\nkey = "a"\nmax_removed = { hold = "9%", refuse = "5%" }',
            4,
            "max_removed.hold is above refuse",
        ),
        ('[feed.x]\nurl = "http://a/"\nkey = "a"\nmax_removed = "5"', 4, "max_removed is no share: '5'"),
        ('[feed.x]\nurl = "ftp://a/"\nkey = "a"', 2, "url is no http or https URL"),
        ('[feed.x]\nurl = "http://a/"\nkey = "a"\nschedule = "every 5q"', 4, "A duration is written like"),
        ('[feed.x]\nurl = "http://a/"\nkey = "a"', 1, "feed 'x' has no schedule"),
        ('[feed."a b"]\nurl = "http://a/"\nkey = "a"', 1, "'a b' cannot name a feed"),
        (
            TWO_FEEDS + 'publish = ["b.csv", "c/../a.csv"]',
            8,
            "feed 'y': publish names 'c/../a.csv', where feed 'x' has its list",
        ),
        (
            '[feed.x]\nurl = "http://a/"\nkey = "a"\npublish = "feeds/y/current.csv"',
            4,
            "publish names 'feeds/y/current.csv', in the folder where Everytick keeps its own",
        ),
    ],
)
def test_a_fault_of_a_feed_is_told_alike(text: str, line: int, complaint: str) -> None:
    config = read(text)
    with pytest.raises(ConfigError) as refused:
        feed_tasks.tasks(config)
    assert complaint in str(refused.value)
    assert refused.value.line == line


scalars = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.sampled_from(["every 5s", "5s", "sqlite:///a.db", "a:b", "UTC", "allow", "@daily", "http://a/"])
)
words = st.sampled_from(
    [
        "ledger", "origin", "data", "runner", "limit", "queues", "grace", "lease", "command", "call",
        "inline", "arguments", "directory", "environment", "schedule", "zone", "retry", "overlap", "catch_up",
        "policy", "jitter", "timeout", "pause_after", "priority", "queue", "url", "key", "columns",
        "headers", "x",
    ]
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=6,
)
tables = st.dictionaries(words, values, max_size=5)
ready = st.builds(lambda table: {"schedule": "every 5s", "command": ["ls"]} | table, tables)
wholes = st.builds(
    lambda top, tasks, feeds: top | {"task": tasks, "feed": feeds},
    tables,
    st.dictionaries(st.text(max_size=5), tables | ready, max_size=2) | values,
    st.dictionaries(st.text(max_size=5), tables, max_size=2) | values,
)


def toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            '"' + "".join(f"\\U{ord(sign):08x}" for sign in value if not 0xD800 <= ord(sign) < 0xE000) + '"'
        )
    return str(value)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(whole=wholes)
@example(whole={"task": {"x": {"schedule": "every 5s", "command": ["ls"], "retry": {"on": 5}}}})
def test_no_values_make_it_stumble(whole: dict[str, Any]) -> None:
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in whole.items())
    tomllib.loads(text)
    _read_or_refused(text)


@settings(max_examples=300, deadline=None)
@given(text=st.text() | st.text(alphabet="[]{}=\"'.,#\n\\ taskrunerfdx05é"))
def test_no_text_makes_it_stumble(text: str) -> None:
    _read_or_refused(text)


def _read_or_refused(text: str) -> None:
    try:
        config = read(text)
        tasks = [*config.tasks, *feed_tasks.tasks(config)]
    except UsageError as refused:
        assert isinstance(refused, ConfigError)  # noqa: PT017 - either is right; another error is not
        assert refused.file == str(FILE)  # noqa: PT017 - and it names the file
    else:
        assert all(task.definition for task in tasks)
