"""States between two parties: proposing, answering, refusing, crossing, meeting again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign, SignItem
from perun.core.faults import BadVersion, NotAllowedNow, PeerNotAllowed, UnexpectedMessage
from perun.core.inputs import CommandAnswer, CommandTransfer
from perun.core.notices import ProposalHeld, ProposalRefused, TransferDone
from perun.core.rules.phases import Phase, phase
from perun.encoding.messages import AnswerState, Propose, ShowState
from perun.errors import BadSignature
from perun.testing.parties import Party
from perun.types import (
    Address,
    ChannelId,
    InstanceId,
    Nano,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair


def agreed(party: Party, id: ChannelId) -> tuple[int, int]:
    """Version and net of a party's newest fully signed state."""
    full = party.node.books.channels[id].agreed
    return (full.state.version, full.state.net) if full else (0, 0)


def signed_by(party: Party, state: State) -> Signature:
    """A party's signature, whatever its node would say to that."""
    return party.signer.sign_now(Sign((SignItem(party.key.address, state),)))[0]


def proposal(party: Party, state: State) -> Propose:
    return Propose(state, signed_by(party, state), 0)


def test_transfer_is_signed_by_both_in_one_round(pair: Pair) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.world.settle()

    assert agreed(pair.alice, pair.channel) == agreed(pair.bob, pair.channel) == (2, 10)
    assert pair.bob.told(TransferDone) == [TransferDone(pair.channel, Version(2), Wei(10))]
    assert pair.alice.told(TransferDone) == [TransferDone(pair.channel, Version(2), Wei(-10))]


def test_bob_proposes_odd_versions(pair: Pair) -> None:
    pair.bob.do(CommandTransfer(pair.channel, Wei(10)))
    pair.world.settle()

    assert agreed(pair.alice, pair.channel) == (1, -10)


def test_crossing_proposals_both_come_about(pair: Pair) -> None:
    pair.alice.node.post([CommandTransfer(pair.channel, Wei(10))])
    pair.bob.node.post([CommandTransfer(pair.channel, Wei(3))])
    pair.world.settle()

    assert agreed(pair.alice, pair.channel) == agreed(pair.bob, pair.channel)
    assert agreed(pair.alice, pair.channel)[1] == 7
    assert not pair.alice.told(ProposalRefused)
    assert not pair.bob.told(ProposalRefused)


def test_unsolvent_transfer_is_not_proposed(pair: Pair) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(1_001)))
    pair.world.settle()

    assert agreed(pair.alice, pair.channel) == (0, 0)
    assert len(pair.alice.told(ProposalRefused)) == 1
    assert pair.alice.signer.asked == 0


def test_proposal_that_costs_us_is_held_for_our_user(pair: Pair) -> None:
    state = State(pair.channel, Version(2), Wei(-10))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, proposal(pair.alice, state))
    pair.world.settle([pair.bob])

    assert pair.bob.told(ProposalHeld) == [ProposalHeld(pair.channel, Version(2), Wei(10))]
    assert agreed(pair.bob, pair.channel) == (0, 0)

    pair.bob.do(CommandAnswer(pair.channel, Version(2), True))
    assert agreed(pair.bob, pair.channel) == (2, -10)


def test_held_proposal_is_refused_after_a_while(pair: Pair) -> None:
    pair.bob.do(CommandTransfer(pair.channel, Wei(5)))
    pair.world.settle()
    state = State(pair.channel, Version(2), Wei(-100))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, proposal(pair.alice, state))
    pair.world.settle([pair.bob])
    for _ in range(2):
        pair.world.ledger.advance(50)
        pair.world.settle([pair.bob])

    view = pair.bob.node.books.channels[pair.channel]
    assert view.held is None
    assert [p.state.version for p in view.proposals] == [3]
    assert view.proposals[0].state.net == -5


def test_refusal_is_a_counter_proposal_that_resolves(pair: Pair) -> None:
    pair.bob.policy = replace(pair.bob.policy)
    pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.world.settle()
    # A nano that Bob does not know: refused by the last agreed content under his next version.
    foreign = replace(
        State(pair.channel, Version(4), Wei(10)),
        nanos=(_nano(),),
    )
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, proposal(pair.alice, foreign))
    pair.world.settle([pair.bob])
    (refusal,) = [
        message for message in pair.world.network.said(Propose) if message.state.version == 5
    ]

    assert (refusal.state.net, refusal.state.nanos) == (10, ())
    assert refusal.base is not None
    assert refusal.reason == "an instance whose parameters we do not know"


