"""The hub's power fails at any write while a virtual channel is resized."""

from __future__ import annotations

import pytest

from perun.core.inputs import CommandPay
from perun.core.notices import PaymentReceived
from perun.store import MemoryStore, WriteFailed
from perun.testing.stories import add_machine
from perun.types import MachineId, Wei

from .conftest import Trio
from .replacing import hub_gain, listed, wish


def settle(trio: Trio) -> None:
    """Everybody works; whose power fails is started again on what is on its disk."""
    for _ in range(2_000):
        busy = [party for party in trio.world.parties if party.node.busy]
        if not busy:
            return
        for party in busy:
            try:
                party.node.turn()
            except WriteFailed:
                assert isinstance(party.store, MemoryStore)
                party.store.crash_before = None
                party.restart()
    raise AssertionError("they never come to rest")


@pytest.mark.parametrize("cut", range(12))
def test_power_cut_at_any_write_leaves_both_channels_alike(trio: Trio, cut: int) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    assert isinstance(trio.ingrid.store, MemoryStore)
    trio.ingrid.store.crash_before = cut
    trio.alice.do(wish(trio, trio.alice, old, 400, 100))
    settle(trio)
    for _ in range(6):
        trio.world.ledger.advance(11)
        settle(trio)
    trio.ingrid.store.crash_before = None

    for party in trio.world.parties:
        for view in party.node.books.channels.values():
            assert not view.proposals
            assert (view.held, view.inflight, view.waiting) == (None, None, ())
    (machine,) = listed(trio.ingrid, trio.left)
    assert listed(trio.ingrid, trio.right) == [machine]
    assert hub_gain(trio) == 0
    trio.alice.do(CommandPay(MachineId(machine), Wei(5)))
    settle(trio)
    assert [notice.total for notice in trio.bob.told(PaymentReceived)] == [5]  # type: ignore[attr-defined]
