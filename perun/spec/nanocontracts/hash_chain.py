"""`HashChain`: a stream of payments, one hash each (protocol, section 4).

The payer has signed roots; whoever knows the value `ticks` hashes before one shows that it was paid
so much. The first evidence, by `validity`, gives more of it `challenge` seconds; the greatest total
counts. Nobody shows anything: never done, and worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eth_abi.abi import decode

from perun.crypto import keccak
from perun.encoding import HashChainDomain, chain_digest, stream_id
from perun.spec import consent
from perun.spec.nanocontract import MAX_TIME, Nanocontract, address_in
from perun.spec.reverts import (
    AmountTooLarge,
    FinalTimeTooFar,
    TooLate,
    TooManyTicks,
    WrongRoot,
)
from perun.types import (
    MAX_AMOUNT,
    Chain,
    Signature,
    Stream,
    StreamId,
    Wei,
)

MOST_TICKS = 1_024
TERMS: Final = "(address,uint112,uint112,bool,uint40,uint32,bytes32)"


@dataclass(frozen=True, slots=True)
class Paid:
    """What is stored of a stream."""

    total: int
    bob_pays: bool
    deadline: int
    """Last second for a higher total."""


@dataclass(slots=True)
class HashChain(Nanocontract):
    domain_type: ClassVar = HashChainDomain

    def submit_ticks(
        self,
        stream: Stream,
        base: Wei,
        root: bytes,
        ticks: int,
        value: bytes,
        signature: Signature,
    ) -> None:
        """Show a total; whoever calls. One that is not above the known changes nothing."""
        identity = stream_id(self.domain, stream)
        old: Paid | None = self.records.get(identity)
        if ticks > MOST_TICKS:
            raise TooManyTicks(ticks)
        total = min(base + ticks * stream.tick, stream.lock)
        if total <= (old.total if old else 0):
            return
        deadline = self._deadline(stream, old)
        hashed = value
        for _ in range(ticks):
            hashed = keccak(identity + hashed)
        if hashed != root:
            raise WrongRoot(root, hashed)
        digest = chain_digest(self.domain, Chain(identity, base, root))
        consent.signed(stream.payer, digest, signature)
        self.records[identity] = Paid(total, stream.bob_pays, deadline)
        self.emit("TicksSubmitted", identity, total, deadline)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): the greatest total shown in time."""
        record: Paid | None = self.records.get(identity)
        if record is None or self.host.now <= record.deadline:
            return False, 0
        return True, -record.total if record.bob_pays else record.total

    def decoded(self, evidence: bytes) -> tuple[Any, ...]:
        """Reads the arguments of `submitTicks`."""
        types = [TERMS, "uint112", "bytes32", "uint256", "bytes32", "bytes"]
        (payer, *others), *shown = decode(types, evidence)
        return Stream(address_in(payer), *others), *shown

    def take(self, evidence: bytes) -> None:
        self.submit_ticks(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[StreamId, int]:
        stream = self.read(evidence)[0]
        return stream_id(self.domain, stream), stream.validity

    def _deadline(self, stream: Stream, old: Paid | None) -> int:
        """Until when more counts; terms that do not fit are never done."""
        if stream.lock > MAX_AMOUNT:
            raise AmountTooLarge(stream.lock)
        if stream.validity + stream.challenge > MAX_TIME:
            raise FinalTimeTooFar(stream.validity + stream.challenge)
        limit = stream.validity if old is None else old.deadline
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        return self.host.now + stream.challenge if old is None else limit
