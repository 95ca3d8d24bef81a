"""What standing offers, believed states and repeated offers do at the edges of their conditions."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.config import Policy
from perun.core.effects import Sign, SignItem, Watch
from perun.core.faults import PeerNotAllowed
from perun.core.inputs import CommandClose, CommandOffer, CommandTransfer, CommandWithdraw
from perun.core.notices import ChannelJoined, ExitOnly, TransferDone, WithdrawAgreed
from perun.core.rules.admission import FIRST
from perun.core.state import CloseOffer, Stage, StoreMark
from perun.encoding.messages import (
    AcceptChannel,
    AnswerClose,
    AnswerState,
    AnswerWithdraw,
    OfferChannel,
    OfferClose,
    Propose,
    RefuseChannel,
    decode,
)
from perun.errors import BadSignature
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, open_channel
from perun.types import ETH, Close, Seconds, Signature, State, UnixTime, Version, Wei

from .conftest import Pair

NO_LOSS = replace(OPEN_HANDED, greatest_loss=Wei(0))


def close_of(pair: Pair, **changes: object) -> Close:
    """What an honest Alice would sign, but for some fields."""
    until = UnixTime(pair.world.ledger.time + 300)
    return replace(Close(pair.channel, Wei(0), until), **changes)  # type: ignore[arg-type]


def offer_close(pair: Pair, close: Close, by: str = "alice") -> None:
    party = {"alice": pair.alice, "bob": pair.bob}[by]
    (signature,) = party.signer.sign_now(Sign((SignItem(party.key.address, close),)))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, OfferClose(close, signature))
    pair.world.settle([pair.bob])


def why_refused(party: Party) -> list[str]:
    return [str(error) for _, error in party.faults if isinstance(error, PeerNotAllowed)]


def said(pair: Pair, kind: type, by: Party) -> int:
    """How many messages of a kind somebody has sent."""
    return sum(
        isinstance(decode(frame), kind)
        for sender, _, frame in pair.world.network.seen
        if sender == by.peer
    )


# ------------------------------------------------------------------------------------------ close


def test_close_that_somebody_else_signed_is_not_answered(pair: Pair) -> None:
    offer_close(pair, close_of(pair), by="bob")
    assert [type(error) for _, error in pair.bob.faults] == [BadSignature]
    assert pair.bob.channel(pair.alice).close is None


@pytest.mark.parametrize(("seconds", "taken"), [(-1, False), (0, True), (600, True), (601, False)])
def test_close_lives_until_its_last_second_and_no_longer_than_a_challenge(
    pair: Pair, seconds: int, taken: bool
) -> None:
    until = UnixTime(pair.world.ledger.time + seconds)
    offer_close(pair, close_of(pair, valid_until=until))
    assert (pair.bob.channel(pair.alice).close is not None) is taken
    assert bool(why_refused(pair.bob)) is not taken


def test_close_that_pays_us_elsewhere_is_not_answered(pair: Pair) -> None:
    offer_close(pair, close_of(pair, to_credit=2))
    assert pair.bob.channel(pair.alice).close is None
    (why,) = why_refused(pair.bob)
    assert "not paid where we want" in why


def test_where_the_other_side_is_paid_is_its_own_affair(pair: Pair) -> None:
    offer_close(pair, close_of(pair, to_credit=1))
    assert pair.bob.channel(pair.alice).close is not None


def test_answered_close_has_both_signatures(pair: Pair) -> None:
    close = close_of(pair)
    offer_close(pair, close)
    known = pair.bob.channel(pair.alice).close
    assert known is not None
    signed = [pair.world.sign(party.key.address, close) for party in (pair.bob, pair.alice)]
    assert [known.own, known.peer] == signed


def test_exit_only_store_answers_no_close_without_its_user(pair: Pair) -> None:
    pair.bob.store.write([StoreMark(reason="put back")])
    pair.bob.restart()
    pair.world.advance()
    offer_close(pair, close_of(pair))
    assert pair.bob.channel(pair.alice).close is None
    assert any("our user has to decide" in why for why in why_refused(pair.bob))


def test_second_close_is_not_answered_while_the_first_is_alive(pair: Pair) -> None:
    first = close_of(pair)
    offer_close(pair, first)
    offer_close(pair, close_of(pair, valid_until=UnixTime(first.valid_until + 1)))
    known = pair.bob.channel(pair.alice).close
    assert isinstance(known, CloseOffer)
    assert known.close == first
    (why,) = why_refused(pair.bob)
    assert "a Close that we signed is alive" in why
    assert said(pair, AnswerClose, pair.bob) == 1


def test_same_close_again_gets_the_same_answer(pair: Pair) -> None:
    offer_close(pair, close_of(pair))
    offer_close(pair, close_of(pair))
    assert said(pair, AnswerClose, pair.bob) == 2
    assert why_refused(pair.bob) == []


def test_alices_close_is_answered_by_bob_whose_own_is_alive(pair: Pair) -> None:
    pair.world.network.lose(OfferClose)
    pair.bob.do(CommandClose(pair.channel))
    pair.world.settle()
    pair.world.network.lose()
    theirs = close_of(pair, valid_until=UnixTime(pair.world.ledger.time + 200))
    own = pair.bob.channel(pair.alice).close
    assert own is not None
    offer_close(pair, theirs)
    now = pair.bob.channel(pair.alice).close
    assert now is not None
    assert (now.close, now.proposer) == (theirs, False)
    assert now.alive_until == own.close.valid_until
    assert said(pair, AnswerClose, pair.bob) == 1


def test_first_reason_against_a_close_is_the_one_that_is_said(pair: Pair) -> None:
    """A machine is listed, and net, time and credit are wrong too."""
    add_machine(pair.world, pair.alice, pair.channel, 100, 0)
    wrong = {"net": Wei(5), "valid_until": UnixTime(1), "to_credit": 2}
    offer_close(pair, close_of(pair, **wrong))
    (why,) = why_refused(pair.bob)
    assert "remove them first" in why


def test_first_thing_wrong_with_a_close_is_the_one_that_is_said(pair: Pair) -> None:
    offer_close(pair, close_of(pair, net=Wei(5), valid_until=UnixTime(1), to_credit=2))
    offer_close(pair, close_of(pair, valid_until=UnixTime(1), to_credit=2))
    first, second = why_refused(pair.bob)
    assert "not at our newest state's net" in first
    assert "too long, or over" in second


def test_close_that_our_policy_leaves_to_our_user_is_not_answered() -> None:
    world = World()
    alice = world.party("alice", OPEN_HANDED)
    bob = world.party("bob", replace(OPEN_HANDED, close=False))
    pair = Pair(world, alice, bob, open_channel(world, alice, bob, 1_000, 1_000))
    offer_close(pair, close_of(pair))
    assert pair.bob.channel(alice).close is None
    offer_close(pair, close_of(pair, to_credit=2))
    decide, elsewhere = why_refused(bob)
    assert "our user has to decide" in decide
    assert "not paid where we want" in elsewhere


# --------------------------------------------------------------------------------------- withdraw


def withdrawing(pair: Pair) -> None:
    """Alice has offered a Withdraw, and Bob's answer is lost."""
    pair.world.network.lose(AnswerWithdraw)
    pair.alice.do(CommandWithdraw(pair.channel, Wei(100)))
    pair.world.settle()
    pair.world.network.lose()


