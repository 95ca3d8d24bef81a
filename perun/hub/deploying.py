"""Deploys the contracts that a hub needs, so that being killed at any moment pays for none twice.

A contract's address follows from its sender and the nonce of the transaction, and of all that is
signed under one nonce only one is ever mined. So nonce and transaction are on disk before they
leave, and whoever begins again goes on with the same. Another nonce is taken only when a receipt
says that the transaction failed, or when the nonce is used and for many looks nobody knows anything
of ours: lagging replicas and lost receipts say so too, for a while.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec
import rlp
from msgspec.structs import replace

from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call, Fees, transaction
from perun.bindings.failures import NodeRefused, PoolRefused
from perun.bindings.suite import NODE_SUITE
from perun.chain.endpoint import Block
from perun.chain.fees import FeePolicy, first_fees, higher_fees
from perun.chain.reports import Paid
from perun.chain.rpc import RpcEndpoint
from perun.crypto.hashing import keccak
from perun.crypto.interop import checksum
from perun.deployments import WrongCode
from perun.errors import ChainFault, StoreFault
from perun.nesting import read_json
from perun.types import Address, Record
from perun.wallet import KeyAccount

__all__ = [
    "NAMES",
    "PLAN_NAME",
    "BadPlan",
    "Deployer",
    "Placed",
    "TooLittleEther",
    "costs_of",
    "created_at",
]

NAMES: Final = tuple(NODE_SUITE)
PLAN_NAME: Final = "deploying.json"
"""The file in a hub's folder."""
DEPLOY: Final = "Deploy"
_LOOKS: Final = 60
"""So often in a row a used nonce must show nothing of ours before it counts as somebody else's."""
_BLOCKS: Final = 3
"""… and in so many blocks."""
_GIVE_UP: Final = 600
"""Faults of the node in a row after which its fault is raised."""
_CREATE_GAS: Final = 150_000
_BYTE_GAS: Final = 240
"""Of each byte: 200 to be kept, 16 to be sent, and what the constructor does."""


@dataclass(eq=False)
class TooLittleEther(ChainFault):
    """The account cannot pay for the contracts."""

    account: str
    balance: str
    needed: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{account} has {balance} wei, deploying may cost {needed} wei"
    hint: ClassVar[str] = "send it some, and start again: nothing is paid for twice"


