"""After every start nothing is signed before the peer has shown its newest state [N9]."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import NotAllowedNow
from perun.core.inputs import (
    CommandAddMachine,
    CommandClose,
    CommandDispute,
    CommandOffer,
    CommandPay,
    CommandTransfer,
    CommandWithdraw,
    Connected,
)
from perun.core.meeting import on_connected
from perun.core.notices import ExitOnly, PaymentReceived, TransferDone, VirtualReady
from perun.core.state import LegStatus, Stage
from perun.encoding.messages import AcceptChannel, OfferChannel, ReadySigned, ShowState
from perun.store.memory import MemoryStore
from perun.testing.parties import LIMITS, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, instance
from perun.types import ETH, ChannelId, MachineId, Seconds, UnixTime, Wei

from .conftest import Pair, Trio
from .crafted import at, said


def is_met(party: Party, id: ChannelId) -> bool:
    return party.node.books.channels[id].met


def payment(pair: Pair) -> MachineId:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 100)
    pair.alice.do(CommandPay(machine, Wei(5)))
    pair.world.settle()
    return machine


@pytest.mark.parametrize("agreed", [False, True])
def test_nothing_is_signed_after_a_start_before_the_peer_has_shown_its_state(
    pair: Pair, agreed: bool
) -> None:
    machine = payment(pair) if agreed else None
    pair.world.network.lose(ShowState)
    pair.bob.restart()
    pair.world.settle()
    pair.world.advance()
    signed = pair.bob.signer.asked
    end = UnixTime(pair.world.ledger.time + 5_000)
    wishes = [
        CommandTransfer(pair.channel, Wei(1)),
        CommandAddMachine(pair.channel, Wei(9), Wei(0), end, Seconds(600), pair.bob.random()),
        CommandWithdraw(pair.channel, Wei(1)),
    ]
    wishes += [CommandPay(machine, Wei(1))] if machine else [CommandClose(pair.channel)]
    for wish in wishes:
        with pytest.raises(NotAllowedNow, match="has not shown"):
            pair.bob.do(wish)
    pair.alice.do(CommandTransfer(pair.channel, Wei(7)))
    pair.world.settle()
    for _ in range(3):
        pair.world.advance(LIMITS.patience + 1)
    assert pair.bob.signer.asked == signed

    # What was said meanwhile is answered once it has; and the peer was asked for it.
    pair.world.network.lose()
    pair.world.advance(LIMITS.patience + 1)
    assert is_met(pair.bob, pair.channel)
    pair.world.advance(LIMITS.patience + 1)
    assert pair.bob.told(TransferDone)
    pair.bob.do(wishes[0])
    pair.world.settle()
    assert len(pair.alice.told(TransferDone)) == 2


def test_statement_that_comes_before_is_counted_after(pair: Pair) -> None:
    machine = payment(pair)
    pair.world.network.lose(ShowState)
    pair.bob.restart()
    pair.world.settle()
    pair.alice.do(CommandPay(machine, Wei(6)))
    pair.world.settle()
    assert pair.bob.node.books.totals[machine].received == 5
    pair.world.network.lose()
    pair.alice.node.meet(pair.bob.peer)
    pair.world.settle()
    pair.world.advance()
    assert pair.bob.node.books.totals[machine].received == 11
    assert len(pair.bob.told(PaymentReceived)) == 2


def test_both_may_have_started_anew(pair: Pair) -> None:
    for party in (pair.alice, pair.bob):
        party.restart()
    pair.world.settle()
    pair.world.advance()
    assert is_met(pair.alice, pair.channel)
    assert is_met(pair.bob, pair.channel)
    pair.alice.do(CommandTransfer(pair.channel, Wei(7)))
    pair.world.settle()
    assert len(pair.bob.told(TransferDone)) == 1
    # Nobody answers an answer.
    assert len(pair.world.network.said(ShowState)) <= 6


def test_old_store_is_found_out_before_it_has_signed_anything(pair: Pair) -> None:
    """The whole disk was put back: nothing local can tell. Its own wish is what it would sign."""
    pair.alice.do(CommandTransfer(pair.channel, Wei(1)))
    pair.world.settle()
    assert isinstance(pair.bob.store, MemoryStore)
    old = pair.bob.store.copy()
    pair.bob.do(CommandTransfer(pair.channel, Wei(2)))
    pair.world.settle()
    old.exit_only = False
    signed = pair.bob.signer.asked
    pair.bob.restart(old)
    with pytest.raises(NotAllowedNow):
        pair.bob.do(CommandTransfer(pair.channel, Wei(3)))
    pair.world.settle()
    assert pair.bob.told(ExitOnly)
    assert pair.bob.signer.asked == signed


def test_what_was_asked_of_the_signer_is_asked_again_once_the_peer_is_met(pair: Pair) -> None:
    machine = payment(pair)
    pair.bob.signer.slow = []
    pair.bob.do(CommandPay(machine, Wei(1)))
    pair.bob.do(CommandTransfer(pair.channel, Wei(2)))
    pair.world.network.lose(ShowState)
    pair.bob.signer.slow = None
    signed = pair.bob.signer.asked
    pair.bob.restart()
    pair.world.settle()
    assert pair.bob.signer.asked == signed
    pair.world.network.lose()
    pair.bob.node.meet(pair.alice.peer)
    pair.world.settle()
    pair.world.advance()
    pair.world.advance(LIMITS.patience + 1)
    assert pair.alice.told(PaymentReceived)
    assert pair.alice.told(TransferDone)


def test_chain_hears_from_us_without_a_peer(pair: Pair) -> None:
    machine = payment(pair)
    pair.world.network.rule = lambda _letter: ()
    pair.bob.restart()
    pair.world.settle()
    pair.bob.do(CommandDispute(pair.channel))
    pair.world.advance()
    assert pair.world.ledger.channels[pair.channel].dispute is not None
    assert pair.world.ledger.instances[machine].paid_by_alice == 5


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_offer_is_agreed_on_although_one_side_starts_anew(who: str) -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    world.network.lose(AcceptChannel, *([OfferChannel] if who == "bob" else []))
    terms = (bob.peer, bob.account.address, ETH, Seconds(600), alice.nonce())
    alice.do(CommandOffer(*terms, Wei(100)))
    world.settle()
    world.network.lose()
    {"alice": alice, "bob": bob}[who].restart()
    for _ in range(4):
        world.advance(LIMITS.patience + 1)
    (mine,), (theirs,) = alice.node.books.channels.values(), bob.node.books.channels.values()
    assert (mine.stage, theirs.stage) == (Stage.JOINED, Stage.JOINED)
    assert mine.met
    assert theirs.met
    alice.do(CommandTransfer(mine.id, Wei(1)))
    world.settle()
    assert bob.told(TransferDone)


@pytest.mark.parametrize("who", ["alice", "ingrid", "bob"])
def test_virtual_channel_goes_on_after_anybodys_start(trio: Trio, who: str) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    assert trio.bob.told(VirtualReady)
    party: Party = getattr(trio, who)
    party.restart()
    trio.world.settle()
    trio.world.advance()
    for payer, payee in ((trio.alice, trio.bob), (trio.bob, trio.alice)):
        payer.do(CommandPay(machine, Wei(5)))
        trio.world.settle()
        assert len(payee.told(PaymentReceived)) == 1
    other = add_machine(trio.world, trio.bob, trio.right, 30, 20, trio.alice)
    assert instance(trio.alice, other).legs[0].status is LegStatus.LISTED


def test_nothing_is_said_again_of_what_is_over(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    known = instance(trio.alice, machine)
    for status, again in ((LegStatus.LISTED, True), (LegStatus.REMOVED, False)):
        draft = at(trio.alice)
        trio.alice.node.books.load(replace(known, legs=(replace(known.legs[0], status=status),)))
        on_connected(draft, Connected(trio.bob.peer))
        assert (ReadySigned in {type(message) for message in said(draft)}) is again


def test_hub_that_starts_between_its_two_signatures_waits_for_both_ends(trio: Trio) -> None:
    trio.ingrid.signer.slow = []
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.ingrid.signer.slow = None
    signed = trio.ingrid.signer.asked
    trio.world.network.lose(ShowState)
    trio.ingrid.restart()
    trio.world.settle()
    assert trio.ingrid.signer.asked == signed
    trio.world.network.lose()
    for end in (trio.alice, trio.bob):
        assert trio.ingrid.signer.asked == signed
        end.node.meet(trio.ingrid.peer)
        trio.world.settle()
    assert trio.ingrid.signer.asked >= signed + 2
    for leg in instance(trio.ingrid, machine).legs:
        assert leg.status is LegStatus.LISTED
