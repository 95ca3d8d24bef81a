"""Deals in escrow in bytes: ids, what is signed, and evidence for `Escrow.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain, TypedData
from perun.types import (
    Address,
    Award,
    ChainId,
    Deal,
    DealId,
    Digest,
    InstanceId,
    Signature,
    Wei,
)


class EscrowDomain(Domain, frozen=True, gc=False):
    """Domain of deals in escrow: Award (EIP-712)."""

    contract_name: ClassVar[str] = "Escrow"


def escrow_domain(chain_id: ChainId, contract: Address) -> EscrowDomain:
    """Domain `{"Perun Escrow", "1"}` of the Escrow at `contract`."""
    return domain_of(EscrowDomain, chain_id, contract)


AWARD_TYPE = "Award(bytes32 deal,int112 shift)"
_AWARD = keccak(AWARD_TYPE.encode())


def deal_id(domain: EscrowDomain, deal: Deal) -> DealId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, deal))`."""
    return DealId(InstanceId(keccak(domain.separator + deal_words(deal))))


def deal_words(deal: Deal) -> bytes:
    """`abi.encode(deal)`, 10 words."""
    return (
        words.address(deal.alice)
        + words.address(deal.bob)
        + words.address(deal.arbiter)
        + words.unsigned(deal.alice_lock)
        + words.unsigned(deal.bob_lock)
        + words.signed(deal.late_shift)
        + words.unsigned(deal.due)
        + words.unsigned(deal.validity)
        + words.unsigned(deal.challenge)
        + deal.salt
    )


def award_digest(domain: EscrowDomain, award: Award) -> Digest:
    """What a deal's arbiter, or both its parties, sign for `award` (protocol, section 4)."""
    fields = _AWARD + award.deal + words.signed(award.shift)
    return Digest(keccak(domain.prefix + keccak(fields)))


def award_evidence(deal: Deal, shift: Wei, signature: Signature) -> bytes:
    """Form 0 for `Escrow.submit`: a word 0, then the arguments of `award`.

    Raises:
        NotAnAmount, AmountOutOfRange: the shift is no difference of amounts.
    """
    checks.signed_amount("shift", shift)
    head = words.signed(shift) + words.unsigned(32 * (10 + 2))
    return words.unsigned(0) + deal_words(deal) + head + words.tail(signature)


def agreement_evidence(
    deal: Deal, shift: Wei, signature_alice: Signature, signature_bob: Signature
) -> bytes:
    """Form 1 for `Escrow.submit`: a word 1, then the arguments of `agree`.

    Raises:
        NotAnAmount, AmountOutOfRange: the shift is no difference of amounts.
    """
    checks.signed_amount("shift", shift)
    tail_alice, tail_bob = words.tail(signature_alice), words.tail(signature_bob)
    head_length = 32 * (10 + 3)
    return (
        words.unsigned(1)
        + deal_words(deal)
        + words.signed(shift)
        + words.unsigned(head_length)
        + words.unsigned(head_length + len(tail_alice))
        + tail_alice
        + tail_bob
    )


def late_evidence(deal: Deal) -> bytes:
    """Form 2 for `Escrow.submit`: a word 2, then the deal: nobody has signed anything."""
    return words.unsigned(2) + deal_words(deal)


ESCROW: Final = InDomain(EscrowDomain, (TypedData(Award, AWARD_TYPE, award_digest),))
