"""The embedded chain: what our own chain port, and anybody's web3, ask of an Ethereum node."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import perun
from perun.bindings.calls import Call, Fees, transaction
from perun.chain.memory import rich_key
from perun.chain.rpc import RpcEndpoint, connect
from perun.town.block_file import BlockFile
from perun.town.embedded import EmbeddedChain
from perun.town.rpc import Rpc
from perun.town.serving import keep_embedded
from perun.types import Address, ChainId, Wei
from perun.wallet import KeyAccount

GWEI = 10**9
BOB = Address(b"\xb0" * 20)


@contextmanager
def served(folder: Path) -> Iterator[RpcEndpoint]:
    """The chain of a folder, with a block every second."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    ready, stop = threading.Event(), threading.Event()
    arguments = folder, port, ready.set, lambda _: None, stop
    thread = threading.Thread(target=keep_embedded, args=arguments)
    thread.start()
    try:
        assert ready.wait(timeout=60)
        yield connect(f"http://127.0.0.1:{port}")
    finally:
        stop.set()
        thread.join()


def test_contracts_work_and_are_there_after_a_restart(tmp_path: Path) -> None:
    with served(tmp_path) as endpoint:
        web3 = endpoint.web3
        rich = perun.address(web3.eth.accounts[0])
        suite = perun.deploy(web3)
        perun.save(suite, tmp_path / "contracts.json")
        receipt = suite.ms_contract.fund(perun.ETH, rich, perun.parse_ether("1"), sender=rich)
        assert receipt.only(perun.events.Credited).amount == 10**18
        with pytest.raises(perun.reverts.InsufficientCredit):
            suite.ms_contract.claim(perun.ETH, perun.parse_ether("5"), rich, sender=rich)
        head = endpoint.block()
        assert head is not None
        (log,) = endpoint.logs((suite.ms_contract.address,), 0, head.number)
        first = endpoint.block(0)

    with served(tmp_path) as endpoint:
        suite = perun.load(endpoint.web3, tmp_path / "contracts.json")
        assert suite.ms_contract.credit(perun.ETH, rich) == 10**18
        assert endpoint.block(0) == first
        assert endpoint.block(head.number) == head
        assert endpoint.logs((suite.ms_contract.address,), 0, head.number) == (log,)
        mined = endpoint.mined(log.transaction)
        assert mined is not None
        assert mined.succeeded


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[EmbeddedChain]:
    chain = EmbeddedChain(tmp_path)
    yield chain
    chain.close()


def ask(chain: EmbeddedChain, method: str, *params: object) -> Any:
    """A result, or the error."""
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    answer = msgspec.json.decode(Rpc(chain).answer(body))
    assert answer["id"] == 7
    return answer.get("result", answer.get("error"))


def payment(nonce: int, most: int = 10 * GWEI, value: int = 1, who: int = 0) -> bytes:
    """A signed transaction of a rich account to Bob."""
    account = KeyAccount(rich_key(who))
    params = transaction(
        Call(BOB, b"", Wei(value)),
        sender=account.address,
        chain_id=ChainId(31_337),
        nonce=nonce,
        gas=21_000,
        fees=Fees(Wei(most), Wei(GWEI)),
    )
    return account.sign_transaction(params)[0]


def send(chain: EmbeddedChain, raw: bytes) -> Any:
    return ask(chain, "eth_sendRawTransaction", "0x" + raw.hex())


def test_transactions_are_mined_in_the_order_of_their_nonces(chain: EmbeddedChain) -> None:
    for nonce in (2, 0, 1, 5):
        send(chain, payment(nonce))
    account = "0x" + rich_key(0).public_key.address.hex()
    assert ask(chain, "eth_getTransactionCount", account, "pending") == "0x3"
    chain.mine()
    assert ask(chain, "eth_getTransactionCount", account, "latest") == "0x3"
    assert ask(chain, "eth_getBalance", "0x" + BOB.hex(), "latest") == "0x3"
    assert [place[1] for place in chain.pool] == [5]
    assert chain.waiting() == 0
    assert len(ask(chain, "eth_getBlockByNumber", "latest", False)["transactions"]) == 3


def test_pool_refuses_as_nodes_do(chain: EmbeddedChain) -> None:
    known = payment(0)
    send(chain, known)
    for raw, words in (
        (known, "already known"),
        (payment(0, value=2), "replacement transaction underpriced"),
        (payment(0, value=10**25, who=1), "insufficient funds"),
        (b"\x02\xc0", "invalid transaction"),
        (known[:-1] + bytes([known[-1] ^ 1]), "insufficient funds"),  # by somebody else, so poor
    ):
        assert words in send(chain, raw)["message"]
    send(chain, payment(0, most=20 * GWEI, value=3))
    chain.mine()
    assert ask(chain, "eth_getBalance", "0x" + BOB.hex(), "latest") == "0x3"
    assert "nonce too low" in send(chain, payment(0, value=4))["message"]


def test_what_cannot_be_answered_is_an_error_and_ends_nothing(chain: EmbeddedChain) -> None:
    for method, *params in (
        ("eth_nothing",),
        ("eth_getBalance",),
        ("eth_getBalance", "0xzz", "latest"),
        ("eth_getBalance", "0x" + "00" * 20, "0x99"),
        ("eth_getBlockByNumber", {}, False),
        ("eth_getLogs", {"blockHash": "0x" + "00" * 32}),
        ("eth_call", {"to": 5}, "latest"),
        ("eth_sendTransaction", {"from": "0x" + "11" * 20}),
    ):
        assert ask(chain, method, *params)["code"] < 0, method
    for body in (b"", b"[[[[", b"3", b'{"params":3}', b"[1]"):
        assert b"error" in Rpc(chain).answer(body)
    assert ask(chain, "eth_blockNumber") == "0x0"


def test_final_blocks_are_two_behind(chain: EmbeddedChain) -> None:
    for _ in range(5):
        chain.mine()
    assert ask(chain, "eth_getBlockByNumber", "finalized", False)["number"] == "0x3"
    times = [
        int(ask(chain, "eth_getBlockByNumber", hex(n), False)["timestamp"], 16) for n in range(6)
    ]
    assert times == sorted(set(times)), "each is later than the one before"


def test_a_block_is_there_wholly_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = EmbeddedChain(tmp_path)
    send(chain, payment(0))

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(BlockFile, "put_block", full)
        with pytest.raises(OSError, match="no space"):
            chain.mine()
    chain.close()

    again = EmbeddedChain(tmp_path)
    assert again.height == 0
    send(again, payment(0))
    again.mine()
    assert ask(again, "eth_getBalance", "0x" + BOB.hex(), "latest") == "0x1"
    again.close()
