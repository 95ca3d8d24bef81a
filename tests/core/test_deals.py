"""Deals in escrow between two and over a hub: nobody loses more than was awarded."""

from __future__ import annotations

import pytest

from perun.core.faults import InstanceRejected, NotAllowedNow, UnexpectedMessage
from perun.core.inputs import (
    CommandDispute,
    Received,
)
from perun.core.nanocontracts.escrow import (
    AWARDED,
    CONFLICT,
    DEALS,
    LATE,
    CommandAward,
    CommandLetGo,
)
from perun.core.state import LegStatus, Role
from perun.core.states.valuation import balance
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.escrow import (
    EscrowDomain,
    award_digest,
)
from perun.encoding.messages import AnswerState, LetGo, Propose
from perun.spec.nanocontracts.escrow import Escrow
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.testing.stories import consent, propose_deal
from perun.types import (
    Address,
    Award,
    DealId,
    InstanceId,
    Signature,
    Wei,
)

from .conftest import Pair, Trio
from .ends import net, only, seen, shares, silence, status, wait

ARBITER = SecretKey(b"\x5a" * 32)


def word(id: InstanceId, shift: int, key: SecretKey = ARBITER) -> Signature:
    domain = DEPLOYMENT.find(EscrowDomain)
    assert domain is not None
    return sign(award_digest(domain, Award(DealId(id), Wei(shift))), key)


def awarded(party: Party, shift: int) -> None:
    """The arbiter gives its word to one of the two."""
    id = only(party)
    party.do(CommandAward(id, Wei(shift), word(id, shift)))


def begin(pair: Pair, own: int = 70, peer: int = 60, **more: object) -> None:
    propose_deal(pair.world, pair.alice, pair.channel, ARBITER.address, own, peer, **more)  # type: ignore[arg-type]
    pair.world.settle()
    consent(pair.bob)
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.LISTED


def begin_over(trio: Trio, own: int = 70, peer: int = 60, **more: object) -> None:
    propose_deal(
        trio.world,
        trio.alice,
        trio.left,
        ARBITER.address,
        own,
        peer,
        trio.bob,
        **more,  # type: ignore[arg-type]
    )
    trio.world.settle()
    consent(trio.bob)
    trio.world.settle()
    trio.world.advance()
    assert status(trio.alice) is status(trio.bob) is LegStatus.LISTED


def decided(world: World) -> tuple[int, int] | None:
    """Rank and shift of the only deal, as the contract has it."""
    records = list(world.ledger.contracts.of(Escrow).records.values())
    return (records[0].rank, records[0].shift) if records else None


# -------------------------------------------------------------------------------- when all is well


def test_nothing_is_locked_before_the_other_user_agrees(pair: Pair) -> None:
    propose_deal(pair.world, pair.alice, pair.channel, ARBITER.address, 70, 60)
    pair.world.settle()
    assert pair.alice.node.books.instances == pair.bob.node.books.instances == {}
    consent(pair.bob, accept=False)
    pair.world.settle()
    assert pair.alice.node.books.invitations == {}


@pytest.mark.parametrize("shift", [70, 12, 0, -9, -60])
@pytest.mark.parametrize("holder", ["alice", "bob"])
def test_award_goes_off_chain_whoever_brings_it(pair: Pair, shift: int, holder: str) -> None:
    begin(pair)
    awarded(getattr(pair, holder), shift)
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.REMOVED
    assert net(pair.alice, pair.channel) == shift


@pytest.mark.parametrize("shift", [70, 12, 0, -9, -60])
def test_award_over_a_hub_moves_the_same_in_both_channels(trio: Trio, shift: int) -> None:
    begin_over(trio)
    awarded(trio.bob, shift)
    trio.world.settle()
    trio.world.advance()
    assert status(trio.alice) is status(trio.bob) is LegStatus.REMOVED
    left = net(trio.alice, trio.left)
    right = net(trio.bob, trio.right)
    ingrid = trio.ingrid.node.books.channels
    assert {abs(left), abs(right)} == {abs(shift)} or shift == 0
    hub = sum(
        (net(trio.ingrid, id) if view.role is Role.BOB else -net(trio.ingrid, id))
        for id, view in ingrid.items()
    )
    assert hub == 0


def test_both_users_name_the_same_shift(pair: Pair) -> None:
    begin(pair)
    pair.alice.do(CommandLetGo(only(pair.alice), Wei(25)))
    pair.world.settle()
    assert status(pair.bob) is LegStatus.LISTED
    pair.bob.do(CommandLetGo(only(pair.bob), Wei(30)))
    pair.world.settle()
    assert status(pair.bob) is LegStatus.LISTED
    pair.alice.do(CommandLetGo(only(pair.alice), Wei(30)))
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.REMOVED
    assert net(pair.alice, pair.channel) == 30


