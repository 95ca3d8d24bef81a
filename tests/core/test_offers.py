"""Standing offers: Close and Withdraw [A8]; deposits and Opens on their way [B7, C5]."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign, SignItem
from perun.core.faults import NotAllowedNow, PeerNotAllowed
from perun.core.inputs import (
    CommandClose,
    CommandFund,
    CommandOffer,
    CommandPay,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.notices import ChannelEnded, ChannelRefused, CloseAgreed, WithdrawAgreed
from perun.core.rules.phases import Phase, phase
from perun.encoding.messages import AnswerClose, AnswerWithdraw, OfferClose, Propose
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, open_channel
from perun.types import ETH, ChannelId, Seconds, Wei

from .conftest import Pair


def paid(world: World, party: Party) -> int:
    return world.ledger.paid.get(party.account.address, 0)


def test_close_pays_both_in_one_transaction(pair: Pair) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    pair.world.settle()
    pair.bob.do(CommandClose(pair.channel))
    pair.world.settle()
    pair.world.advance()

    assert (paid(pair.world, pair.alice), paid(pair.world, pair.bob)) == (900, 1_100)
    assert pair.alice.told(ChannelEnded) == [ChannelEnded(pair.channel)]


def test_both_closing_at_once_ends_the_channel(pair: Pair) -> None:
    pair.alice.node.post([CommandClose(pair.channel)])
    pair.bob.node.post([CommandClose(pair.channel)])
    pair.world.settle()
    pair.world.advance()

    assert pair.alice.told(ChannelEnded)


def test_nothing_else_is_signed_while_a_close_is_alive(pair: Pair) -> None:
    pair.world.network.lose(AnswerClose)
    pair.alice.do(CommandClose(pair.channel))
    pair.world.settle()
    for party in (pair.alice, pair.bob):
        assert phase(party.node.books.channels[pair.channel], party.node.books.chain) is (
            Phase.CLOSING
        )
        with pytest.raises(NotAllowedNow, match="closing"):
            party.do(CommandTransfer(pair.channel, Wei(1)))
        with pytest.raises(NotAllowedNow, match="closing"):
            party.do(CommandFund(pair.channel, Wei(1)))


def test_close_that_nobody_mines_lapses_in_a_final_block(pair: Pair) -> None:
    pair.world.network.lose(OfferClose)
    pair.alice.do(CommandClose(pair.channel))
    pair.world.settle()
    pair.world.network.lose()
    pair.world.advance(310)
    pair.alice.do(CommandTransfer(pair.channel, Wei(1)))
    pair.world.settle()

    full = pair.bob.node.books.channels[pair.channel].agreed
    assert full is not None
    assert full.state.net == 1


def test_close_over_a_live_machine_is_not_signed(pair: Pair) -> None:
    add_machine(pair.world, pair.alice, pair.channel, 100, 0)
    with pytest.raises(NotAllowedNow, match="remove them first"):
        pair.alice.do(CommandClose(pair.channel))


def test_close_at_another_net_is_not_countersigned(pair: Pair) -> None:
    pair.world.network.held = []
    pair.alice.do(CommandClose(pair.channel))
    pair.world.network.release()
    pair.bob.node._inbox.clear()
    offer = pair.alice.node.books.channels[pair.channel].close
    assert offer is not None
    wrong = replace(offer.close, net=Wei(-500))
    signature = pair.alice.signer.sign_now(Sign((SignItem(pair.alice.key.address, wrong),)))[0]
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, OfferClose(wrong, signature))
    pair.world.settle([pair.bob])

    assert [type(error) for _, error in pair.bob.faults] == [PeerNotAllowed]
    assert not pair.bob.told(CloseAgreed)


def test_withdraw_pays_out_and_the_channel_goes_on(pair: Pair) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(400)))
    pair.world.settle()
    pair.bob.do(CommandWithdraw(pair.channel, Wei(1_300)))
    pair.world.settle()
    pair.world.advance()
    assert paid(pair.world, pair.bob) == 1_300
    assert pair.bob.node.books.channels[pair.channel].final.bob == -300

    pair.alice.do(CommandTransfer(pair.channel, Wei(600)))
    pair.world.settle()
    pair.alice.do(CommandClose(pair.channel))
    pair.world.settle()
    pair.world.advance()
    assert (paid(pair.world, pair.alice), paid(pair.world, pair.bob)) == (0, 2_000)


def test_a8_states_stay_solvent_with_a_live_withdraw(pair: Pair) -> None:
    pair.world.network.lose(AnswerWithdraw)
    pair.alice.do(CommandWithdraw(pair.channel, Wei(500)))
    pair.world.settle()
    assert len(pair.bob.node.books.channels[pair.channel].withdraws) == 1
    pair.alice.do(CommandTransfer(pair.channel, Wei(501)))
    pair.world.settle()
    assert pair.alice.node.books.channels[pair.channel].agreed is None

    pair.world.advance(310)
    pair.alice.do(CommandTransfer(pair.channel, Wei(501)))
    pair.world.settle()
    full = pair.bob.node.books.channels[pair.channel].agreed
    assert full is not None
    assert full.state.net == 501


def test_a8_withdraw_of_money_that_a_proposal_moves_is_not_signed(pair: Pair) -> None:
    pair.world.network.lose(Propose)
    pair.alice.do(CommandTransfer(pair.channel, Wei(700)))
    with pytest.raises(NotAllowedNow, match="solvent"):
        pair.alice.do(CommandWithdraw(pair.channel, Wei(400)))


def test_close_waits_for_a_deposit_on_its_way(pair: Pair) -> None:
    pair.alice.chain.mining = False
    pair.alice.do(CommandFund(pair.channel, Wei(50)))
    with pytest.raises(NotAllowedNow, match="deposit"):
        pair.alice.do(CommandClose(pair.channel))
    with pytest.raises(NotAllowedNow, match="deposit"):
        pair.alice.do(CommandWithdraw(pair.channel, Wei(1)))
    pair.alice.chain.mining = True
    pair.world.advance()
    pair.alice.do(CommandClose(pair.channel))


def test_top_up_adds_to_its_side_without_a_new_state(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 1_000, 0)
    pair.bob.do(CommandFund(pair.channel, Wei(50)))
    pair.world.advance()
    pair.alice.do(CommandPay(machine, Wei(3)))

    assert pair.alice.node.books.channels[pair.channel].final.bob == 1_050


# ---------------------------------------------------------------------------------------- openBoth


def hub_world(credit: int) -> tuple[World, Party, Party]:
    world = World()
    alice = world.party("alice", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(open_fee=Wei(7)))
    world.ledger.fund(ingrid.account.address, credit)
    world.advance()
    return world, alice, ingrid


def draw(world: World, alice: Party, ingrid: Party, amount: int, fee: int) -> ChannelId:
    alice.do(
        CommandOffer(
            ingrid.peer,
            ingrid.account.address,
            ETH,
            Seconds(600),
            alice.nonce(),
            Wei(1_000),
            Wei(amount),
            draw=True,
            fee=Wei(fee),
        )
    )
    world.settle()
    return list(alice.node.books.channels)[-1]


def test_first_state_that_a_slow_signer_had_not_signed_is_asked_for_again_after_a_start() -> None:
    """Nobody has heard of the offer yet, so nothing else would bring it back."""
    world, alice, ingrid = hub_world(5_000)
    alice.signer.slow = []
    id = draw(world, alice, ingrid, 2_000, 7)
    assert id not in ingrid.node.books.channels
    alice.signer.slow = None
    alice.restart()
    world.settle()
    world.advance()
    assert ingrid.node.books.channels[id].final.drawn


def test_open_both_funds_both_sides_and_pays_the_fee() -> None:
    world, alice, ingrid = hub_world(5_000)
    id = draw(world, alice, ingrid, 2_000, 7)
    world.advance()

    final = ingrid.node.books.channels[id].final
    assert (final.alice, final.bob, final.drawn) == (1_000, 2_000, True)
    full = ingrid.node.books.channels[id].agreed
    assert full is not None
    assert full.state.net == 7


def test_c5_open_without_fee_or_credit_is_refused() -> None:
    world, alice, ingrid = hub_world(1_500)
    draw(world, alice, ingrid, 1_000, 6)
    draw(world, alice, ingrid, 2_000, 7)

    reasons = [notice.reason for notice in alice.told(ChannelRefused)]  # type: ignore[attr-defined]
    assert reasons == ["the opening fee is 7", "our credit does not suffice"]


def test_c5_one_open_per_peer_and_their_sum_within_credit() -> None:
    world, alice, ingrid = hub_world(1_500)
    bob = world.party("bob", OPEN_HANDED)
    world.advance()
    alice.chain.mining = bob.chain.mining = False
    draw(world, alice, ingrid, 1_000, 7)
    draw(world, alice, ingrid, 100, 7)
    draw(world, bob, ingrid, 1_000, 7)

    assert [n.reason for n in alice.told(ChannelRefused)] == ["one Open at a time"]  # type: ignore[attr-defined]
    assert [n.reason for n in bob.told(ChannelRefused)] == ["our credit does not suffice"]  # type: ignore[attr-defined]


def test_hub_with_a_live_open_signs_no_close() -> None:
    world, alice, ingrid = hub_world(5_000)
    alice.chain.mining = False
    id = draw(world, alice, ingrid, 2_000, 7)
    with pytest.raises(NotAllowedNow, match="Open we signed"):
        ingrid.do(CommandClose(id))


def test_close_that_the_hub_leaves_aside_is_signed_once_its_open_has_lapsed() -> None:
    world, alice, ingrid = hub_world(5_000)
    id = draw(world, alice, ingrid, 2_000, 7)
    world.advance()
    assert ingrid.node.books.channels[id].opens
    alice.do(CommandClose(id))
    world.settle()
    assert not alice.told(CloseAgreed)

    world.until(lambda: bool(alice.told(ChannelEnded)))
    assert ingrid.told(CloseAgreed)


def test_withdraw_that_the_hub_leaves_aside_is_signed_once_its_open_has_lapsed() -> None:
    world, alice, ingrid = hub_world(5_000)
    id = draw(world, alice, ingrid, 2_000, 7)
    world.advance()
    assert ingrid.node.books.channels[id].opens
    alice.do(CommandWithdraw(id, Wei(100)))
    world.settle()
    assert not alice.told(WithdrawAgreed)

    world.until(lambda: bool(alice.told(WithdrawAgreed)))
    assert ingrid.told(WithdrawAgreed)


def test_channel_with_its_own_open_channel_helper_is_funded_in_turn() -> None:
    """Bob never puts in first: nothing of his is on its way before Alice's deposit is final."""
    world = World(lag=2)
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance(blocks=4)
    alice.chain.mining = False
    with pytest.raises(AssertionError, match="never became final"):
        open_channel(world, alice, bob, 10, 20)
    assert world.ledger.log == []
    alice.chain.mining = True
    world.advance(blocks=1)
    world.advance(blocks=4)
    world.advance(blocks=4)
    assert bob.channel(alice).head.bob in (0, 20)
