"""Daemons over real sockets and a real chain: a channel with a hub, payments over it, a close."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from perun.api.client import CallRefused
from perun.chain.anvil import Anvil
from perun.daemon.carrying import Swap, keep, kept
from tests.node.processes.daemon.town import ETHER, Town, address_of, until

pytestmark = pytest.mark.chain


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Anvil(options=["--block-time", "1"]) as anvil:
        town = Town(tmp_path, anvil)
        try:
            yield town
        finally:
            town.close()


def test_request_is_paid_over_a_hub_and_the_money_comes_home(town: Town) -> None:
    hub, _ = town.hub()
    (alice, alice_node), (_, bob_node) = (
        town.settle(name, address_of(hub)) for name in ("alice", "bob")
    )
    for node in (alice_node, bob_node):
        opening = node.open(address_of(hub), "0.1 ether", peer_amount="0.1 ether", consent=True)
        assert opening.state == "offered"
    for node in (alice_node, bob_node):
        until(lambda node=node: [c.peer_free for c in node.channels()] == [str(ETHER // 10)])  # type: ignore[misc]

    behind = f"{bob_node.status().node}@{address_of(hub).partition('@')[2]}"
    with pytest.raises(CallRefused, match="which only passes things on; ask for the account"):
        alice_node.open(behind, "0.01 ether", consent=True)

    request = bob_node.request("0.01 ether", memo="two coffees")
    payment = alice_node.pay(request.uri, text="thanks")
    assert (payment.step, payment.amount) == ("done", str(ETHER // 100))
    assert payment.receipt is not None
    (income,) = bob_node.payments()
    assert (income.direction, income.request, income.text) == ("in", request.id, "thanks")
    assert alice_node.pay(request.uri).id == payment.id  # a request is paid once
    assert len(bob_node.payments()) == 1
    again = bob_node.request("0.02 ether")
    assert alice_node.pay(again.uri).step == "done"

    too_much = bob_node.request("5 ether")
    with pytest.raises(CallRefused, match="top it up, or pay less"):
        alice_node.pay(too_much.uri)

    before = town.web3.eth.get_balance(town.web3.to_checksum_address(alice.config.identity.account))
    (channel,) = alice_node.channels()
    alice_node.close(channel.id)
    until(lambda: not alice_node.channels())
    after = town.web3.eth.get_balance(town.web3.to_checksum_address(alice.config.identity.account))
    # 0.1 ether less 0.03 paid, the hub's fees, and what gas costs: Bob may have sent the close.
    assert 0.06 * ETHER < after - before < 0.0701 * ETHER


def test_daemon_looks_after_the_swaps_in_its_folder(town: Town) -> None:
    """This one is over, and forgotten; what it does about others: `test_swaps.py`."""
    daemon, _ = town.settle("alice")
    hash = "0x" + 64 * "a"
    keep(daemon.home, Swap(hash, "", str(daemon.home), lock=hash))
    until(lambda: not [*kept(daemon.home)])