def test_refusal_is_countersigned_at_once(pair: Pair) -> None:
    pair.world.network.lose(AnswerState)
    pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.world.network.lose()
    pair.bob.node.books.channels[pair.channel] = replace(pair.bob.node.books.channels[pair.channel])
    refusal = State(pair.channel, Version(3), Wei(0))
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, proposal(pair.bob, refusal))
    pair.world.settle([pair.alice])

    assert agreed(pair.alice, pair.channel) == (3, 0)
    assert pair.alice.told(ProposalRefused) == [ProposalRefused(pair.channel, Version(2), "")]


@pytest.mark.parametrize(("version", "known"), [(6, 2), (3, 2), (4, 0)])
def test_version_of_wrong_parity_or_too_high_is_left_alone(
    pair: Pair, version: int, known: int
) -> None:
    if known:
        pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
        pair.world.settle()
    before = pair.bob.node.books.channels[pair.channel]
    state = State(pair.channel, Version(version), Wei(20))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, proposal(pair.alice, state))
    pair.world.settle([pair.bob])

    assert [type(error) for _, error in pair.bob.faults] == [BadVersion]
    assert pair.bob.node.books.channels[pair.channel] == before


def test_proposal_with_another_signature_is_left_alone(pair: Pair) -> None:
    state = State(pair.channel, Version(2), Wei(20))
    forged = Propose(state, signed_by(pair.bob, state), 0)
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, forged)
    pair.world.settle([pair.bob])

    assert [type(error) for _, error in pair.bob.faults] == [BadSignature]
    assert pair.bob.node.books.channels[pair.channel].seen == 0


def test_lost_answer_is_shown_when_the_proposal_comes_again(pair: Pair) -> None:
    pair.world.network.lose(AnswerState)
    pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.world.settle()
    assert agreed(pair.bob, pair.channel) == (2, 10)
    assert phase(pair.alice.channel(pair.bob), pair.alice.node.books.chain) is Phase.PROPOSED

    pair.world.network.lose()
    pair.world.advance(20)
    assert agreed(pair.alice, pair.channel) == (2, 10)


def test_unresolved_proposal_is_sent_again_unchanged_and_nothing_else_signed(pair: Pair) -> None:
    pair.world.network.lose(Propose)
    pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.alice.do(CommandTransfer(pair.channel, Wei(5)))
    pair.world.advance(20)
    pair.world.advance(20)
    sent = {message.state for message in pair.world.network.said(Propose)}
    assert sent == {State(pair.channel, Version(2), Wei(10))}

    pair.world.network.lose()
    pair.world.advance(20)
    assert agreed(pair.alice, pair.channel) == (4, 15)


def test_countersignature_of_unknown_version_is_left_alone(pair: Pair) -> None:
    answer = AnswerState(pair.channel, Version(2), Signature(b"\1" * 65))
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, answer)
    pair.world.settle([pair.alice])

    assert [type(error) for _, error in pair.alice.faults] == [UnexpectedMessage]


def test_message_from_a_stranger_about_our_channel_is_left_alone(pair: Pair) -> None:
    mallory = pair.world.party("mallory")
    state = State(pair.channel, Version(2), Wei(20))
    pair.world.network.inject(mallory.peer, pair.bob.peer, proposal(pair.alice, state))
    pair.world.settle([pair.bob])

    assert [type(error) for _, error in pair.bob.faults] == [UnexpectedMessage]


def test_nothing_is_signed_on_a_stale_view_of_the_chain(pair: Pair) -> None:
    pair.alice.clock.ahead = 3_600
    with pytest.raises(NotAllowedNow, match="too old"):
        pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.bob.clock.ahead = 3_600
    state = State(pair.channel, Version(2), Wei(20))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, proposal(pair.alice, state))
    pair.world.settle([pair.bob])

    assert [type(error) for _, error in pair.bob.faults] == [PeerNotAllowed]
    assert agreed(pair.bob, pair.channel) == (0, 0)


def test_shown_state_with_our_unknown_signature_makes_the_store_exit_only(pair: Pair) -> None:
    old = pair.bob.store.copy()  # type: ignore[attr-defined]
    pair.alice.do(CommandTransfer(pair.channel, Wei(10)))
    pair.world.settle()
    old.exit_only = False  # The whole disk was restored: nothing local can tell.
    pair.bob.restart(old)
    pair.world.advance(20)

    assert pair.bob.node.books.exit_only
    assert agreed(pair.bob, pair.channel) == (2, 10)
    with pytest.raises(NotAllowedNow, match="exit only"):
        pair.bob.do(CommandTransfer(pair.channel, Wei(1)))
    assert any(isinstance(message, ShowState) for message in pair.world.network.said(ShowState))


def _nano() -> Nano:
    return Nano(
        Address(b"\x22" * 20), InstanceId(b"\x05" * 32), Wei(1), Wei(0), UnixTime(2**33), False
    )