def answer_withdraw(pair: Pair, index: int, signature: Signature) -> None:
    answer = AnswerWithdraw(pair.channel, index, signature)
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, answer)
    pair.world.settle([pair.alice])


def test_answer_to_a_withdraw_that_somebody_else_signed_counts_for_nothing(pair: Pair) -> None:
    withdrawing(pair)
    (offer,) = pair.alice.channel(pair.bob).withdraws
    answer_withdraw(pair, 0, offer.own)
    assert [type(error) for _, error in pair.alice.faults] == [BadSignature]
    (known,) = pair.alice.channel(pair.bob).withdraws
    assert known.peer == b""
    assert pair.alice.told(WithdrawAgreed) == []


def test_answer_to_another_withdraw_counts_for_nothing(pair: Pair) -> None:
    withdrawing(pair)
    (theirs,) = pair.bob.channel(pair.alice).withdraws
    answer_withdraw(pair, 1, theirs.own)
    (known,) = pair.alice.channel(pair.bob).withdraws
    assert (known.peer, pair.alice.faults, pair.alice.chain.pool) == (b"", [], {})


def test_answer_to_a_withdraw_is_told_once_and_goes_to_the_chain_at_once(pair: Pair) -> None:
    withdrawing(pair)
    (theirs,) = pair.bob.channel(pair.alice).withdraws
    pair.alice.chain.mining = False
    for _ in range(2):
        answer_withdraw(pair, 0, theirs.own)
    (known,) = pair.alice.channel(pair.bob).withdraws
    assert (known.own != b"", known.peer) == (True, theirs.own)
    assert pair.alice.told(WithdrawAgreed) == [
        WithdrawAgreed(pair.channel, known.withdraw.valid_until)
    ]
    assert list(pair.alice.chain.pool) == [b"w" + pair.channel]


