"""`RockPaperScissors`: two hands decide who pays (protocol, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from perun.encoding import RockPaperScissorsDomain, hands_id
from perun.spec.nanocontracts.two_secrets import TwoSecrets
from perun.types import Hands, HandsId

ROCK, PAPER, SCISSORS = range(3)
BEATS: Final = {(ROCK, SCISSORS), (SCISSORS, PAPER), (PAPER, ROCK)}


@dataclass(slots=True)
class RockPaperScissors(TwoSecrets):
    domain_type: ClassVar = RockPaperScissorsDomain
    terms_type: ClassVar = Hands
    terms_abi: ClassVar = "(uint112,uint112,bytes32,bytes32,uint40,uint32,bytes32)"

    def id_of(self, terms: Hands) -> HandsId:
        return hands_id(self.domain, terms)

    def shift_of(self, terms: Hands, alice: bytes, bob: bytes) -> int:
        """The loser's lock; equal hands move nothing. A hand is the secret's last byte modulo 3."""
        shown = alice[31] % 3, bob[31] % 3
        if shown[0] == shown[1]:
            return 0
        return -terms.bob_lock if shown in BEATS else terms.alice_lock
