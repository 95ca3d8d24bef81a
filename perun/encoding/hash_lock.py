"""Hash time locks in bytes: ids, and evidence for `HashTimeLock.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain
from perun.types import (
    Address,
    ChainId,
    InstanceId,
    Lock,
    LockId,
    Preimage,
)


class HashTimeLockDomain(Domain, frozen=True, gc=False):
    """Domain of hash time locks (EIP-712): nothing is signed, it keeps deployments' ids apart."""

    contract_name: ClassVar[str] = "HashTimeLock"


def hash_time_lock_domain(chain_id: ChainId, contract: Address) -> HashTimeLockDomain:
    """Domain `{"Perun HashTimeLock", "1"}` of the HashTimeLock at `contract`."""
    return domain_of(HashTimeLockDomain, chain_id, contract)


def lock_id(domain: HashTimeLockDomain, lock: Lock) -> LockId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, lock))`."""
    return LockId(InstanceId(keccak(domain.separator + lock_words(lock))))


def lock_words(lock: Lock) -> bytes:
    """`abi.encode(lock)`, 5 words."""
    return (
        words.unsigned(lock.amount)
        + words.unsigned(lock.bob_pays)
        + lock.hash
        + words.unsigned(lock.deadline)
        + lock.salt
    )


def reveal_evidence(lock: Lock, preimage: Preimage) -> bytes:
    """`abi.encode(lock, preimage)` for `HashTimeLock.submit`.

    Raises:
        WrongType, WrongLength: the preimage is not 32 bytes.
    """
    checks.length("preimage", preimage, 32)
    return lock_words(lock) + preimage


HASH_LOCK: Final = InDomain(HashTimeLockDomain)
