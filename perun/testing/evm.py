"""revm in this process, with the real bytecode: thousands of calls in the time of one on a node.

Calls are free of charge, so that balances show money of channels and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyrevm

from perun.bindings.artifacts import artifact
from perun.core.config import Deployment
from perun.core.nanocontracts.kinds import KINDS
from perun.node.settings import deployment_of
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["CALL_GAS", "CHAIN_ID", "Evm", "Outcome", "RawLog"]

CHAIN_ID: Final = ChainId(31337)
"""That of development chains, so that their limits hold."""

_NOTHING: Final = Wei(0)
CALL_GAS: Final = 16_000_000
_DEPLOYER: Final = Address(bytes.fromhex("de" * 20))
_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class RawLog:
    """What a contract logged, before it has a place in a block."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did."""

    succeeded: bool
    output: bytes
    """Returned data, or the revert's."""
    logs: tuple[RawLog, ...]
    gas_used: int


class Evm:
    """A world with the suite and the rules of a game deployed, and nothing else in it."""

    def __init__(self) -> None:
        settings = pyrevm.CfgEnv(chain_id=CHAIN_ID)
        self._evm = pyrevm.EVM(env=pyrevm.Env(cfg=settings), spec_id="PRAGUE", gas_limit=60_000_000)
        self.enrich(_DEPLOYER, Wei(10**24))
        names = ("MSContract", *(kind.domain.contract_name for kind in KINDS.values()))
        places = {name: self.deploy(artifact(name).creation) for name in names}
        self.deployment: Deployment = deployment_of(CHAIN_ID, places)
        self.tic_tac_toe = self.deploy(artifact("TicTacToe").creation)
        """Rules of a game."""

    def deploy(self, creation: bytes) -> Address:
        """Another contract, such as a token."""
        self._evm.reset_transient_storage()
        found = self._evm.deploy(_hex(_DEPLOYER), creation)
        return Address(bytes.fromhex(found.removeprefix("0x")))

    def enrich(self, account: Address, balance: Wei) -> None:
        """Sets an account's ETH."""
        self._evm.set_balance(_hex(account), balance)

    def balance(self, account: Address) -> Wei:
        """ETH of an account, wei."""
        return Wei(self._evm.get_balance(_hex(account)))

    def code(self, account: Address) -> bytes:
        """What runs there; empty if nothing does."""
        return bytes(self._evm.get_code(_hex(account)) or b"").rstrip(b"\0")

    def set_block(self, number: int, time: UnixTime) -> None:
        """What calls from now on see as their block."""
        self._evm.set_block_env(
            pyrevm.BlockEnv(number=number, timestamp=time, gas_limit=60_000_000, basefee=0)
        )

    def call(
        self, sender: Address, to: Address, data: bytes, value: Wei = _NOTHING, gas: int = CALL_GAS
    ) -> Outcome:
        """A transaction: changes the world unless it fails."""
        # A real one would end with its transaction; revm's lasts.
        self._evm.reset_transient_storage()
        try:
            output = self._evm.message_call(
                _hex(sender), _hex(to), calldata=data, value=value, gas=gas
            )
        except RuntimeError as error:
            found = _OUTPUT.search(str(error))
            return Outcome(False, bytes.fromhex(found[1]) if found else b"", (), gas)
        result = self._evm.result
        assert result is not None
        logs = tuple(
            RawLog(
                Address(bytes.fromhex(log.address.removeprefix("0x"))),
                tuple(bytes(topic) for topic in log.data[0]),
                bytes(log.data[1]),
            )
            for log in result.logs
        )
        return Outcome(True, bytes(output), logs, int(result.gas_used))

    def snapshot(self) -> pyrevm.JournalCheckpoint:
        """Something to `revert` to; those made later are then gone."""
        return self._evm.snapshot()

    def revert(self, snapshot: pyrevm.JournalCheckpoint) -> None:
        """Undoes everything since."""
        self._evm.revert(snapshot)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What happens inside is undone."""
        snapshot = self._evm.snapshot()
        try:
            yield
        finally:
            self._evm.revert(snapshot)


def _hex(address: bytes) -> str:
    return "0x" + address.hex()
