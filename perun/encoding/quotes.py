"""A hub's signed price for letting one instance cross it (protocol, section 6, Fees).

Typed data in MSContract's domain; no contract checks it, it binds the hub's word to one channel,
instance and time: `Quote(bytes32 channel,bytes32 instance,uint112 fee,uint40 validUntil)`.
"""

from __future__ import annotations

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import MSContractDomain
from perun.types import ChannelId, Digest, InstanceId, Record, UnixTime, Wei

QUOTE_TYPE = "Quote(bytes32 channel,bytes32 instance,uint112 fee,uint40 validUntil)"
_QUOTE = keccak(QUOTE_TYPE.encode())


class Quote(Record, frozen=True, gc=False):
    """The fee by which a hub will sign the state that adds `instance` to `channel`."""

    channel: ChannelId
    instance: InstanceId
    fee: Wei
    """Moves to the hub by `net`."""
    valid_until: UnixTime

    def __post_init__(self) -> None:
        checks.length("channel", self.channel, 32)
        checks.length("instance", self.instance, 32)
        checks.amount("fee", self.fee)
        checks.unsigned("valid_until", self.valid_until, 40)


def quote_digest(domain: MSContractDomain, quote: Quote) -> Digest:
    """What the hub's key signs for `quote`."""
    fields = (
        _QUOTE
        + quote.channel
        + quote.instance
        + words.unsigned(quote.fee)
        + words.unsigned(quote.valid_until)
    )
    return Digest(keccak(domain.prefix + keccak(fields)))
