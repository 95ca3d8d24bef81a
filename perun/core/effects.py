"""What a step asks the runtime to do, after the step's records are on disk, in this order.

`Sign` is asked of the signer and comes back as `Signed`; `Send` hands a message to the wire and may
be lost; `Submit` wants a transaction's effect to become final and may be asked again at every block
(the submitter knows it by its `key`); `Watch` tells the chain follower what to report; `Notify`
tells our user.
"""

from __future__ import annotations

from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.encoding import messages as m
from perun.encoding.requests import PaymentRequest, Receipt
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    Close,
    InstanceId,
    Message,
    Nano,
    Record,
    Signature,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

__all__ = [
    "ClaimCredit",
    "CloseChannel",
    "DepositMoney",
    "Effect",
    "Notify",
    "OpenBoth",
    "OpenChannel",
    "Register",
    "Send",
    "Settle",
    "Sign",
    "SignItem",
    "Submit",
    "SubmitEvidence",
    "Transaction",
    "Watch",
    "WithdrawMoney",
]

Signable = Message | PaymentRequest | Receipt
"""What a signer may be asked for; `perun.core.signing.digest` hashes it in its domain."""


class SignItem(Record, frozen=True, gc=False):
    """One signature: by `key`, over `message`."""

    key: Address
    message: Signable


class Sign(Record, frozen=True, gc=False):
    """Signatures that come back together, in one `Signed`: a hub's two are one request."""

    items: tuple[SignItem, ...]


class Send(Record, frozen=True, gc=False):
    """A message to a peer; `via` names the hub if it is about what runs over one."""

    to: PeerId
    message: m.Message
    via: PeerId = b""


class Watch(Record, frozen=True, gc=False):
    """Report a channel or an instance from now on, first as it stands; or, `over`, no longer."""

    channel: ChannelId | None = None
    asset: Asset | None = None
    """The channel's asset."""
    terms: Channel | None = None
    app: Address | None = None
    instance: InstanceId | None = None
    over: bool = False
    """What it names is forgotten: what asking costs nothing must not be followed for ever."""


class Notify(Record, frozen=True, gc=False):
    """Something our user or the program above us may want to know."""

    notice: Notice


# ----------------------------------------------------------------------------------- transactions


class OpenChannel(Record, frozen=True, gc=False):
    """`open`: deposit for our side and announce the channel."""

    channel: Channel
    amount: Wei
    valid_until: UnixTime


class OpenBoth(Record, frozen=True, gc=False):
    """`openBoth`: fund both sides, the other's out of its credit."""

    channel: Channel
    alice_amount: Wei
    bob_amount: Wei
    valid_until: UnixTime
    signature: Signature
    own_amount: Wei
    """Our share, which comes with the call."""


class DepositMoney(Record, frozen=True, gc=False):
    """`deposit`: add to one side, without announcement."""

    asset: Asset
    id: ChannelId
    to_bob: bool
    amount: Wei
    valid_until: UnixTime


class CloseChannel(Record, frozen=True, gc=False):
    """`close`: end a channel by agreement."""

    channel: Channel
    close: Close
    signature_alice: Signature
    signature_bob: Signature


class WithdrawMoney(Record, frozen=True, gc=False):
    """`withdraw`: pay out of an open channel by agreement."""

    channel: Channel
    withdraw: Withdraw
    signature_alice: Signature
    signature_bob: Signature


class Register(Record, frozen=True, gc=False):
    """`register`: open a dispute, or answer one with a newer state, and pass evidence on."""

    channel: Channel
    id: ChannelId
    version: Version
    net: Wei
    nanos: tuple[Nano, ...]
    signature_alice: Signature
    signature_bob: Signature
    evidence: tuple[bytes, ...] = ()


class Settle(Record, frozen=True, gc=False):
    """`settle`: after the deadline, pay what is free and what is resolved."""

    channel: Channel
    id: ChannelId
    net: Wei
    nanos: tuple[Nano, ...]


class SubmitEvidence(Record, frozen=True, gc=False):
    """A nanocontract's `submit`: what we hold about an instance, in its kind's own encoding."""

    app: Address
    id: InstanceId
    evidence: bytes


class ClaimCredit(Record, frozen=True, gc=False):
    """`claim`: take our credit out."""

    asset: Asset
    amount: Wei
    to: Address

    @property
    def key(self) -> bytes:
        """What the wish is known by, however much the credit has become."""
        return b"k" + self.asset + self.to


Transaction = (
    OpenChannel
    | OpenBoth
    | DepositMoney
    | CloseChannel
    | WithdrawMoney
    | Register
    | Settle
    | SubmitEvidence
    | ClaimCredit
)


class Submit(Record, frozen=True, gc=False):
    """Bring a transaction to the chain and keep at it until its effect is final.

    The same `key` with the same transaction is the same wish: ask again and nothing happens twice.
    The same `key` with another transaction replaces a wish that is not mined yet.
    """

    key: bytes
    """Names the wish: a letter for its kind, then the id it is about."""
    transaction: Transaction
    before: UnixTime | None = None
    """The last second at which it is of use; None: no hurry."""
    stake: Wei | None = None
    """What would be lost without it at most, in wei; None: not known, or no hurry."""


Effect = Sign | Send | Submit | Watch | Notify
