"""Paths over several hubs in bytes: ids, what parties sign, and evidence for `Gate.submit`."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import ClassVar

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain, TypedData
from perun.types import (
    Address,
    ChainId,
    Digest,
    Final,
    InstanceId,
    Opening,
    Path,
    PathId,
    Signature,
    Wei,
)


class GateDomain(Domain, frozen=True, gc=False):
    """Domain of paths: Opening, Final (EIP-712)."""

    contract_name: ClassVar[str] = "Gate"


def gate_domain(chain_id: ChainId, contract: Address) -> GateDomain:
    """Domain `{"Perun Gate", "1"}` of the Gate at `contract`."""
    return domain_of(GateDomain, chain_id, contract)


OPENING_TYPE = "Opening(bytes32 path)"
FINAL_TYPE = "Final(bytes32 path,int112 shift)"
_OPENING = keccak(OPENING_TYPE.encode())
_FINAL = keccak(FINAL_TYPE.encode())


def path_id(domain: GateDomain, path: Path) -> PathId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, path))`."""
    return PathId(InstanceId(keccak(domain.separator + words.unsigned(64) + path_words(path))))


def path_words(path: Path) -> bytes:
    """What `abi.encode(path)` has after its first word: 6 words and one for each party."""
    return (
        words.address(path.app)
        + path.instance
        + words.unsigned(5 * 32)
        + words.unsigned(path.end)
        + path.salt
        + words.unsigned(len(path.parties))
        + b"".join(map(words.address, path.parties))
    )


def opening_digest(domain: GateDomain, opening: Opening) -> Digest:
    """What each party of a path signs so that its instance counts (protocol, section 4)."""
    return Digest(keccak(domain.prefix + keccak(_OPENING + opening.path)))


def final_digest(domain: GateDomain, final: Final) -> Digest:
    """What each party of a path signs for what moves by it (protocol, section 4)."""
    return Digest(keccak(domain.prefix + keccak(_FINAL + final.path + words.signed(final.shift))))


def open_evidence(path: Path, signatures: Sequence[Signature]) -> bytes:
    """Form 0 and `abi.encode(path, signatures)` for `Gate.submit`."""
    terms = path_words(path)
    head = words.unsigned(0) + words.unsigned(64) + words.unsigned(64 + len(terms))
    return head + terms + words.tails(signatures)


def fix_evidence(path: Path, shift: Wei, signatures: Sequence[Signature]) -> bytes:
    """Form 1 and `abi.encode(path, shift, signatures)` for `Gate.submit`.

    Raises:
        NotAnAmount, AmountOutOfRange: the shift has more than 112 bits.
    """
    checks.signed_amount("shift", shift)
    terms = path_words(path)
    head = words.unsigned(96) + words.signed(shift) + words.unsigned(96 + len(terms))
    return words.unsigned(1) + head + terms + words.tails(signatures)


GATE: typing.Final = InDomain(
    GateDomain,
    (
        TypedData(Opening, OPENING_TYPE, opening_digest),
        TypedData(Final, FINAL_TYPE, final_digest),
    ),
)
