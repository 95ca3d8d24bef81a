"""Nanocontract instances: payment machines and hash locks with their parties, and bare nanos."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import eth_abi
import msgspec
from eth_hash.auto import keccak

from perun.testing.owners import Owner
from perun.types import Lock, Machine, Nano
from tests.support import plain
from tests.support.contracts import Receipt
from tests.support.stage import HOUR, Stage, address_of

_salts = itertools.count(1)
_MACHINE = "(address,address,uint112,uint112,uint40,uint32,bytes32)"
_LOCK = "(uint112,bool,bytes32,uint40,bytes32)"


def new_salt() -> bytes:
    """32 bytes that no instance has yet."""
    return keccak(next(_salts).to_bytes(32, "big"))


def new_nano(
    app: Any, id: int | bytes, alice_lock: int = 0, bob_lock: int = 0, expiry: int = 0,
    swapped: bool = False,
) -> Nano:  # fmt: skip
    """An instance of any nanocontract; a number stands for the id's 32 bytes."""
    identity = id.to_bytes(32, "big") if isinstance(id, int) else id
    return Nano(address_of(app), identity, alice_lock, bob_lock, expiry, swapped)


@dataclass(frozen=True, slots=True)
class PaymentMachine:
    """A machine of the stage's VPM and who signs in it."""

    stage: Stage
    alice: Owner
    bob: Owner
    terms: Machine

    @property
    def id(self) -> bytes:
        return plain.record_id(self.stage.vpm_separator, self.terms)

    @property
    def final_time(self) -> int:
        return self.terms.validity + self.terms.challenge

    def digest(self, paid: int) -> bytes:
        """What a payer signs."""
        return plain.typed(self.stage.vpm_separator, plain.STATEMENT, self.id, paid)

    def statements(self, by_alice: int = 0, by_bob: int = 0) -> tuple[int, bytes, int, bytes]:
        """Arguments of `submitStatements` after the machine; a total of 0 has no signature."""
        signed_by_alice = self.alice.sign(self.digest(by_alice)) if by_alice else b""
        signed_by_bob = self.bob.sign(self.digest(by_bob)) if by_bob else b""
        return by_alice, signed_by_alice, by_bob, signed_by_bob

    def submit(self, by: Any, by_alice: int = 0, by_bob: int = 0) -> Receipt:
        """Submit totals to VPM directly."""
        statements = self.statements(by_alice, by_bob)
        return self.stage.vpm.send(by, "submitStatements", self.terms, *statements)

    def evidence(self, by_alice: int = 0, by_bob: int = 0) -> bytes:
        """The same for `register` to pass on."""
        types = [_MACHINE, "uint112", "bytes", "uint112", "bytes"]
        return eth_abi.encode(types, [plain.to_abi(self.terms), *self.statements(by_alice, by_bob)])

    def nano(self, swapped: bool = False) -> Nano:
        """As a state lists it: `expiry` is the final time, locks exchanged if swapped."""
        locks = self.terms.alice_lock, self.terms.bob_lock
        alice_lock, bob_lock = reversed(locks) if swapped else locks
        return new_nano(self.stage.vpm, self.id, alice_lock, bob_lock, self.final_time, swapped)

    def totals(self) -> tuple[int, int, int]:
        """What VPM has recorded."""
        return self.stage.vpm.ask("totals", self.id)

    def outcome(self) -> tuple[bool, int]:
        return self.stage.vpm.ask("outcome", self.id)

    def changed(self, **fields: Any) -> PaymentMachine:
        """The same parties with other terms."""
        return replace(self, terms=msgspec.structs.replace(self.terms, **fields))


def new_machine(
    stage: Stage,
    alice: Owner | None = None,
    bob: Owner | None = None,
    alice_lock: int = 10,
    bob_lock: int = 10,
    validity: int | None = None,
    challenge: int = HOUR,
) -> PaymentMachine:
    """A fresh machine; by default Alice's and Bob's, valid for a day."""
    alice, bob = alice or stage.alice, bob or stage.bob
    end = stage.now + 24 * HOUR if validity is None else validity
    terms = Machine(
        alice.key.address, bob.key.address, alice_lock, bob_lock, end, challenge, new_salt()
    )
    return PaymentMachine(stage, alice, bob, terms)


def new_lock(
    stage: Stage, amount: int, preimage: bytes, bob_pays: bool = False, deadline: int | None = None
) -> Lock:
    """A fresh hash time lock, by default open for a day."""
    end = stage.now + 24 * HOUR if deadline is None else deadline
    return Lock(amount, bob_pays, keccak(preimage), end, new_salt())


def lock_id(stage: Stage, lock: Any) -> bytes:
    """Its id."""
    return plain.record_id(stage.locks_separator, lock)


def reveal_evidence(lock: Any, preimage: bytes) -> bytes:
    """What `register` passes on to HashTimeLock."""
    return eth_abi.encode([_LOCK, "bytes32"], [plain.to_abi(lock), preimage])
