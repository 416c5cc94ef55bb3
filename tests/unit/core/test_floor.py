"""From where on an index is read for what comes next."""

from itertools import pairwise

from everytick.ledgers.postgres.floor import CHEAP, LOWEST, MARGIN, Floor

NOW = 1_767_225_600_000_000
SECOND = 1_000_000
LINE = "default"
DEAR = CHEAP + 1
REST = 20 * DEAR


def looked(floor: Floor, begun: int, took: int, lowest: int | None = NOW - SECOND) -> int:
    """Look as a ledger does; return from where on."""
    found = floor.of(LINE)
    floor.found({LINE: lowest}, begun, begun + took)
    return found


def resting(floor: Floor, begun: int = NOW) -> int:
    """Look until whole looks are known to be dear; return when that was, by the server's clock."""
    floor.rise(NOW)
    while looked(floor, begun, DEAR) == LOWEST:
        begun += DEAR
    return begun


def test_where_whole_looks_are_cheap_each_is_whole() -> None:
    floor = Floor()
    floor.rise(NOW)
    assert {looked(floor, NOW + n * CHEAP, CHEAP) for n in range(100)} == {LOWEST}


def test_one_that_was_dear_is_no_rule() -> None:
    floor = Floor()
    floor.rise(NOW)
    assert {looked(floor, NOW + n * SECOND, DEAR * (n % 3)) for n in range(100)} == {LOWEST}


def test_where_they_are_dear_looks_begin_below_what_was_open_last() -> None:
    floor = Floor()
    begun = resting(floor)
    assert looked(floor, begun, 10, lowest=NOW - 5 * SECOND) == NOW - SECOND - MARGIN
    assert floor.of(LINE) == NOW - 5 * SECOND - MARGIN


def test_what_is_to_come_does_not_lift_it_above_the_moment() -> None:
    floor = Floor()
    begun = resting(floor)
    for lowest in (NOW + 30 * SECOND, None):
        looked(floor, begun, 10, lowest)
        assert floor.of(LINE) == NOW - MARGIN
    floor.rise(NOW - 7 * SECOND)
    looked(floor, begun, 10, None)
    assert floor.of(LINE) == NOW - 7 * SECOND - MARGIN


def test_a_line_that_was_not_looked_at_has_none() -> None:
    floor = Floor()
    resting(floor)
    assert floor.of("another") == LOWEST


def test_who_was_told_no_moment_looks_at_all() -> None:
    floor = Floor()
    assert {looked(floor, NOW + n * DEAR, DEAR) for n in range(10)} == {LOWEST}


def test_a_rest_is_twenty_times_what_the_look_took_and_one_dear_look_begins_the_next() -> None:
    floor = Floor()
    begun = resting(floor)
    looks = [looked(floor, begun + n * DEAR, 10 if floor.of(LINE) > LOWEST else DEAR) for n in range(200)]
    whole = [n for n, at in enumerate(looks) if at == LOWEST]
    assert len(whole) > 5
    assert {later - earlier for earlier, later in pairwise(whole)} == {22}


def test_a_rest_ends_where_the_server_s_clock_was_moved_back() -> None:
    floor = Floor()
    begun = resting(floor)
    assert looked(floor, begun - 3600 * SECOND, 10) > LOWEST
    assert floor.of(LINE) == LOWEST


def test_a_clock_that_leaps_during_a_look_brings_no_rest_of_days() -> None:
    floor = Floor()
    begun = resting(floor)
    leapt = begun + 2 * REST
    looked(floor, leapt, 10)
    assert looked(floor, leapt + 10, 86_400 * SECOND) == LOWEST
    woken = leapt + 86_400 * SECOND
    assert looked(floor, woken + 59 * SECOND, 10) > LOWEST
    assert looked(floor, woken + 60 * SECOND, 10) > LOWEST
    assert floor.of(LINE) == LOWEST


def test_the_look_that_follows_a_sign_is_whole_and_begins_the_next_rest() -> None:
    floor = Floor()
    begun = resting(floor)
    looks, signs = [], []
    for sign in (0, 0, 5, 5, 5, 5):
        looks.append(floor.of(LINE) == LOWEST)
        floor.found({LINE: NOW}, begun, begun + DEAR)
        signs.append(floor.signed(sign))
    assert looks == [False, False, False, True, False, False]
    assert signs == [False, False, True, False, False, False]


def test_one_cheap_look_ends_it() -> None:
    floor = Floor()
    begun = resting(floor)
    looked(floor, begun + 2 * REST, 10)
    assert looked(floor, begun + 2 * REST + 10, 10) == LOWEST
    assert {looked(floor, begun + 2 * REST + n, 10) for n in range(20, 100, 10)} == {LOWEST}
