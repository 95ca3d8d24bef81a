"""Logs of one channel, brought in any order and as often as one likes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perun.bindings import events
from perun.bindings.logs import Log
from perun.chain.followed import FollowedChannel
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH
from tests.node.chain.conftest import ALICE, BOB, Site

WORLD = Site()
for _amount in range(1, 7):
    WORLD.open(ALICE if _amount % 2 else BOB, _amount)
    if _amount == 3:
        WORLD.act(ALICE, WORLD.withdrawal(1))  # twice read it would count twice
CONTRACT = WORLD.deployment.contract.contract
LAST = WORLD.chain.head.number
LOGS = ScriptedEndpoint(WORLD.chain).logs((CONTRACT,), 0, LAST)


def channel() -> FollowedChannel:
    tables = {CONTRACT: events.MS_CONTRACT}
    return FollowedChannel(WORLD.id, ETH, WORLD.deployment, tables)


def between(first: int, last: int) -> list[Log]:
    return [log for log in LOGS if first <= log.block <= last]


@given(st.integers(0, LAST), st.lists(st.integers(0, LAST), max_size=6), st.integers(0, LAST))
def test_all_ways_of_reading_end_alike(begun: int, starts: list[int], settled: int) -> None:
    """Live from a block on, the past later; recent blocks again and again; old ones let go."""
    item = channel()
    item.take(begun, between(begun + 1, LAST))
    past = between(0, begun)
    for start in starts:
        item.take(min(start, begun), between(min(start, begun) + 1, LAST))
    item.prepend(past)
    floor = min([begun, *starts])
    item.settle(min(settled, floor))
    whole = channel()
    whole.replace(LOGS)
    assert item.head() == whole.head()
    for number in range(min(settled, floor), LAST + 1):
        assert item.final(number) == whole.final(number)


def test_what_a_reorganisation_takes_back_is_gone() -> None:
    item = channel()
    item.replace(LOGS)
    item.take(2, ())
    assert item.head() == item.final(2)
    assert item.head().alice + item.head().bob == 3