@dataclass(eq=False)
class BadPlan(StoreFault):
    """The file with what was begun cannot be read, or is about another account or chain."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"
    hint: ClassVar[str] = "use the account and the chain that it was begun with, or another folder"


class Placed(Record, frozen=True):
    """A contract on its way, or there."""

    nonce: int
    sent: tuple[bytes, ...] = ()
    """Signed transactions, the newest last."""
    fees: Fees | None = None
    """Of the newest."""
    there: bool = False
    """Its code was seen."""


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    chain: int
    genesis: str
    account: str
    since: int
    """Block before the first transaction."""
    contracts: dict[str, Placed] = {}


def created_at(sender: Address, nonce: int) -> Address:
    """Where a contract comes to stand (CREATE)."""
    return Address(keccak(rlp.encode([bytes(sender), nonce]))[12:])


def costs_of(
    file: Path, account: Address, nonce: int, known: Collection[bytes], endpoint: RpcEndpoint
) -> list[Paid]:
    """What an account has paid for contracts from a nonce on: those that a newer version has
    brought to a hub whose costs were counted already.

    Args:
        known: hashes of the transactions whose costs are known.

    Raises:
        BadPlan: the file cannot be read.
        ChainFault: the node does not say.
    """
    try:
        plan = read_json(file.read_bytes(), _Plan)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise BadPlan(str(file), str(error)) from None
    if plan.account != checksum(account):
        return []
    found = []
    for name, placed in plan.contracts.items():
        for raw in placed.sent if placed.nonce >= nonce else ():
            hash = keccak(raw)
            mined = None if hash in known else endpoint.mined(hash)
            if mined is not None:
                how = (mined.block, mined.succeeded, mined.gas_used, mined.paid)
                found.append(Paid(name.encode(), hash, *how, DEPLOY))
    return found


class Deployer:
    """One account's, on one chain; one process at a time."""

    def __init__(
        self,
        endpoint: RpcEndpoint,
        genesis: bytes,
        account: KeyAccount,
        file: Path,
        *,
        say: Callable[[str], None] = lambda _: None,
        pause: Callable[[], None] = lambda: time.sleep(1.0),
        policy: FeePolicy | None = None,
    ) -> None:
        """Args:
        file: keeps what was begun.
        say: told of each step.
        pause: between two looks at the chain.

        Raises:
            BadPlan: the file is about something else.
            ChainFault: the chain cannot be asked.
        """
        self._endpoint, self._account, self._file = endpoint, account, file
        self._say, self._pause, self._policy = say, pause, policy or FeePolicy()
        self._sent_at = 0
        """Block at which this process has signed last."""
        self._refused = ""
        self._plan = self._read(genesis)

    @property
    def since(self) -> int:
        """A block before all of them."""
        return self._plan.since

    def deploy(self, names: Sequence[str] = NAMES) -> dict[str, Address]:
        """The addresses by name, once all of them stand.

        Raises:
            TooLittleEther: before anything is sent that cannot be paid for.
            ChainFault: the chain has failed for long; what was sent is known, and gone on with.
            StoreFault: the file cannot be written; nothing more is sent.
        """
        return {name: self._place(name) for name in names}

    # ---------------------------------------------------------------------------- one contract

    def _place(self, name: str) -> Address:
        missed, missed_at, faults = 0, -1, 0
        while True:
            placed = self._plan.contracts.get(name)
            try:
                if placed is None:
                    placed = self._begin(name)
                where = created_at(self._account.address, placed.nonce)
                if self._stands(name, where):
                    self._write(name, replace(placed, there=True))
                    self._say(f"{name} is at {checksum(where)}")
                    return where
                head, fate = self._head(), self._fate(placed)
                used = self._endpoint.next_nonce(self._account.address, head.number)
                if fate is True:
                    missed = 0  # Mined; this replica will hear of it.
                elif used <= placed.nonce:
                    missed = 0
                    self._send(name, placed, head)
                else:
                    missed_at = head.number if not missed else missed_at
                    missed += 1
                long = missed >= _LOOKS and head.number >= missed_at + _BLOCKS
                if fate is False or long:
                    self._say(f"{name}: nonce {placed.nonce} came to nothing, trying anew")
                    self._forget(name)
                    missed = 0
                faults = 0
            except (TooLittleEther, WrongCode):
                raise
            except ChainFault as fault:
                faults += 1
                if faults >= _GIVE_UP:
                    raise
                if faults in (3, 30, 300):
                    self._say(f"the chain's node fails, it is asked again: {fault}")
            self._pause()

    def _begin(self, name: str) -> Placed:
        """Fixes the nonce: no other contract of the plan has it, and nothing mined."""
        self._afford()
        account = self._account.address
        head = self._head()
        taken = [placed.nonce for placed in self._plan.contracts.values()]
        nonce = max(
            self._endpoint.next_nonce(account, head.number),
            self._endpoint.next_nonce(account),
            *(number + 1 for number in taken),
            0,
        )
        self._say(f"{name}: deploying with nonce {nonce}")
        return self._write(name, Placed(nonce))

    def _afford(self) -> None:
        """Raises `TooLittleEther` unless all that is missing can be paid for."""
        balance, head = self._endpoint.balance(self._account.address), self._head()
        price = first_fees(self._policy, head.base_fee, self._endpoint.tip()).most
        missing = [name for name in NAMES if name not in self._plan.contracts]
        needs = sum(_most_gas(name) for name in missing) * price
        if balance < needs:
            raise TooLittleEther(checksum(self._account.address), str(balance), str(needs))

    def _gas(self, name: str) -> int:
        return self._endpoint.estimate(_creation(name), self._account.address)

    def _send(self, name: str, placed: Placed, head: Block) -> None:
        """Hands in what is signed; with higher fees where it is left lying."""
        bid = self._bid(placed, head)
        if bid is not None:
            params = transaction(
                _creation(name),
                sender=self._account.address,
                chain_id=self._endpoint.chain_id,
                nonce=placed.nonce,
                gas=self._gas(name),
                fees=bid,
            )
            raw, _ = self._account.sign_transaction(params)
            self._sent_at = head.number
            placed = self._write(name, replace(placed, sent=(*placed.sent, raw), fees=bid))
        try:
            self._endpoint.send(placed.sent[-1])
        except PoolRefused as refused:
            # Known already, or the nonce is used: the next look tells.
            if refused.reason != self._refused:
                self._refused = refused.reason
                self._say(f"{name}: {refused.reason}")

    def _bid(self, placed: Placed, head: Block) -> Fees | None:
        """The fees of a transaction to be signed now; None: the newest will do."""
        if placed.fees is not None and head.number < self._sent_at + self._policy.patience:
            return None
        tip = self._endpoint.tip()
        if placed.fees is None:
            return first_fees(self._policy, head.base_fee, tip)
        if not self._sent_at:
            self._sent_at = head.number  # A process before us has sent it: it gets its time again.
            return None
        return higher_fees(self._policy, placed.fees, head.base_fee, tip)

    def _fate(self, placed: Placed) -> bool | None:
        """Whether a transaction of ours did what it was to do, as a receipt says; None: none."""
        for raw in placed.sent:
            mined = self._endpoint.mined(keccak(raw))
            if mined is not None:
                return mined.succeeded
        return None

    def _stands(self, name: str, where: Address) -> bool:
        """Whether the code is there."""
        try:
            code = self._endpoint.code(where)
        except NodeRefused:
            return False
        if code and not artifact(name).matches(code):
            raise WrongCode(name, where, "other code")
        return bool(code)

    def _head(self) -> Block:
        head = self._endpoint.block()
        assert head is not None  # Asked without a number there is one, or a fault.
        return head

    # ---------------------------------------------------------------------------------- on disk

    def _read(self, genesis: bytes) -> _Plan:
        account = checksum(self._account.address)
        chain = self._endpoint.chain_now()
        try:
            plan = read_json(self._file.read_bytes(), _Plan)
        except FileNotFoundError:
            return _Plan(chain, genesis.hex(), account, self._head().number)
        except (OSError, msgspec.DecodeError) as error:
            raise BadPlan(str(self._file), str(error)) from None
        for what, known, found in (
            ("account", plan.account, account),
            ("chain", plan.chain, chain),
            ("genesis", plan.genesis, genesis.hex()),
        ):
            if known != found:
                raise BadPlan(str(self._file), f"it is about {what} {known}, this is {found}")
        return plan

    def _write(self, name: str, placed: Placed) -> Placed:
        return self._store({**self._plan.contracts, name: placed}).contracts[name]

    def _forget(self, name: str) -> None:
        known = self._plan.contracts
        self._store({other: placed for other, placed in known.items() if other != name})

    def _store(self, contracts: dict[str, Placed]) -> _Plan:
        plan = replace(self._plan, contracts=contracts)
        fresh = self._file.with_name(self._file.name + ".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(msgspec.json.encode(plan))
                opened.flush()
                os.fsync(opened.fileno())
            fresh.replace(self._file)
            _sync_folder(self._file.parent)
        except OSError as error:
            raise BadPlan(str(self._file), error.strerror or type(error).__name__) from None
        self._plan = plan
        return plan


def _most_gas(name: str) -> int:
    """More than creating it takes: for who has no ether nodes estimate nothing (EIP-170, 2028)."""
    return _CREATE_GAS + _BYTE_GAS * len(artifact(name).creation)


def _creation(name: str) -> Call:
    return Call(None, artifact(name).creation)


def _sync_folder(folder: Path) -> None:
    """The new name is on disk, too; where a folder can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
