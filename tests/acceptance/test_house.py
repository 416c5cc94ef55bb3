"""The picture of the house shows the rooms that there are, on the floors that are checked."""

import re
import tomllib

from .reader import ROOT

HOUSE = ROOT / "docs/why/house.md"
SOURCE = ROOT / "src/everytick"
ROOM = re.compile(r"\w+")


def drawn(number: int) -> list[str]:
    """Return the rooms of a picture, from the top; they stand left of what is said of them."""
    picture = HOUSE.read_text("utf-8").split("```")[2 * number + 1]
    lefts = [line.strip().split("  ")[0] for line in picture.splitlines() if not line.startswith(" " * 10)]
    return [room for left in lefts if "─" not in left for room in ROOM.findall(left)]


def there(folder: str = "") -> set[str]:
    """Return the modules and folders of a room."""
    return {
        one.stem
        for one in (SOURCE / folder).iterdir()
        if one.suffix in {".py", ""} and not one.name.startswith(("_", "."))
    }


def test_each_room_is_drawn_once_and_on_its_floor() -> None:
    rooms = drawn(0)
    assert sorted(rooms) == sorted(there())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    floors = [re.findall(r"everytick\.(\w+)", floor) for floor in contract["layers"]]
    floor_of = {room: number for number, floor in enumerate(floors) for room in floor}
    assert [floor_of[room] for room in rooms] == sorted(floor_of[room] for room in rooms)


def test_each_room_of_an_audit_and_of_a_life_is_drawn() -> None:
    folders = ("audit", "proof", "life")
    assert sorted(drawn(1)) == sorted([*folders, *(room for folder in folders for room in there(folder))])


def test_each_room_of_the_ledgers_is_drawn() -> None:
    rooms = {"sqlite", "postgres", "sql"} | there("ledgers/sqlite") | there("ledgers/postgres")
    assert set(drawn(2)) - {"ledgers", "migrations"} == rooms | there("ledgers")
