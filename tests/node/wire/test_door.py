"""Who has to go when there is no room."""

from __future__ import annotations

import pytest

from perun.wire.codes import Code
from perun.wire.door import Door, DoorLimits, group_of


class Caller:
    def __init__(self) -> None:
        self.code: Code | None = None

    def leave(self, code: Code, reason: str) -> None:
        self.code = code


def come(door: Door, address: str, now: float) -> Caller:
    caller = Caller()
    door.arrive(caller, address, now)
    return caller


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (group_of(one) == group_of(other)) is same


def test_where_it_is_full_one_of_the_greedy_goes_at_once() -> None:
    door = Door(DoorLimits(new=4, new_per_address=3))
    greedy = [come(door, "192.0.2.1", 0.0) for _ in range(3)]
    modest = come(door, "192.0.2.2", 0.0)
    another = come(door, "192.0.2.3", 0.0)
    assert [caller.code for caller in greedy] == [Code.FULL, None, None]
    assert modest.code is another.code is None
    assert door.new == 4


def test_where_all_are_alike_those_who_are_at_it_are_left_alone_for_a_moment() -> None:
    door = Door(DoorLimits(new=2, grace=0.5))
    first, second = (come(door, f"192.0.2.{number}", 0.0) for number in (1, 2))
    assert come(door, "192.0.2.3", 0.4).code is Code.FULL
    assert first.code is None
    assert come(door, "192.0.2.4", 0.6).code is None
    assert (first.code, second.code, door.new) == (Code.FULL, None, 2)


def test_of_one_address_too() -> None:
    door = Door(DoorLimits(new_per_address=1, grace=0.5))
    first = come(door, "192.0.2.1", 0.0)
    assert come(door, "192.0.2.1", 0.1).code is Code.CROWDED
    assert come(door, "192.0.2.1", 1.0).code is None
    assert first.code is Code.CROWDED


def test_those_who_are_late_go() -> None:
    door = Door(DoorLimits(seconds=10))
    late, early = come(door, "192.0.2.1", 0.0), come(door, "192.0.2.1", 5.0)
    door.sweep(11.0)
    assert (late.code, early.code) == (Code.LATE, None)
    assert door.turned_away == 1
