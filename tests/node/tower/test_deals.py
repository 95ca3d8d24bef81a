"""What a tower is shown of deals in escrow: awards go along, and none that the chain refuses."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.nanocontracts.escrow import (
    DEALS,
    CommandAward,
    CommandLetGo,
    HeldAward,
)
from perun.core.state import InstanceView
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.escrow import (
    EscrowDomain,
    award_digest,
)
from perun.node.export import Export, rows_for_tower
from perun.node.profile import Profile
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, consent, open_channel, propose_deal
from perun.tower.admission import Admission, NotWatched
from perun.types import Award, DealId, InstanceId, Signature, Wei

ARBITER = SecretKey(b"\x5a" * 32)


def word(id: InstanceId, shift: int, key: SecretKey = ARBITER) -> Signature:
    domain = DEPLOYMENT.find(EscrowDomain)
    assert domain is not None
    return sign(award_digest(domain, Award(DealId(id), Wei(shift))), key)


@pytest.fixture
def seller() -> Party:
    """Bob, who holds an award that Alice has not heard of."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    propose_deal(world, alice, channel, ARBITER.address, 70, 60)
    world.settle()
    consent(bob)
    world.settle()
    world.network.rule = lambda _letter: ()
    (id,) = bob.node.books.instances
    bob.do(CommandLetGo(id, Wei(20)))
    bob.do(CommandAward(id, Wei(30), word(id, 30)))
    return bob


def shown(seller: Party, *awards: HeldAward) -> Export:
    """What his node gives a tower, with these awards instead of his own if there are any."""
    books = seller.node.books
    (deal,) = books.instances.values()
    kept = DEALS.of(deal)
    deal = DEALS.into(deal, replace(kept, awards=awards or kept.awards))
    contracts = {domain.contract_name: domain.contract for domain in DEPLOYMENT.domains}
    key, account = seller.key.public_key.data, seller.account.address
    profile = Profile(DEPLOYMENT.contract.chain_id, contracts, account, key, bytes(32))
    return Export(profile, rows_for_tower([*books.channels.values(), deal]))


def test_award_goes_along(seller: Party) -> None:
    rows = Admission(DEPLOYMENT).admit(seller.peer, shown(seller))
    (deal,) = [row for row in rows if isinstance(row, InstanceView)]
    assert [held.shift for held in DEALS.of(deal).awards] == [30]
    assert DEALS.of(deal).shifts == (None, None)


@pytest.mark.parametrize("shift", [30, 71])
def test_award_that_the_chain_refuses_is_not_watched(seller: Party, shift: int) -> None:
    """It would cost the tower gas at every block."""
    (id,) = seller.node.books.instances
    key = ARBITER if shift > 70 else SecretKey(b"\x5b" * 32)
    forged = HeldAward(Wei(shift), word(id, shift, key))
    with pytest.raises(NotWatched, match="arbiter"):
        Admission(DEPLOYMENT).admit(seller.peer, shown(seller, forged))
