"""Rock, paper, scissors in bytes: ids, and evidence for `RockPaperScissors.submit`.

Commitments are those of a coin flip (`flip_commit`).
"""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain
from perun.types import Address, ChainId, Hands, HandsId, InstanceId


class RockPaperScissorsDomain(Domain, frozen=True, gc=False):
    """Domain of rock, paper, scissors (EIP-712): nothing is signed, it keeps deployments' ids
    apart."""

    contract_name: ClassVar[str] = "RockPaperScissors"


def rock_paper_scissors_domain(chain_id: ChainId, contract: Address) -> RockPaperScissorsDomain:
    """Domain `{"Perun RockPaperScissors", "1"}` of the RockPaperScissors at `contract`."""
    return domain_of(RockPaperScissorsDomain, chain_id, contract)


def hands_id(domain: RockPaperScissorsDomain, hands: Hands) -> HandsId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, hands))`."""
    return HandsId(InstanceId(keccak(domain.separator + hands_words(hands))))


def hands_words(hands: Hands) -> bytes:
    """`abi.encode(hands)`, 7 words."""
    return (
        words.unsigned(hands.alice_lock)
        + words.unsigned(hands.bob_lock)
        + hands.alice_commit
        + hands.bob_commit
        + words.unsigned(hands.validity)
        + words.unsigned(hands.window)
        + hands.salt
    )


def hands_evidence(hands: Hands, bob: bool, secret: bytes) -> bytes:
    """`abi.encode(hands, bob, secret)` for `RockPaperScissors.submit`.

    Raises:
        WrongType, WrongLength: the secret is not 32 bytes.
    """
    checks.length("secret", secret, 32)
    return hands_words(hands) + words.unsigned(bob) + secret


ROCK_PAPER_SCISSORS: Final = InDomain(RockPaperScissorsDomain)
