"""A deal in escrow by the second: what goes to the chain and when, and who lets it go."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.escrow import (
    AGREED,
    AWARDED,
    CONFLICT,
    DEALS,
    ESCROW,
    LATE,
    HeldAward,
)
from perun.core.state import InstanceView, LegStatus, Role
from perun.encoding.escrow import award_evidence, late_evidence
from perun.encoding.messages import LetGo, Propose
from perun.testing.parties import Party
from perun.testing.stories import propose_deal
from perun.types import Deal, DealRecord, UnixTime, Wei

from .conftest import Pair, Trio
from .crafted import at, said
from .ends import seen, status
from .test_deals import awarded, begin, begin_over, word


def holding(
    party: Party, *shifts: int, on: DealRecord | None = None
) -> tuple[InstanceView, Deal, list[bytes]]:
    """A party's deal with these awards, and what proves each."""
    instance = seen(party)
    assert isinstance(instance.terms, Deal)
    held = tuple(HeldAward(Wei(shift), word(instance.id, shift)) for shift in shifts)
    instance = DEALS.into(instance, replace(DEALS.of(instance), awards=held))
    proofs = [award_evidence(instance.terms, one.shift, one.signature) for one in held]
    return replace(instance, head=on), instance.terms, proofs


def due_at(party: Party, instance: InstanceView, time: int) -> bytes | None:
    found = ESCROW.due(at(party, UnixTime(time)), instance)
    return None if found is None else found.evidence


def test_award_is_of_use_until_the_last_second(pair: Pair) -> None:
    begin(pair)
    instance, deal, proofs = holding(pair.bob, 50)
    assert due_at(pair.bob, instance, deal.validity) == proofs[0]
    assert due_at(pair.bob, instance, deal.validity + 1) is None
    assert due_at(pair.alice, instance=holding(pair.alice, 50)[0], time=deal.validity) is None


@pytest.mark.parametrize("rank", [LATE, AWARDED, CONFLICT, AGREED])
def test_what_stands_on_chain_is_answered_at_once_until_its_deadline(pair: Pair, rank: int) -> None:
    """An award beats the clock; another voids it, and then nothing counts any more."""
    begin(pair)
    end = UnixTime(2_000_000_000)
    instance, _, proofs = holding(pair.bob, 50, on=DealRecord(rank, Wei(-40), end))
    found = ESCROW.due(at(pair.bob, end), instance)
    if rank in (CONFLICT, AGREED):
        assert found is None
        return
    assert found is not None
    assert (found.evidence, found.before, found.answers) == (proofs[0], end, True)
    assert due_at(pair.bob, instance, end + 1) is None


def test_award_that_nobody_has_contradicted_waits(pair: Pair) -> None:
    begin(pair)
    found = ESCROW.due(at(pair.bob), holding(pair.bob, 50)[0])
    assert found is not None
    assert not found.answers


def test_it_is_late_after_the_second_at_which_it_is_due(pair: Pair) -> None:
    begin(pair, late=(30, 1_000))
    instance, deal, _ = holding(pair.bob)
    assert due_at(pair.bob, instance, deal.due) is None
    assert due_at(pair.bob, instance, deal.due + 1) == late_evidence(deal)
    # It pays Bob: Alice does not say so.
    assert due_at(pair.alice, holding(pair.alice)[0], deal.due + 1) is None


def test_what_stands_counts_after_its_deadline(pair: Pair) -> None:
    begin(pair)
    _, deal, _ = holding(pair.bob)
    record = DealRecord(AWARDED, Wei(30), UnixTime(1_000))
    assert ESCROW.outcome(deal, record, UnixTime(1_000)) is None
    assert ESCROW.outcome(deal, record, UnixTime(1_001)) == 30


@pytest.mark.parametrize(
    ("shift", "proposes"), [(50, Role.BOB), (-40, Role.ALICE), (0, Role.ALICE)]
)
def test_who_is_paid_proposes_the_removal(pair: Pair, shift: int, proposes: Role) -> None:
    """In a channel of two one is enough, and two would cross; at nothing it is Alice."""
    begin(pair)
    for role, party in zip(Role, (pair.alice, pair.bob), strict=True):
        instance, _, _ = holding(party, shift)
        draft = at(party)
        assert ESCROW.acts(draft, instance) is (role is proposes)
        assert [type(message) for message in said(draft)] == [LetGo]


def test_arbiter_is_neither_side(pair: Pair) -> None:
    terms = pair.alice.node.books.channels[pair.channel].channel
    for key in (terms.alice_key, terms.bob_key):
        with pytest.raises(InstanceRejected, match="third key"):
            propose_deal(pair.world, pair.alice, pair.channel, key, 70, 60)


def test_hub_pays_no_award_that_another_could_void(trio: Trio) -> None:
    """Only Alice can lose by it, so it looks like what a hub pays alone; but no evidence of a deal
    forces anything: the arbiter may contradict itself."""
    begin_over(trio, own=70, peer=0)
    alice = trio.alice.peer
    trio.world.network.rule = lambda letter: () if alice in letter[:2] else (letter,)
    awarded(trio.bob, 50)
    for _ in range(4):
        trio.world.settle()
        trio.world.advance()
    assert any(said.removes for said in trio.world.network.said(Propose))  # type: ignore[attr-defined]
    assert status(trio.bob) is not LegStatus.REMOVED
