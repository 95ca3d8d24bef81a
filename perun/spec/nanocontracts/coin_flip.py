"""`CoinFlip`: the sum of two secrets decides who pays (protocol, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from perun.encoding import CoinFlipDomain, flip_id
from perun.spec.nanocontracts.two_secrets import TwoSecrets
from perun.types import Flip, FlipId


@dataclass(slots=True)
class CoinFlip(TwoSecrets):
    domain_type: ClassVar = CoinFlipDomain
    terms_type: ClassVar = Flip
    terms_abi: ClassVar = "(uint112,uint112,bytes32,bytes32,uint16,uint40,uint32,bytes32)"

    def id_of(self, terms: Flip) -> FlipId:
        return flip_id(self.domain, terms)

    def shift_of(self, terms: Flip, alice: bytes, bob: bytes) -> int:
        """Alice loses if the sum of the secrets' last 16 bits, modulo 2**16, is below the odds."""
        total = int.from_bytes(alice[-2:], "big") + int.from_bytes(bob[-2:], "big")
        return terms.alice_lock if total % 2**16 < terms.odds else -terms.bob_lock
