"""Chains to play on, with one narrow face: deploy, call, set the clock, look at balances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import pyrevm

from perun.crypto import SecretKey, keccak

CHAIN_ID = 131277322940537
"""eth-tester's, so that a trace with its signatures can be replayed there."""

GENESIS = 2**34 - 2**31
"""Unix time at which the arena starts: late enough for `now + challenge` to leave 34 bits."""

RICH = 10**24
BLOCK_GAS = 60_000_000


@dataclass(frozen=True, slots=True)
class Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Result:
    success: bool
    output: bytes
    """Return data, or the data of the revert; empty if gas ran out."""
    logs: tuple[Log, ...]


class Chain(Protocol):
    def deploy(self, code: bytes) -> bytes: ...

    def call(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> Result: ...

    def view(self, to: bytes, data: bytes) -> bytes: ...

    def set_time(self, now: int) -> None: ...

    def balance(self, account: bytes) -> int: ...


DEPLOYER_KEY = SecretKey(keccak(b"deployer"))
"""Deploys everything and does nothing else, so that addresses are the same on every chain."""

DEPLOYER = DEPLOYER_KEY.address


class Revm:
    """revm in process, through pyrevm. Calls are free of charge, so balances are exact.

    Transient storage is reset before each call; nothing is ever committed (both are pyrevm's
    pitfalls: a guard would stay closed, and later calls would fail with CallTooDeep).
    """

    def __init__(self, people: list[bytes]) -> None:
        cfg = pyrevm.CfgEnv(chain_id=CHAIN_ID)
        self._evm = pyrevm.EVM(env=pyrevm.Env(cfg=cfg), spec_id="PRAGUE", gas_limit=BLOCK_GAS)
        for person in [DEPLOYER, *people]:
            self._evm.set_balance(_hex(person), RICH)
        self.set_time(GENESIS)

    def deploy(self, code: bytes) -> bytes:
        self._evm.reset_transient_storage()
        return bytes.fromhex(self._evm.deploy(_hex(DEPLOYER), code)[2:])

    def call(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> Result:
        evm = self._evm
        evm.reset_transient_storage()
        try:
            output = evm.message_call(_hex(sender), _hex(to), calldata=data, value=value, gas=gas)
        except RuntimeError as error:
            found = re.search(r"output: 0x([0-9a-f]*)", str(error))
            return Result(False, bytes.fromhex(found[1]) if found else b"", ())
        logs = tuple(
            Log(bytes.fromhex(log.address[2:]), tuple(log.data[0]), log.data[1])
            for log in evm.result.logs
        )
        return Result(True, output, logs)

    def view(self, to: bytes, data: bytes) -> bytes:
        self._evm.reset_transient_storage()
        return self._evm.message_call(_hex(DEPLOYER), _hex(to), calldata=data, is_static=True)

    def set_time(self, now: int) -> None:
        self._evm.set_block_env(
            pyrevm.BlockEnv(number=1, timestamp=now, gas_limit=BLOCK_GAS, basefee=0)
        )

    def balance(self, account: bytes) -> int:
        return self._evm.get_balance(_hex(account))

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What happens inside is undone at the end."""
        snapshot = self._evm.snapshot()
        try:
            yield
        finally:
            self._evm.revert(snapshot)


def _hex(address: bytes) -> str:
    return "0x" + address.hex()