def test_whoever_answers_a_withdraw_takes_no_answer_to_it(pair: Pair) -> None:
    pair.alice.do(CommandWithdraw(pair.channel, Wei(100)))
    pair.world.settle([pair.bob])
    told = len(pair.bob.told(WithdrawAgreed))
    (known,) = pair.bob.channel(pair.alice).withdraws
    answer = AnswerWithdraw(pair.channel, 0, known.peer)
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, answer)
    pair.world.settle([pair.bob])
    assert pair.bob.channel(pair.alice).withdraws == (known,)
    assert len(pair.bob.told(WithdrawAgreed)) == told


# --------------------------------------------------------------------------- states on the chain


def register(pair: Pair, version: int, net: int) -> None:
    channel = pair.bob.channel(pair.alice).channel
    state = State(pair.channel, Version(version), Wei(net))
    assert pair.world.register(channel, state, pair.bob.account.address)
    pair.world.advance()


def test_registered_proposal_of_ours_keeps_our_signature(pair: Pair) -> None:
    pair.world.network.lose(Propose, AnswerState)
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    (proposal,) = pair.alice.channel(pair.bob).proposals
    register(pair, 2, 100)
    full = pair.alice.channel(pair.bob).agreed
    assert full is not None
    assert (full.state, full.own, full.peer) == (proposal.state, proposal.signature, b"")
    assert pair.alice.channel(pair.bob).proposals == ()
    assert [row for row in pair.alice.store.records() if isinstance(row, StoreMark)] == []
    assert pair.alice.told(ExitOnly) == []
    assert [told.amount for told in pair.alice.told(TransferDone)] == [-100]


def test_registered_answer_of_ours_is_known_while_our_signer_works(pair: Pair) -> None:
    pair.bob.signer.slow = []
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    pair.world.settle()
    held = pair.bob.channel(pair.alice).held
    assert held is not None
    assert held.answering
    register(pair, 2, 100)
    assert not pair.bob.node.books.exit_only
    full = pair.bob.channel(pair.alice).agreed
    assert full is not None
    assert full.state == held.state


def test_state_that_we_hold_and_have_not_answered_is_no_state_of_ours() -> None:
    """Somebody with our key has signed it elsewhere."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", NO_LOSS)
    pair = Pair(world, alice, bob, open_channel(world, alice, bob, 1_000, 1_000))
    state = State(pair.channel, Version(2), Wei(-5))
    signature = world.sign(alice.key.address, state)
    world.network.inject(alice.peer, bob.peer, Propose(state, signature, 0))
    world.settle([bob])
    held = bob.channel(alice).held
    assert held is not None
    assert not held.answering
    register(pair, 2, -5)
    assert bob.node.books.exit_only
    assert bob.told(ExitOnly) == [ExitOnly(pair.channel, Version(2))]


def test_older_state_on_the_chain_teaches_nothing(pair: Pair) -> None:
    for amount in (100, 200):
        pair.alice.do(CommandTransfer(pair.channel, Wei(amount)))
        pair.world.settle()
    before = [pair.bob.channel(pair.alice).agreed, pair.alice.channel(pair.bob).agreed]
    register(pair, 2, 100)
    assert [pair.bob.channel(pair.alice).agreed, pair.alice.channel(pair.bob).agreed] == before
    assert not pair.bob.node.books.exit_only


# ---------------------------------------------------------------------------------------- joining


def offering() -> tuple[World, Party, Party, list[OfferChannel]]:
    """Alice has offered Bob a channel; what she said."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    fields = (bob.peer, bob.account.address, ETH, Seconds(600), alice.nonce(), Wei(100))
    alice.do(CommandOffer(*fields))
    world.settle()
    offers = [decode(f) for s, _, f in world.network.seen if s == alice.peer]
    return world, alice, bob, [offer for offer in offers if isinstance(offer, OfferChannel)]


