"""What is said to be absent of a callable's name: only what surely is, and without importing anything."""

import sys
from pathlib import Path

import pytest

from everytick.errors import UsageError
from everytick.executors.absent import absent
from everytick.executors.call import find

BOOM = "raise SystemExit('it was imported')\n"
FILES = {
    "shop_here/__init__.py": BOOM,
    "shop_here/prices.py": f"{BOOM}def refresh(): pass\nclass Feed:\n    def run(self): pass\n",
    "shop_here/deep/__init__.py": "",
    "shop_here/deep/down.py": "from shop_here.prices import refresh as again\n",
    "shop_star.py": "from shop_here.prices import *\n",
    "shop_lazy.py": "def __getattr__(name): return print\n",
    "shop_far/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    "shop_plain.py": "import no_such_library\ndef work(): pass\n",
    "script.py": "def work(): pass\n",
    "shop_space/one.py": "def work(): pass\n",
}


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of modules, the first on the path; to import most of them is an error."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "call",
    [
        "shop_here.prices:refresh",
        "shop_here.prices:Feed.run",
        "shop_here.prices:Feed.gone",  # what is in a class only an import tells
        "shop_here.deep.down:again",
        "shop_star:refresh",
        "shop_lazy:anything",
        "shop_far.elsewhere:work",
        "shop_plain:work",  # its import fails: that is a failure, not a lack
        "shop_space.one:work",
        "script.py:work",
        "json:dumps",
        "os.path:join",
        "math:floor",
        "itertools:count",
        "nonsense",
        ":x",
        "x:",
    ],
)
def test_what_may_be_there_is_not_absent(call: str) -> None:
    before = set(sys.modules)
    assert absent(call) is None
    assert not {name for name in set(sys.modules) - before if name.startswith("shop_")}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("shop_gone:work", "there is no module 'shop_gone'"),
        ("shop_gone.prices:work", "there is no module 'shop_gone'"),
        ("shop_here.gone:work", "there is no module 'shop_here.gone'"),
        ("shop_here.deep.gone.down:work", "there is no module 'shop_here.deep.gone'"),
        ("shop_plain.sub:work", "there is no module 'shop_plain.sub'"),
        ("shop_here.prices:gone", "'shop_here.prices' has no 'gone'"),
        ("shop_here.prices:refres", "'shop_here.prices' has no 'refres'"),
        ("gone.py:work", "there is no file 'gone.py'"),
        ("script.py:gone", "'script.py' has no 'gone'"),
    ],
)
def test_what_is_not_there_is_told_and_cannot_be_found_either(call: str, told: str) -> None:
    assert absent(call) == told
    with pytest.raises(UsageError):
        find(call)


def test_a_finder_that_fails_leaves_it_to_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, *_: object) -> None:
            raise RuntimeError("no")

    monkeypatch.setattr(sys, "meta_path", [Broken()])
    assert absent("shop_gone:work") is None


def test_what_comes_later_is_found_later(shop: Path) -> None:
    assert absent("shop_new:work") == "there is no module 'shop_new'"
    (shop / "shop_new.py").write_text("def work(): pass\n")
    assert absent("shop_new:work") is None
