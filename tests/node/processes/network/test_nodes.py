"""Whole nodes over real sockets: a virtual channel over a hub, whatever becomes of the links."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from perun.core.faults import NotEnoughMoney, PeerNotAllowed
from perun.core.inputs import CommandAddMachine, CommandPay
from perun.core.notices import VirtualReady
from perun.core.state import Totals
from perun.encoding.messages import AcceptChannel
from perun.node.settings import hello_for
from perun.node.threads import NodeThread
from perun.testing.parties import LIMITS, Party
from perun.testing.stories import add_machine
from perun.types import MachineId, Seconds, UnixTime, Wei
from perun.wire.web import Listener, WebWire
from tests.core.conftest import Trio
from tests.core.test_unasked import trio_of
from tests.node.processes.network.proxy import Proxy
from tests.node.processes.network.wired import eventually

GENESIS = b"\x07" * 32


class Online:
    """A party on a wire of its own, turned by a thread."""

    def __init__(self, party: Party, listener: Listener | None = None) -> None:
        self.party = party
        party.network.leave(party.peer)
        self.wire = WebWire(
            party.key,
            hello_for(party.node.books.config, GENESIS),
            listener=listener,
            admits=lambda _peer, _token: True,
        )
        party.node.connect(self.wire.enter(party.node))
        self.thread = NodeThread(party.node)
        self.thread.start()

    def __enter__(self) -> Online:
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.stop()
        self.wire.stop()


def online(stack: ExitStack, trio: Trio, *hosts: str) -> list[Online]:
    """Alice, Bob and the hub; the ends know where the hub is, and nothing of each other."""
    listener = Listener("127.0.0.1", 0, hosts=hosts)
    hub = stack.enter_context(Online(trio.ingrid, listener))
    ends = [stack.enter_context(Online(party)) for party in (trio.alice, trio.bob)]
    return [*ends, hub]


def totals(party: Party, machine: MachineId) -> Totals | None:
    return party.node.books.totals.get(machine)


def test_a_virtual_channel_is_opened_and_paid_in_over_sockets(stack: ExitStack) -> None:
    trio = trio_of()
    alice, bob, hub = online(stack, trio)
    listener = hub.wire._listener
    assert listener is not None
    for end in (alice, bob):
        end.wire.reach(trio.ingrid.peer, listener.host)
    eventually(lambda: len(hub.wire.peers()) == 2)
    eventually(
        lambda: all(
            view.met for it in (alice, bob) for view in it.party.node.books.channels.values()
        )
    )
    validity = UnixTime(trio.world.ledger.time + 5_000)
    challenge = Seconds(LIMITS.least_machine_challenge)
    command = CommandAddMachine(
        trio.left, Wei(300), Wei(200), validity, challenge, trio.alice.random(), trio.bob.peer
    )
    trio.alice.node.post((command,))
    eventually(lambda: bool(trio.alice.told(VirtualReady) and trio.bob.told(VirtualReady)))
    (ready,) = trio.alice.told(VirtualReady)
    machine = MachineId(ready.instance)  # type: ignore[attr-defined]
    for _ in range(100):
        trio.alice.node.post((CommandPay(machine, Wei(1)),))
    trio.bob.node.post((CommandPay(machine, Wei(7)),))

    def paid() -> bool:
        there = totals(trio.bob, machine)
        here = totals(trio.alice, machine)
        return bool(there and here and (there.received, here.received) == (100, 7))

    eventually(paid)
    # Those who meet again say again how they joined, which is heard once.
    faults = [what for it in trio.world.parties for what, _ in it.faults]
    assert {type(what.message) for what in faults} <= {AcceptChannel}  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(3))
def test_payments_survive_links_that_break_again_and_again(stack: ExitStack, seed: int) -> None:
    trio = trio_of()
    machine = MachineId(add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob))
    proxies = [stack.enter_context(Proxy(10 * seed + number)) for number in range(2)]
    alice, bob, hub = online(stack, trio, *(proxy.host for proxy in proxies))
    listener = hub.wire._listener
    assert listener is not None
    for proxy, end in zip(proxies, (alice, bob), strict=True):
        proxy.target = listener.port
        end.wire.reach(trio.ingrid.peer, proxy.host)
    eventually(lambda: len(hub.wire.peers()) == 2)
    for proxy in proxies:
        proxy.calm = False
    while min(proxy.faults for proxy in proxies) < 3:
        for party in (trio.alice, trio.bob):
            party.node.post((CommandPay(machine, Wei(1)),))
        eventually(lambda: len(hub.wire.peers()) == 2)
        eventually(lambda: not any(party.node.busy for party in trio.world.parties))
    for proxy in proxies:
        proxy.calm = True

    def agreed() -> bool:
        """Each has what the other has paid, which is as much as its lock covered."""
        here, there = totals(trio.alice, machine), totals(trio.bob, machine)
        return bool(here and there) and (here.sent, here.received) == (there.received, there.sent)

    eventually(agreed)
    faults = {type(error) for party in trio.world.parties for _, error in party.faults}
    assert faults <= {NotEnoughMoney, PeerNotAllowed}
