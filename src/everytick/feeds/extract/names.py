"""The names of columns: as they come, as a feed wants them, and what is wrong where they differ."""

from collections.abc import Sequence
from difflib import get_close_matches

from everytick.errors import ExtractFailed
from everytick.feeds.feed import Feed


def canonical(found: Sequence[str], feed: Feed) -> tuple[str, ...]:
    """Return the names as the feed has them: without spaces around them, aliases replaced.

    An alias counts only where the name that it stands for is not there; of several, the one named first.
    """
    names = tuple(name.strip() for name in found)
    for name, aliases in feed.aliases.items():
        alias = next((each for each in aliases if each in names), None)
        if name not in names and alias is not None:
            names = tuple(name if each == alias else each for each in names)
    return names


def keys(feed: Feed) -> tuple[str, ...]:
    """Return the columns that hold the keys."""
    return feed.key_from or (feed.key,)


def kept(names: Sequence[str], feed: Feed) -> tuple[str, ...]:
    """Return the columns to keep beside the key, in the order they are to have.

    Raises:
        ExtractFailed: One that is needed is missing or ambiguous.
    """
    for name in keys(feed):
        require(name, names)
    if feed.columns is None:
        others = [name for name in names if name not in keys(feed)]
    else:
        others = [name for name in feed.columns if name != feed.key or feed.key_from]
    for name in dict.fromkeys([*others, *(feed.identity or ())]):
        if name == feed.key:
            continue
        if name in names or feed.missing_columns == "refuse":
            require(name, names)
    return tuple(name for name in others if name in names and name != feed.key)


def require(name: str, names: Sequence[str]) -> None:
    """Refuse a list without a column, or with two of its name.

    Raises:
        ExtractFailed: The message names the nearest column, and those there are.
    """
    if name not in names:
        raise ExtractFailed(f"there is no column '{name}'{nearest(name, names)}; {listed(names)}")
    if names.count(name) > 1 or not name:
        what = f"'{name}' stands twice in the header" if name else "a column has no name"
        raise ExtractFailed(f'{what}; name the columns to keep in "columns"; {listed(names)}')


def nearest(name: str, names: Sequence[str]) -> str:
    """Return words that name the column most like one that is missing; nothing where none is."""
    plain = {squeezed(each): each for each in reversed(names) if each}
    near = get_close_matches(squeezed(name), plain, n=1, cutoff=0.5)
    return f"; the nearest is '{plain[near[0]]}'" if near else ""


def squeezed(name: str) -> str:
    """Return a name without what people vary: case, spaces, underscores and other marks."""
    return "".join(filter(str.isalnum, name.casefold())) or name


def listed(names: Sequence[str]) -> str:
    """Return words that name the columns there are."""
    shown = ", ".join(repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:40])
    return f"the columns found are: {shown}{', ...' if len(names) > 40 else ''}"