@pytest.mark.parametrize("side", ["alice", "bob"])
def test_who_gives_everything_needs_no_answer(pair: Pair, side: str) -> None:
    begin(pair)
    shift = 70 if side == "alice" else -60
    giver = getattr(pair, side)
    giver.do(CommandLetGo(only(giver), Wei(shift)))
    pair.world.settle()
    assert net(pair.alice, pair.channel) == shift
    assert status(pair.alice) is status(pair.bob) is LegStatus.REMOVED


def test_who_gives_everything_over_a_hub_needs_no_answer(trio: Trio) -> None:
    begin_over(trio)
    trio.alice.do(CommandLetGo(only(trio.alice), Wei(70)))
    trio.world.settle()
    trio.world.advance()
    assert [leg.removed_shift for leg in seen(trio.ingrid).legs] == [70, 70]


def test_both_users_name_the_same_shift_over_a_hub(trio: Trio) -> None:
    begin_over(trio)
    for party in (trio.alice, trio.bob):
        party.do(CommandLetGo(only(party), Wei(-11)))
    trio.world.settle()
    trio.world.advance()
    assert status(trio.alice) is status(trio.bob) is LegStatus.REMOVED
    assert [leg.removed_shift for leg in seen(trio.ingrid).legs] == [-11, -11]


# ----------------------------------------------------------------------------------- when it is not


def test_whole_lock_counts_as_lost_until_the_deal_is_gone(pair: Pair) -> None:
    before = balance(pair.bob.node.books, pair.bob.node.books.channels[pair.channel]).guaranteed
    begin(pair)
    held = balance(pair.bob.node.books, pair.bob.node.books.channels[pair.channel]).guaranteed
    assert held == before - 60
    awarded(pair.bob, -60)


@pytest.mark.parametrize("shift", [71, -61])
def test_award_of_more_than_a_lock_is_none(pair: Pair, shift: int) -> None:
    begin(pair)
    with pytest.raises(NotAllowedNow):
        awarded(pair.bob, shift)
    with pytest.raises(NotAllowedNow):
        pair.bob.do(CommandLetGo(only(pair.bob), Wei(shift)))


def test_award_by_somebody_else_is_none(pair: Pair) -> None:
    begin(pair)
    id = only(pair.alice)
    other = SecretKey(b"\x5b" * 32)
    with pytest.raises(NotAllowedNow):
        pair.alice.do(CommandAward(id, Wei(-60), word(id, -60, other)))
    forged = LetGo(id, Wei(-60), word(id, -60, other))
    pair.bob.do(Received(pair.alice.peer, forged))
    assert DEALS.of(seen(pair.bob)).awards == ()
    assert status(pair.bob) is LegStatus.LISTED


def test_own_word_of_a_peer_moves_nothing_against_us(pair: Pair) -> None:
    begin(pair)
    pair.bob.do(Received(pair.alice.peer, LetGo(only(pair.bob), Wei(-60))))
    pair.bob.do(Received(pair.alice.peer, LetGo(only(pair.bob), Wei(2**111 - 1))))
    pair.world.settle()
    assert status(pair.bob) is LegStatus.LISTED


def test_stranger_says_nothing_about_a_deal(trio: Trio) -> None:
    begin_over(trio)
    id = only(trio.bob)
    with pytest.raises(UnexpectedMessage):
        trio.bob.do(Received(trio.ingrid.peer, LetGo(id, Wei(70), word(id, 70))))


def test_arbiter_who_contradicts_itself_gives_everything_back(pair: Pair) -> None:
    begin(pair)
    id = only(pair.bob)
    silence(pair.world)
    for shift in (50, -40, 10):
        pair.bob.do(Received(pair.alice.peer, LetGo(id, Wei(shift), word(id, shift))))
    assert [held.shift for held in DEALS.of(seen(pair.bob)).awards] == [50, -40]


@pytest.mark.parametrize("shift", [50, -40])
def test_winner_takes_its_award_to_the_chain_if_the_other_is_silent(pair: Pair, shift: int) -> None:
    begin(pair)
    winner = pair.bob if shift > 0 else pair.alice
    silence(pair.world)
    awarded(winner, shift)
    winner.do(CommandDispute(pair.channel))
    wait(pair.world, winner)
    alice, bob = shares(pair.world, pair.alice, pair.bob)
    assert (alice, bob) == (1_000 - shift, 1_000 + shift)


def test_silent_hub_costs_no_end_more_than_the_award(trio: Trio) -> None:
    begin_over(trio)
    silence(trio.world)
    awarded(trio.bob, 50)
    for party, channel in ((trio.alice, trio.left), (trio.bob, trio.right)):
        party.do(CommandDispute(channel))
    wait(trio.world, trio.alice, trio.bob, trio.ingrid)
    alice, ingrid, bob = shares(trio.world, trio.alice, trio.ingrid, trio.bob)
    assert (alice, bob) == (950, 1_050)
    assert ingrid == 2_000


