"""Deploying is killed everywhere, lied to by nodes, raced by others: nothing is paid for twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from eth_account import Account as EthAccount
from web3 import EthereumTesterProvider, Web3

from perun.bindings.failures import NodeBusy, PoolRefused
from perun.bindings.suite import NODE_SUITE
from perun.chain.rpc import RpcEndpoint
from perun.crypto import SecretKey
from perun.crypto.interop import checksum
from perun.deployments import proved
from perun.hub.deploying import NAMES, BadPlan, Deployer, TooLittleEther, costs_of, created_at
from perun.testing.parties import key_of
from perun.wallet import KeyAccount

ETHER = 10**18
GENESIS = b"\x01" * 32
QUESTIONS = ("next_nonce", "balance", "tip", "estimate", "send", "mined", "code", "block")


class Killed(BaseException):
    """The process is gone."""


class Way:
    """An endpoint, and what happens on the way to it."""

    def __init__(self, real: RpcEndpoint, on_the_way: Callable[[str, Callable[[], Any]], Any]):
        self._real, self._on_the_way = real, on_the_way

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in QUESTIONS:
            return found
        return lambda *given: self._on_the_way(name, lambda: found(*given))


class Chain:
    """A chain in memory, and an account with ether."""

    def __init__(self, ether: int = 10) -> None:
        self.web3 = Web3(EthereumTesterProvider())
        self.real = RpcEndpoint(self.web3, finality_tag=False)
        self.key: SecretKey = key_of("operator")
        self.give(self.key, ether)

    def give(self, key: SecretKey, ether: int) -> None:
        rich = self.web3.eth.accounts[0]
        to = checksum(key.address)
        self.web3.eth.send_transaction({"from": rich, "to": to, "value": ether * ETHER})  # type: ignore[typeddict-item]

    @property
    def used(self) -> int:
        """Transactions of the account that were mined."""
        return self.real.next_nonce(self.key.address)

    def deployer(self, file: Path, way: object = None, **more: Any) -> Deployer:
        more.setdefault("pause", self.mine)
        return Deployer(way or self.real, GENESIS, KeyAccount(self.key), file, **more)  # type: ignore[arg-type]

    def mine(self) -> None:
        self.web3.provider.make_request("evm_mine", [])  # type: ignore[arg-type]

    def stands(self, found: dict[str, Any]) -> None:
        assert tuple(found) == NAMES
        for name in NAMES:
            proved(self.web3, NODE_SUITE[name], found[name])


@pytest.fixture
def chain() -> Chain:
    return Chain()


def test_a_transaction_for_each_contract_and_again_none(chain: Chain, tmp_path: Path) -> None:
    found = chain.deployer(tmp_path / "plan").deploy()
    chain.stands(found)
    assert chain.used == len(NAMES)
    assert found["MSContract"] == created_at(chain.key.address, 0)
    assert chain.deployer(tmp_path / "plan").deploy() == found
    assert chain.used == len(NAMES)


def test_contracts_that_come_later_are_counted_once(chain: Chain, tmp_path: Path) -> None:
    """A newer version knows one more, and the hub counts its costs since it first ran."""
    file, account = tmp_path / "plan", chain.key.address
    chain.deployer(file).deploy(NAMES[:-1])
    begun, before = chain.used, chain.real.balance(account)
    assert costs_of(file, account, begun, (), chain.real) == []
    chain.deployer(file).deploy()
    (paid,) = costs_of(file, account, begun, (), chain.real)
    assert paid.succeeded
    assert paid.paid == before - chain.real.balance(account)
    assert costs_of(file, account, begun, (paid.hash,), chain.real) == []
    assert costs_of(file, key_of("another").address, begun, (), chain.real) == []
    assert costs_of(tmp_path / "none", account, begun, (), chain.real) == []


def test_killed_at_every_question_it_pays_for_none_twice(tmp_path: Path) -> None:
    """By turns before the question is asked, and after it, before the answer is heard."""
    for moment in range(0, 1_000, 3):
        chain, file = Chain(), tmp_path / str(moment)
        left = [moment // 2]

        def on_the_way(
            _: str, ask: Callable[[], Any], left: list[int] = left, after: bool = moment % 2 == 1
        ) -> Any:
            left[0] -= 1
            if left[0] < 0 and not after:
                raise Killed
            answer = ask()
            if left[0] < 0:
                raise Killed
            return answer

        try:
            chain.deployer(file, Way(chain.real, on_the_way)).deploy()
        except Killed:
            found = chain.deployer(file).deploy()
        else:
            assert moment > 40
            return
        chain.stands(found)
        assert chain.used == len(NAMES), moment


@pytest.mark.parametrize("seed", range(6))
def test_a_node_that_fails_lags_and_forgets_is_seen_through(seed: int, tmp_path: Path) -> None:
    """429 at any question, receipts that are not there, code and nonces of some blocks ago."""
    chain, random = Chain(), Random(seed)
    olds: dict[str, list[Any]] = {"code": [b""], "next_nonce": [0]}

    def on_the_way(name: str, ask: Callable[[], Any]) -> Any:
        dice = random.random()
        if dice < 0.3:
            raise NodeBusy("429 too many requests")
        answer = ask()
        if name == "send" and dice < 0.5:
            raise PoolRefused("already known")
        if name == "mined" and dice < 0.7:
            return None
        if name in olds:
            olds[name].append(answer)
            return random.choice(olds[name][-4:]) if name == "next_nonce" else answer
        return answer

    file = tmp_path / "plan"
    for _ in range(3):
        found = begun(chain, file, Way(chain.real, on_the_way)).deploy()
        chain.stands(found)
        assert chain.used == len(NAMES)


def begun(chain: Chain, file: Path, way: Way) -> Deployer:
    while True:
        try:
            return chain.deployer(file, way)
        except NodeBusy:
            continue


def test_a_nonce_that_somebody_else_has_used_is_given_up(chain: Chain, tmp_path: Path) -> None:
    """Between the plan and the transaction another program sends from the account."""
    done = []

    def on_the_way(name: str, ask: Callable[[], Any]) -> Any:
        if name == "send" and not done:
            done.append(True)
            account = EthAccount.from_key(chain.key.secret)
            signed = account.sign_transaction(
                {
                    "to": chain.web3.eth.accounts[1],
                    "value": 1,
                    "nonce": 0,
                    "gas": 21_000,
                    "maxFeePerGas": 10**11,
                    "maxPriorityFeePerGas": 10**9,
                    "chainId": chain.real.chain_id,
                }
            )
            chain.web3.eth.send_raw_transaction(signed.raw_transaction)
        return ask()

    said: list[str] = []
    found = chain.deployer(tmp_path / "plan", Way(chain.real, on_the_way), say=said.append).deploy()
    chain.stands(found)
    assert chain.used == len(NAMES) + 1
    assert any("came to nothing, trying anew" in line for line in said)


def test_who_has_too_little_ether_sends_nothing(tmp_path: Path) -> None:
    chain = Chain(ether=0)
    with pytest.raises(TooLittleEther, match="has 0 wei, deploying may cost"):
        chain.deployer(tmp_path / "plan").deploy()
    assert chain.used == 0
    chain.give(chain.key, 1)
    chain.stands(chain.deployer(tmp_path / "plan").deploy())


def test_a_plan_of_another_account_or_chain_is_refused(chain: Chain, tmp_path: Path) -> None:
    file = tmp_path / "plan"
    chain.deployer(file).deploy()
    chain.key = key_of("somebody else")
    with pytest.raises(BadPlan, match="it is about account"):
        chain.deployer(file)
    chain.key = key_of("operator")
    with pytest.raises(BadPlan, match="it is about genesis"):
        Deployer(chain.real, b"\x02" * 32, KeyAccount(chain.key), file)
    file.write_text("{")
    with pytest.raises(BadPlan):
        chain.deployer(file)
