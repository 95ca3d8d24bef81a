"""A game written down as plain transactions, and played again on another chain.

pyrevm is fast but is no node. A trace is a list of transactions with the time at which each was
mined and what revm made of it; `replay` sends the same bytes to eth-tester (py-evm) or anvil and
says where they differ. Addresses come out the same because one account deploys everything in
the same order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils import to_checksum_address
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, HTTPProvider, Web3
from web3.types import RPCEndpoint

from perun.spec import Host
from perun.types import Address
from tests.games.stateful.arena import Step
from tests.games.stateful.cast import OPERATOR, PEOPLE, Stage
from tests.games.stateful.evm import CHAIN_ID, DEPLOYER_KEY, GENESIS, Log, Result

BLOCK_GAS = 1_000_000_000
BALANCE = 10**27


@dataclass(frozen=True, slots=True)
class Mined:
    """What a transaction came to on a chain with receipts."""

    success: bool
    logs: tuple[Log, ...]
    gas: int


class Web3Chain:
    """A chain behind web3, with the face of `evm.Chain` for setting the stage."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3

    def deploy(self, code: bytes) -> bytes:
        sent = self._send({"from": DEPLOYER_KEY.address, "data": code, "gas": 15_000_000})
        receipt = self.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)
        return bytes.fromhex(receipt["contractAddress"][2:])

    def call(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> Result:
        sent = self.send(sender, to, data, value, gas)
        return Result(self.receipt(sent).success, b"", ())

    def send(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> HexBytes:
        return self._send({"from": sender, "to": to, "data": data, "value": value, "gas": gas})

    def receipt(self, sent: HexBytes) -> Mined:
        receipt = self.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)
        logs = tuple(
            Log(
                bytes.fromhex(log["address"][2:]),
                tuple(bytes(topic) for topic in log["topics"]),
                bytes(log["data"]),
            )
            for log in receipt["logs"]
        )
        return Mined(receipt["status"] == 1, logs, receipt["gasUsed"])

    def _send(self, transaction: dict[str, Any]) -> HexBytes:
        for name in ("from", "to"):
            if name in transaction:
                transaction[name] = to_checksum_address(transaction[name])
        transaction |= {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 0}
        return self.w3.eth.send_transaction(transaction)

    def view(self, to: bytes, data: bytes) -> bytes:
        return bytes(self.w3.eth.call({"to": to_checksum_address(to), "data": data}))

    def balance(self, account: bytes) -> int:
        return self.w3.eth.get_balance(to_checksum_address(account))

    def set_time(self, now: int) -> None:
        """The next block has this time."""
        raise NotImplementedError

    def hold(self) -> None:
        """From now on, blocks are mined by `mine` alone."""
        raise NotImplementedError

    def mine(self) -> None:
        raise NotImplementedError


class PyEvm(Web3Chain):
    """py-evm, through eth-tester's backend: eth-tester itself mines one transaction a block."""

    def __init__(self) -> None:
        self._keys = {to_checksum_address(key.address): key for key in (DEPLOYER_KEY, *PEOPLE)}
        self._nonces = dict.fromkeys(self._keys, 0)
        self._held = False
        state = {
            key.address: {"balance": BALANCE, "nonce": 0, "code": b"", "storage": {}}
            for key in self._keys.values()
        }
        parameters = PyEVMBackend.generate_genesis_params(
            {"gas_limit": BLOCK_GAS, "timestamp": GENESIS - 1_000_000}
        )
        self._backend = PyEVMBackend(genesis_parameters=parameters, genesis_state=state)
        super().__init__(Web3(EthereumTesterProvider(EthereumTester(self._backend))))

    def _send(self, transaction: dict[str, Any]) -> HexBytes:
        sender = to_checksum_address(transaction.pop("from"))
        if "to" in transaction:
            transaction["to"] = to_checksum_address(transaction["to"])
        transaction |= {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 0, "value": 0} | transaction
        transaction |= {"nonce": self._nonces[sender], "chainId": CHAIN_ID}
        self._nonces[sender] += 1
        signed = Account.sign_transaction(transaction, self._keys[sender].secret)
        sent = self._backend.send_raw_transaction(bytes(signed.raw_transaction))
        if not self._held:
            self.mine()
        return HexBytes(sent)

    def set_time(self, now: int) -> None:
        self._backend.chain.header = self._backend.chain.header.copy(timestamp=now)

    def hold(self) -> None:
        self._held = True

    def mine(self) -> None:
        self._backend.mine_blocks(1)


class Anvil(Web3Chain):
    """revm with blocks and receipts. Started with `--hardfork prague --order fifo` and our id."""

    def __init__(self, url: str) -> None:
        super().__init__(Web3(HTTPProvider(url)))
        for key in (DEPLOYER_KEY, *PEOPLE):
            address = to_checksum_address(key.address)
            self._rpc("anvil_setBalance", [address, hex(BALANCE)])
            self._rpc("anvil_impersonateAccount", [address])

    def _rpc(self, method: str, parameters: list[Any]) -> None:
        answer = self.w3.provider.make_request(RPCEndpoint(method), parameters)
        assert "error" not in answer, answer

    def set_time(self, now: int) -> None:
        self._rpc("evm_setNextBlockTimestamp", [now])

    def hold(self) -> None:
        self._rpc("evm_setAutomine", [False])

    def mine(self) -> None:
        self._rpc("evm_mine", [])


# --------------------------------------------------------------------------------------- the replay


def replay(steps: Sequence[Step], chain: Web3Chain) -> list[Mined]:
    """Send every transaction of a trace, a block for each moment; what each came to."""
    stage = Stage(chain)
    stage.furnish(Host())
    chain.hold()
    results: list[Mined] = []
    for now, group in groupby(steps, key=lambda step: step.now):
        chain.set_time(now)
        sent = [_send(stage, chain, step) for step in group]
        chain.mine()
        results += [chain.receipt(one) for one in sent]
    return results


def _send(stage: Stage, chain: Web3Chain, step: Step) -> HexBytes:
    to, sender, data, gas = stage.addresses[step.to], step.sender, step.data, step.gas
    if sender in stage.wallets:
        data = stage.codecs["Wallet"].call("execute", (to, step.value, data))
        to, sender, gas = sender, OPERATOR, gas + 100_000
    return chain.send(sender, to, data, step.value, gas)


def differences(steps: Sequence[Step], mined: Sequence[Mined]) -> list[str]:
    """Where another chain does not do what revm did in process, step by step."""
    found: list[str] = []
    for number, (step, other) in enumerate(zip(steps, mined, strict=True)):
        if other.success != step.success:
            found.append(f"step {number} to {step.to}: {step.success} / {other.success}")
        elif other.logs != step.logs:
            found.append(f"step {number} to {step.to}: other logs")
    return found


def write(path: Path, steps: Sequence[Step]) -> None:
    """A trace as JSON, readable by hand."""
    rows = [
        {
            "now": step.now,
            "sender": step.sender.hex(),
            "to": step.to,
            "data": step.data.hex(),
            "value": step.value,
            "gas": step.gas,
            "success": step.success,
            "logs": [
                [log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()]
                for log in step.logs
            ],
        }
        for step in steps
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"chain": CHAIN_ID, "steps": rows}, indent=1))


def read(path: Path) -> list[Step]:
    raw = bytes.fromhex
    return [
        Step(
            row["now"],
            Address(raw(row["sender"])),
            row["to"],
            raw(row["data"]),
            row["value"],
            row["gas"],
            row["success"],
            tuple(
                Log(raw(at), tuple(raw(topic) for topic in topics), raw(data))
                for at, topics, data in row["logs"]
            ),
        )
        for row in json.loads(path.read_text())["steps"]
    ]
