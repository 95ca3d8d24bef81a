"""Access lists in transactions: what a node says is asked for, bounded, and never waited for."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3

from perun.bindings import ms_contract_calls
from perun.bindings.access import cost
from perun.bindings.calls import Access, Call
from perun.bindings.failures import NodeUnreachable
from perun.chain.aside import Aside
from perun.chain.bidder import Bidder
from perun.chain.endpoint import Block
from perun.chain.fees import FeePolicy
from perun.chain.journal import MemoryJournal
from perun.chain.nonces import Nonces
from perun.chain.rpc import RpcEndpoint
from perun.chain.wishes import Wish
from perun.crypto import SecretKey
from perun.types import (
    ETH,
    Address,
    ChainId,
    Channel,
    ChannelId,
    Close,
    Nonce,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)
from perun.wallet.local import KeyAccount

CONTRACT, STRANGER = Address(b"\x11" * 20), Address(b"\x12" * 20)
KEY, BOB = SecretKey(b"\x01" * 32), Address(b"\x02" * 20)
HEAD = Block(5, b"\x05" * 32, UnixTime(1_000), Wei(7))
ESTIMATE = 90_000


class Node:
    """As much of a node as a bid asks, all of it good, but for what it says is touched."""

    chain_id = ChainId(1)

    def __init__(self, touched: Any) -> None:
        self._touched = touched
        self.sent: list[bytes] = []
        self.asked = 0

    def balance(self, account: Address) -> Wei:
        return Wei(10**18)

    def tip(self) -> Wei:
        return Wei(1)

    def estimate(self, call: Call, sender: Address) -> int:
        return (ESTIMATE if call.data else 21_000) + call.reserve

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        self.asked += 1
        if isinstance(self._touched, Exception):
            raise self._touched
        return self._touched

    def send(self, raw: bytes) -> None:
        self.sent.append(raw)


def close() -> Call:
    terms = (ETH, Seconds(3600), Nonce(1))
    channel = Channel(KEY.address, BOB, Address(b"\x03" * 20), Address(b"\x04" * 20), *terms)
    agreed = Close(ChannelId(bytes(32)), Wei(1), UnixTime(9), 0)
    return ms_contract_calls.close(CONTRACT, channel, agreed, Signature(b""), Signature(b""))


def bid(node: Node, call: Call) -> dict[str, Any]:
    """The transaction that a bid sends."""
    nonces = Nonces(MemoryJournal())
    bidder = Bidder(
        node,  # type: ignore[arg-type]  # as much as is asked
        KeyAccount(KEY),
        ChainId(1),
        nonces,
        FeePolicy(),
        lambda _: None,
        Aside(),
    )
    assert bidder.bid(0, Wish(b"k", "CloseChannel", call), HEAD)
    (raw,) = node.sent
    return dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())


def test_what_pays_is_named() -> None:
    node = Node((Access(BOB), Access(CONTRACT, (bytes(32),)), Access(STRANGER)))
    sent = bid(node, close())
    assert [bytes(item["address"]) for item in sent["accessList"]] == [BOB]
    assert sent["gas"] == ESTIMATE + close().reserve + cost((Access(BOB),))


@pytest.mark.parametrize(
    "said",
    [
        (),
        NodeUnreachable("no answer"),
        (Access(BOB, tuple(n.to_bytes(32, "big") for n in range(100))),),
        (Access(STRANGER, (bytes(32),)),),
    ],
    ids=["nothing", "silent", "too much", "strangers"],
)
def test_bid_goes_out_without_a_list(said: Any) -> None:
    sent = bid(Node(said), close())
    assert sent["accessList"] == ()
    assert sent["gas"] == ESTIMATE + close().reserve


def test_node_is_not_asked_where_nothing_can_be_won() -> None:
    node = Node((Access(BOB),))
    bid(node, Call(STRANGER, b"", Wei(1)))
    assert node.asked == 0


def test_node_without_the_method_says_nothing() -> None:
    assert RpcEndpoint(Web3(EthereumTesterProvider())).touched(close(), KEY.address) == ()