def test_older_award_on_chain_is_answered_by_its_contradiction(pair: Pair) -> None:
    """Alice shows the award for her; Bob holds another one: both are void."""
    begin(pair)
    silence(pair.world)
    awarded(pair.bob, 50)
    awarded(pair.alice, -40)
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world, pair.alice, pair.bob)
    assert decided(pair.world) == (CONFLICT, 0)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]


@pytest.mark.parametrize("late", [30, -20])
def test_late_rule_pays_who_it_names_without_a_word_of_the_arbiter(pair: Pair, late: int) -> None:
    begin(pair, late=(late, 1_000))
    pair.world.advance(1_500)
    winner = pair.bob if late > 0 else pair.alice
    silence(pair.world)
    winner.do(CommandDispute(pair.channel))
    wait(pair.world, winner)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000 - late, 1_000 + late]
    assert decided(pair.world) == (LATE, late)


def test_award_in_time_beats_the_late_rule(pair: Pair) -> None:
    begin(pair, late=(30, 1_000))
    silence(pair.world)
    awarded(pair.alice, -20)
    pair.world.advance(1_500)
    pair.bob.do(CommandDispute(pair.channel))
    wait(pair.world, pair.alice, pair.bob)
    assert shares(pair.world, pair.alice, pair.bob) == [1_020, 980]
    assert decided(pair.world) == (AWARDED, -20)


def test_holder_of_a_lost_award_does_not_say_that_it_is_late(pair: Pair) -> None:
    """Who knows how the arbiter has decided does not use the clock against it."""
    begin(pair, late=(30, 1_000))
    silence(pair.world)
    awarded(pair.bob, -20)
    pair.world.advance(1_500)
    pair.bob.do(CommandDispute(pair.channel))
    wait(pair.world, pair.bob)
    assert decided(pair.world) is None


@pytest.mark.parametrize("lost", [LetGo, Propose, AnswerState])
@pytest.mark.parametrize("over", [False, True])
def test_lost_message_delays_and_costs_nothing(
    pair: Pair, trio: Trio, lost: type, over: bool
) -> None:
    world = trio.world if over else pair.world
    parties = (trio.alice, trio.bob) if over else (pair.alice, pair.bob)
    if over:
        begin_over(trio)
    else:
        begin(pair)
    world.network.lose(lost)
    awarded(parties[1], 50)
    world.settle()
    world.network.rule = None
    for _ in range(8):
        world.advance()
    assert [status(party) for party in parties] == [LegStatus.REMOVED] * 2
    assert {seen(party).legs[0].removed_shift for party in parties} == {50}


@pytest.mark.parametrize("stops", [LetGo, Propose, AnswerState])
@pytest.mark.parametrize("shift", [50, -40])
def test_who_stops_at_any_message_over_a_hub_pays_what_was_awarded(
    trio: Trio, stops: type, shift: int
) -> None:
    """Nothing of that kind arrives any more, from anybody; then all leave by the chain."""
    begin_over(trio)
    trio.world.network.lose(stops)
    awarded(trio.bob if shift > 0 else trio.alice, shift)
    trio.world.settle()
    silence(trio.world)
    for party, channel in ((trio.alice, trio.left), (trio.bob, trio.right)):
        party.do(CommandDispute(channel))
    for _ in range(13_000 // 24):
        trio.world.advance(24)
    alice, ingrid, bob = shares(trio.world, trio.alice, trio.ingrid, trio.bob)
    assert (alice, ingrid, bob) == (1_000 - shift, 2_000, 1_000 + shift)


def test_nobody_says_anything_and_nothing_moves(pair: Pair) -> None:
    begin(pair)
    wait(pair.world, pair.alice, pair.bob)
    assert net(pair.alice, pair.channel) == 0
    agreed = pair.bob.node.books.channels[pair.channel].agreed
    assert agreed is not None
    assert agreed.state.nanos == ()


@pytest.mark.parametrize(
    ("arbiter", "more"),
    [
        ("alice", {}),
        ("nobody", {}),
        ("third", {"late": (71, 1_000)}),
        ("third", {"late": (-61, 1_000)}),
        ("third", {"late": (10, 9_999)}),
    ],
)
def test_deals_nobody_should_lock(pair: Pair, arbiter: str, more: dict[str, object]) -> None:
    keys = {
        "alice": pair.alice.node.books.channels[pair.channel].channel.alice_key,
        "nobody": Address(bytes(20)),
        "third": ARBITER.address,
    }
    with pytest.raises(InstanceRejected):
        propose_deal(pair.world, pair.alice, pair.channel, keys[arbiter], 70, 60, **more)  # type: ignore[arg-type]
