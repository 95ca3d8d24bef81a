"""A page's way to the chain says what a daemon's says, and takes the same for a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from perun import deployments
from perun.bindings import ms_contract_calls
from perun.bindings.failures import Garbled, NodeBusy, NodeRefused, NodeUnreachable, PoolRefused
from perun.bindings.proving import WrongCode
from perun.bindings.reverts import Reverted, RevertedWithReason
from perun.chain.rpc import RpcEndpoint
from perun.crypto import SecretKey
from perun.page.endpoint import PageEndpoint
from perun.page.network import NetworkOf, OtherChain, prove
from perun.page.rpc import Answer, Rpc
from perun.town.embedded import EmbeddedChain
from perun.town.rpc import Rpc as Served
from perun.types import ETH, Address


class Provider(JSONBaseProvider):
    """web3's way to the same node."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self.served = served

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        answer = self.served.answer(self.encode_rpc_request(method, params))
        found: RPCResponse = json.loads(answer)
        return found


class World:
    def __init__(self, folder: Path) -> None:
        self.chain = EmbeddedChain(folder)
        self.served = Served(self.chain)
        self.web3 = Web3(Provider(self.served))
        self.theirs = RpcEndpoint(self.web3)
        self.ours = PageEndpoint(Rpc(self.post))

    def post(self, body: str) -> Answer:
        return Answer(200, self.served.answer(body.encode()).decode())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("chain"))
    for _ in range(3):
        world.chain.mine()
    yield world
    world.chain.close()


def test_both_say_the_same_of_a_chain(world: World) -> None:
    key: SecretKey = world.chain.keys[0]
    account = key.public_key.address
    for number in (None, 0, 2, 99):
        assert world.ours.block(number) == world.theirs.block(number)
    for ask in (
        lambda node: node.finalized(),
        lambda node: node.chain_now(),
        lambda node: node.next_nonce(account),
        lambda node: node.next_nonce(account, 1),
        lambda node: node.balance(account),
        lambda node: node.tip(),
        lambda node: node.code(account),
        lambda node: node.logs((account,), 0, 3),
        lambda node: node.logs_of((account,), node.block(2)),
        lambda node: node.mined(bytes(32)),
    ):
        assert ask(world.ours) == ask(world.theirs)


def answered(answer: Answer) -> PageEndpoint:
    return PageEndpoint(Rpc(lambda _: answer))


def error(**fields: Any) -> Answer:
    return Answer(200, json.dumps({"jsonrpc": "2.0", "id": None, "error": fields}))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(0, "Timeout"), NodeUnreachable),
        (Answer(502, "<html>"), NodeUnreachable),
        (Answer(200, "<html>"), Garbled),
        (Answer(200, "{}"), Garbled),
        (Answer(200, "[" * 2_000), Garbled),
        (Answer(200, '{"id": -1, "result": null}'), Garbled),
        (Answer(200, '{"result": {"number": "0x1"}}'), Garbled),
        (Answer(200, '{"result": {"number": 1, "timestamp": 1, "hash": "0x"}}'), Garbled),
        (error(code=-32601, message="no such method"), NodeRefused),
        (error(code=-32000, message="header not found"), NodeBusy),
        (error(code=3, message="execution reverted", data="0x"), Reverted),
        (error(code=-32000, message="execution reverted: no"), RevertedWithReason),
        (error(code=-32000, message="VM", data={"data": "0x12345678"}), Reverted),
    ],
)
def test_each_answer_is_the_fault_it_is(answer: Answer, fault: type[Exception]) -> None:
    with pytest.raises(fault) as caught:
        answered(answer).block()
    assert type(caught.value) is not NodeRefused or fault is NodeRefused


def test_null_for_a_list_of_logs_is_an_empty_one() -> None:
    def null(question: str) -> Answer:
        return Answer(200, json.dumps({"id": json.loads(question)["id"], "result": None}))

    assert PageEndpoint(Rpc(null)).logs((Address(bytes(20)),), 1, 9) == ()


def test_what_a_pool_refuses_is_its_no() -> None:
    with pytest.raises(PoolRefused):
        answered(error(code=-32000, message="nonce too low")).send(b"\x02")


def test_a_strangers_words_are_cut_and_printable() -> None:
    said = "\x1b[2J" + "x" * 5_000
    with pytest.raises(NodeBusy) as caught:
        answered(error(code=1, message=said)).block()
    assert len(caught.value.reason) <= 201
    assert "\x1b" not in caught.value.reason


def test_contracts_count_if_code_and_domain_are_ours(world: World) -> None:
    suite = deployments.deploy(mining(world.chain, world.served))
    contracts = {
        name: Address(bytes.fromhex(where[2:]))
        for name, where in suite.addresses().items()
        if name in ("MSContract", "VPM", "HashTimeLock", "CoinFlip")
    }
    first = world.theirs.block(0)
    assert first is not None
    network = NetworkOf(31_337, first.hash, contracts)
    assert prove(world.ours, network).contract.contract == contracts["MSContract"]
    query = ms_contract_calls.credit(contracts["MSContract"], ETH, Address(bytes(19) + b"\x01"))
    head = world.ours.block()
    assert head is not None
    assert world.ours.ask(query, head.number) == world.theirs.ask(query, head.number) == 0

    with pytest.raises(WrongCode):
        prove(
            world.ours, NetworkOf(31_337, first.hash, {**contracts, "VPM": contracts["CoinFlip"]})
        )
    with pytest.raises(OtherChain):
        prove(world.ours, NetworkOf(31_337, bytes(32), contracts))


def mining(chain: EmbeddedChain, served: Served) -> Web3:
    """A chain that mines whatever is sent, at once."""

    class Mining(Provider):
        def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
            answer = super().make_request(method, params)
            if method.startswith("eth_send"):
                chain.mine()
            return answer

    return Web3(Mining(served))