def accepted(world: World, bob: Party) -> int:
    return sum(
        isinstance(decode(frame), AcceptChannel)
        for sender, _, frame in world.network.seen
        if sender == bob.peer
    )


def test_offer_that_was_accepted_is_accepted_again() -> None:
    world, alice, bob, (offer, *_) = offering()
    before = accepted(world, bob)
    assert before >= 1
    world.network.inject(alice.peer, bob.peer, offer)
    world.settle([bob])
    assert accepted(world, bob) == before + 1
    assert len(bob.told(ChannelJoined)) == 1


def test_offer_of_a_channel_that_somebody_else_offered_is_not_answered() -> None:
    world, _, bob, (offer, *_) = offering()
    mallory = world.party("mallory", OPEN_HANDED)
    before = len(world.network.seen)
    world.network.inject(mallory.peer, bob.peer, offer)
    world.settle([bob])
    answers = [r for s, r, _ in world.network.seen[before:] if s == bob.peer]
    assert mallory.peer not in answers


def test_store_that_is_exit_only_takes_no_offer() -> None:
    world, alice, *_ = offering()
    carol = world.party("carol", OPEN_HANDED)
    carol.store.write([StoreMark(reason="put back")])
    carol.restart()
    world.advance()
    fields = (carol.peer, carol.account.address, ETH, Seconds(600), alice.nonce(), Wei(100))
    alice.do(CommandOffer(*fields))
    world.settle()
    refused = [decode(frame) for sender, _, frame in world.network.seen if sender == carol.peer]
    assert [m.reason for m in refused if isinstance(m, RefuseChannel)] == ["no new channels here"]
    assert carol.node.books.channels == {}


def test_offer_says_whether_its_side_is_paid_into_its_credit() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    fields = (bob.peer, bob.account.address, ETH, Seconds(600), alice.nonce(), Wei(100))
    alice.do(CommandOffer(*fields, to_credit=True))
    world.settle()
    funding = bob.channel(alice).funding
    assert (funding.peer_to_credit, funding.own_to_credit) == (True, False)


def drawing(hub: Policy) -> tuple[World, Party, Party]:
    """Alice has offered a channel that draws on the hub's credit."""
    world = World()
    alice, ingrid = world.party("alice", OPEN_HANDED), world.party("ingrid", hub)
    world.ledger.fund(ingrid.account.address, 5_000)
    world.advance()
    fields = (ingrid.peer, ingrid.account.address, ETH, Seconds(600), alice.nonce(), Wei(1_000))
    watched: list[Watch] = []
    watch = ingrid.chain.watch

    def note(one: Watch) -> None:
        watched.append(one)
        watch(one)

    ingrid.chain.watch = note  # type: ignore[method-assign]
    alice.do(CommandOffer(*fields, Wei(2_000), draw=True, fee=Wei(0)))
    world.settle()
    ingrid.watched = watched  # type: ignore[attr-defined]
    return world, alice, ingrid


def test_first_state_that_comes_with_an_offer_is_seen() -> None:
    _, alice, ingrid = drawing(hub_policy(asks=True))
    view = ingrid.channel(alice)
    assert (view.stage, view.seen) == (Stage.INVITED, FIRST)
    assert view.held is not None


def test_offer_that_is_refused_in_any_case_is_not_followed() -> None:
    world, _, ingrid = drawing(hub_policy(paused=True))
    refused = [decode(f) for sender, _, f in world.network.seen if sender == ingrid.peer]
    assert ["no new channels" in m.reason for m in refused if isinstance(m, RefuseChannel)] == [
        True
    ]
    assert ingrid.watched == []  # type: ignore[attr-defined]
    assert ingrid.node.books.channels == {}
