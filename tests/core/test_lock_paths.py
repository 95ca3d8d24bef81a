"""Hash locks over several hubs: by rule (c) alone, all legs of one lock with one deadline."""

from __future__ import annotations

from contextlib import suppress

import pytest

from perun.core.faults import NotAllowedNow
from perun.core.inputs import CommandInviteAgain
from perun.core.nanocontracts.hash_lock import CommandLock, CommandReveal
from perun.core.state import LegStatus
from perun.crypto.hashing import keccak
from perun.encoding.messages import Invite
from perun.types import InstanceId, Preimage, UnixTime, Wei

from .test_paths import LIFE, Row, let_time_pass, lives_with_a_loss, lives_with_a_stop, new_row

SECRET = Preimage(b"\x07" * 32)
AMOUNT = Wei(70)


def lock(row: Row) -> None:
    until = UnixTime(row.alice.node.books.chain.head_time + LIFE)
    route = tuple(hub.peer for hub in row.hubs[1:])
    hashed, random = keccak(SECRET), row.alice.random()
    row.alice.do(
        CommandLock(row.channels[0], AMOUNT, hashed, until, random, row.bob.peer, route=route)
    )
    row.world.settle()


def the_lock(row: Row) -> InstanceId | None:
    """The one that stands in Bob's channel."""
    for instance in row.bob.node.books.instances.values():
        if instance.legs[0].status is LegStatus.LISTED:
            return instance.id
    return None


def live(row: Row) -> int:
    """A whole life, as far as what goes wrong lets it; what Bob is owed then."""
    lock(row)
    id = the_lock(row)
    if id is None:
        return 0
    with suppress(NotAllowedNow):
        row.bob.do(CommandReveal(id, SECRET))
    row.world.settle()
    return AMOUNT


def assert_nobody_lost(row: Row, owed: int, where: str) -> None:
    gains = row.gains()
    assert row.listed() == [0] * len(row.channels), where
    assert sum(gains) == 0, where
    assert all(gain >= 0 for gain in gains[1:-1]), f"{where}: a hub has lost, {gains}"
    assert gains[-1] >= owed, f"{where}: Bob was owed {owed} and has {gains}"
    assert -gains[0] <= AMOUNT, f"{where}: Alice locked {AMOUNT} and has {gains}"


@pytest.mark.parametrize("hubs", [2, 3])
def test_a_hash_lock_crosses_several_hubs_and_each_is_where_it_was(hubs: int) -> None:
    row = new_row(hubs)
    lock(row)
    assert row.listed() == [1] * len(row.channels)
    id = the_lock(row)
    assert id is not None
    row.bob.do(CommandReveal(id, SECRET))
    row.world.settle()
    assert row.listed() == [0] * len(row.channels)
    assert row.gains() == [-AMOUNT, *[0] * hubs, AMOUNT]


def test_an_invitation_that_was_lost_is_said_again_as_one_from_far() -> None:
    row = new_row(2)
    row.world.network.lose(Invite)
    lock(row)
    assert row.listed() == [0, 0, 0]
    row.world.network.rule = None
    (held,) = row.alice.node.books.invitations
    row.alice.do(CommandInviteAgain(held))
    row.world.settle()
    assert row.listed() == [1, 1, 1]


def test_a_lock_that_nobody_opens_comes_back_along_the_whole_path() -> None:
    row = new_row(2)
    lock(row)
    assert row.listed() == [1, 1, 1]
    let_time_pass(row)
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [0, 0, 0, 0]


def test_any_one_lost_message_costs_nobody_anything() -> None:
    for row, owed, where in lives_with_a_loss(2, live):
        let_time_pass(row)
        assert_nobody_lost(row, owed, where)


@pytest.mark.parametrize("who", range(4))
def test_any_party_may_stop_at_any_message_and_come_back(who: int) -> None:
    for row, owed, where in lives_with_a_stop(2, who, live):
        let_time_pass(row)
        assert_nobody_lost(row, owed, where)
