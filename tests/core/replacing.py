"""What the tests of resizing over a hub share."""

from __future__ import annotations

from perun.core.effects import Sign, SignItem
from perun.core.inputs import CommandReplace
from perun.core.state import LegStatus
from perun.encoding.messages import Propose
from perun.testing.network import Rule, losing
from perun.testing.parties import Party
from perun.testing.stories import instance
from perun.types import (
    ChannelId,
    InstanceId,
    MachineId,
    Nano,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Trio

__all__ = [
    "half",
    "hub_gain",
    "hub_kept_both_as_they_were",
    "listed",
    "lost",
    "net",
    "resize",
    "signature",
    "successor",
    "wish",
]


def agreed(party: Party, id: ChannelId) -> State:
    full = party.node.books.channels[id].agreed
    assert full is not None
    return full.state


def net(party: Party, id: ChannelId) -> int:
    return agreed(party, id).net


def listed(party: Party, id: ChannelId) -> list[InstanceId]:
    """What the newest fully signed state lists."""
    return [nano.id for nano in agreed(party, id).nanos]


def hub_gain(trio: Trio) -> int:
    """What Ingrid, Bob of both channels, has gained by fully signed states."""
    return net(trio.ingrid, trio.left) + net(trio.ingrid, trio.right)


def wish(
    trio: Trio, who: Party, old: MachineId, own: int, peer: int, life: int = 10_000
) -> CommandReplace:
    validity = UnixTime(trio.world.ledger.time + life)
    return CommandReplace(old, Wei(own), Wei(peer), validity, Seconds(600), who.random())


def successor(party: Party, old: MachineId) -> MachineId:
    """The newest instance that was to take a place."""
    found = [i.id for i in party.node.books.instances.values() if i.replaces == old]
    return MachineId(found[-1])


def resize(
    trio: Trio, old: MachineId, own: int, peer: int, who: Party | None = None, life: int = 10_000
) -> MachineId:
    """One end resizes, and everybody reacts; the new machine, whether it came about or not."""
    who = who or trio.alice
    who.do(wish(trio, who, old, own, peer, life))
    trio.world.settle()
    return successor(who, old)


def lost(sender: Party, *kinds: type) -> Rule:
    """A rule that loses what one party says of some kinds, to an end over the hub too."""
    return losing(*kinds, by=sender.peer)


def signature(party: Party, state: State) -> Signature:
    return party.signer.sign_now(Sign((SignItem(party.key.address, state),)))[0]


def half(
    trio: Trio,
    end: Party,
    nanos: tuple[Nano, ...],
    moved: int = 0,
    paid: int = 0,
    received: int = 0,
    skip: int = 0,
    signed: bytes = b"",
) -> Propose:
    """What an end proposes to the hub, against its own node's will."""
    id = trio.left if end is trio.alice else trio.right
    view = trio.ingrid.node.books.channels[id]
    version = max(view.signed, view.seen) + 1 + skip
    version += version % 2  # the ends are Alice of their channels
    state = State(id, Version(version), Wei(net(end, id) + moved), nanos)
    before = agreed(end, id).nanos
    added = [nano.id for nano in nanos if nano not in before]
    removed = [nano.id for nano in before if nano not in nanos]
    message = Propose(
        state,
        signature(end, state),
        3,
        added[0] if added else None,
        removed[0] if removed else None,
        paid=Wei(paid),
        received=Wei(received),
        received_signature=Signature(signed),
    )
    trio.world.network.inject(end.peer, trio.ingrid.peer, message)
    trio.world.settle()
    return message


def hub_kept_both_as_they_were(trio: Trio, old: MachineId) -> bool:
    """Whether the hub has let nothing of the old one go, and taken nothing new."""
    legs = instance(trio.ingrid, old).legs
    return all(leg.status is LegStatus.LISTED for leg in legs) and (
        listed(trio.ingrid, trio.left) == listed(trio.ingrid, trio.right) == [old]
    )
