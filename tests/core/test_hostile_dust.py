"""Attacks with amounts that nobody would go to the chain for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.inputs import CommandPay
from perun.core.state import LegStatus
from perun.encoding.messages import Leave, Over, Propose
from perun.testing.stories import add_machine, instance
from perun.types import Wei

from .conftest import Trio
from .replacing import half, hub_gain, lost


@pytest.mark.parametrize(("paid", "is_paid"), [(40, False), (99, False), (100, True), (0, True)])
def test_hub_pays_alone_only_what_it_would_enforce(trio: Trio, paid: int, is_paid: bool) -> None:
    """Rule (c): evidence below dust is never submitted, so the payer that does not follow would
    leave the hub with what it has paid: both ends conspire, once for every slot."""
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob, life=2_000)
    if paid:
        trio.alice.do(CommandPay(machine, Wei(paid)))
        trio.world.settle()
    books = trio.ingrid.node.books
    books.config = replace(books.config, limits=replace(books.config.limits, dust=Wei(100)))
    trio.world.network.rule = lost(trio.alice, Propose, Leave, Over)
    proof = trio.bob.node.books.totals.get(machine)
    signed = proof.received_signature if proof else b""
    half(trio, trio.bob, (), -paid, received=paid, signed=signed)
    others = [trio.bob, trio.ingrid]
    for _ in range(5):
        trio.world.ledger.advance(11)
        trio.world.settle(others)
    leg = next(leg for leg in instance(trio.ingrid, machine).legs if leg.channel == trio.right)
    assert (leg.status is LegStatus.REMOVED) is is_paid
    for _ in range(260):
        trio.world.ledger.advance(12)
        trio.world.settle(others)
    trio.world.network.rule = None
    trio.world.advance(12)
    # Bob's own node knows nothing of what it signed here, so his channel may lag behind.
    assert hub_gain(trio) >= 0
