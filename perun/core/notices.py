"""What a node tells its user: facts that have become true, each once, after they are on disk."""

from __future__ import annotations

from perun.core.state import PeerId
from perun.types import ChannelId, InstanceId, MachineId, Record, Salt, UnixTime, Version, Wei

__all__ = [
    "ChannelDisputed",
    "ChannelEnded",
    "ChannelFunded",
    "ChannelJoined",
    "ChannelOffered",
    "ChannelRefused",
    "CloseAgreed",
    "ExitOnly",
    "TicksDelivered",
    "TicksReceived",
    "DrawOffered",
    "GameBegan",
    "GameMoved",
    "InstanceAdded",
    "InstanceRefused",
    "InstanceRemoved",
    "InvitationHeld",
    "Notice",
    "PaymentDelivered",
    "PaymentReceived",
    "PaymentRefused",
    "PreimageLearnt",
    "ProposalHeld",
    "ProposalRefused",
    "Stuck",
    "TransferDone",
    "VirtualReady",
    "WithdrawAgreed",
]


class ChannelOffered(Record, frozen=True, gc=False):
    """A peer offers a channel and our policy wants our user to decide (`CommandJoin`)."""

    channel: ChannelId


class ChannelJoined(Record, frozen=True, gc=False):
    """Both have agreed on a channel's terms."""

    channel: ChannelId


class ChannelRefused(Record, frozen=True, gc=False):
    """The peer does not want the channel; nothing was paid."""

    channel: ChannelId
    reason: str


class ChannelFunded(Record, frozen=True, gc=False):
    """A final block shows these holdings."""

    channel: ChannelId
    alice: Wei
    bob: Wei


class TransferDone(Record, frozen=True, gc=False):
    """A state without change of nanos is fully signed; `amount` is what it brought us."""

    channel: ChannelId
    version: Version
    amount: Wei


class ProposalHeld(Record, frozen=True, gc=False):
    """A peer's proposal costs us `amount` more than our policy allows (`CommandAnswer`)."""

    channel: ChannelId
    version: Version
    amount: Wei


class ProposalRefused(Record, frozen=True, gc=False):
    """The peer has refused what we proposed; the last agreed content stands."""

    channel: ChannelId
    version: Version
    reason: str


class InstanceAdded(Record, frozen=True, gc=False):
    """A fully signed state lists the instance; payments may begin (virtual: see `VirtualReady`)."""

    channel: ChannelId
    instance: InstanceId


class VirtualReady(Record, frozen=True, gc=False):
    """Both ends' channels list the instance, and both ends have said so."""

    instance: InstanceId


class InstanceRefused(Record, frozen=True, gc=False):
    """The peer or the hub does not want the instance; nothing is locked."""

    instance: InstanceId
    reason: str
    by: PeerId = b""
    """Who said so; empty: we did."""


class InstanceRemoved(Record, frozen=True, gc=False):
    """A fully signed state no longer lists the instance; `shift` went from its Alice to its Bob."""

    channel: ChannelId
    instance: InstanceId
    shift: Wei


class PaymentReceived(Record, frozen=True, gc=False):
    """The other end has paid us `amount` more, `total` in all."""

    machine: MachineId
    amount: Wei
    total: Wei


class PaymentDelivered(Record, frozen=True, gc=False):
    """The other end has stored our payments up to `total`."""

    machine: MachineId
    total: Wei


class PaymentRefused(Record, frozen=True, gc=False):
    """The other end says it did not accept `total`; what we signed stays signed."""

    machine: MachineId
    total: Wei
    reason: str


class PreimageLearnt(Record, frozen=True, gc=False):
    """The secret of a hash time lock is known."""

    instance: InstanceId
    preimage: bytes


class InvitationHeld(Record, frozen=True, gc=False):
    """Somebody invites us to what only our user can agree to (`CommandConsent`)."""

    invitation: Salt


class TicksReceived(Record, frozen=True, gc=False):
    """A stream has paid us `amount` more, `total` in all."""

    instance: InstanceId
    amount: Wei
    total: Wei


class TicksDelivered(Record, frozen=True, gc=False):
    """The other end of a stream has stored our ticks up to `total`."""

    instance: InstanceId
    total: Wei


class GameBegan(Record, frozen=True, gc=False):
    """Both have signed how a game begins: from here on its money is at stake."""

    instance: InstanceId


class DrawOffered(Record, frozen=True, gc=False):
    """The other end offers a draw in a game: until we move, our user may take it."""

    instance: InstanceId


class GameMoved(Record, frozen=True, gc=False):
    """A newer position of a game stands: signed by both, or on the chain."""

    instance: InstanceId
    version: Version


class CloseAgreed(Record, frozen=True, gc=False):
    """Both have signed the Close; it must be mined by `valid_until`."""

    channel: ChannelId
    valid_until: UnixTime


class WithdrawAgreed(Record, frozen=True, gc=False):
    """Both have signed a Withdraw; it must be mined by `valid_until`."""

    channel: ChannelId
    valid_until: UnixTime


class ChannelDisputed(Record, frozen=True, gc=False):
    """The newest block shows a dispute with `version`; ours is `own_version`."""

    channel: ChannelId
    version: Version
    own_version: Version
    deadline: UnixTime


class ChannelEnded(Record, frozen=True, gc=False):
    """A final block shows the channel closed or wholly settled."""

    channel: ChannelId


class Stuck(Record, frozen=True, gc=False):
    """A proposal of ours is unanswered beyond patience; counted as worst for us until resolved."""

    channel: ChannelId
    version: Version
    since: UnixTime


class ExitOnly(Record, frozen=True, gc=False):
    """The peer showed a state that we signed and do not know: this store is old (section 5)."""

    channel: ChannelId
    version: Version


Notice = (
    ChannelOffered
    | ChannelJoined
    | ChannelRefused
    | ChannelFunded
    | TransferDone
    | ProposalHeld
    | ProposalRefused
    | InstanceAdded
    | VirtualReady
    | InstanceRefused
    | InstanceRemoved
    | PaymentReceived
    | PaymentDelivered
    | PaymentRefused
    | PreimageLearnt
    | InvitationHeld
    | TicksReceived
    | TicksDelivered
    | DrawOffered
    | GameBegan
    | GameMoved
    | CloseAgreed
    | WithdrawAgreed
    | ChannelDisputed
    | ChannelEnded
    | Stuck
    | ExitOnly
)
