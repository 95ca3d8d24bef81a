"""What is asked of all channels together, kept up to date as rows change.

So nobody has to look at each of them: an offer costs as much with ten thousand as with one.
"""

from __future__ import annotations

from collections import Counter

from perun.core.chain_view import OnChain
from perun.core.state import ChannelView, PeerId, Role, Stage
from perun.types import Asset, ChannelId

__all__ = ["Indexes", "holds_ours", "touched"]


class Indexes:
    """Of the channels in one node's books."""

    __slots__ = ("answered_for", "of_peer", "opens", "promised")

    def __init__(self) -> None:
        self.of_peer: dict[PeerId, dict[ChannelId, Asset]] = {}
        """Channels with each peer, in the order in which we heard of them."""
        self.answered_for: set[ChannelId] = set()
        """Where a hub must be ready to answer [C4]."""
        self.opens: set[ChannelId] = set()
        """Where an `Open` of ours may still be used."""
        self.promised: Counter[Asset] = Counter()
        """What we have agreed to put into channels offered to us that have not ended."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Indexes):
            return NotImplemented
        orders = [{peer: [*ids] for peer, ids in one.of_peer.items()} for one in (self, other)]
        return orders[0] == orders[1] and (self.answered_for, self.opens, self.promised) == (
            other.answered_for,
            other.opens,
            other.promised,
        )

    __hash__ = None  # type: ignore[assignment]

    def with_peer(self, peer: PeerId, asset: Asset) -> list[ChannelId]:
        """Channels with a peer in one asset."""
        known = self.of_peer.get(peer)
        return [] if known is None else [id for id, held in known.items() if held == asset]

    def put(self, before: ChannelView | None, row: ChannelView) -> None:
        """A row is new, or takes the place of the one before."""
        if before is None:
            self.of_peer.setdefault(row.peer, {})[row.id] = row.channel.asset
        elif _is_alike(before, row):
            return
        _mark(self.answered_for, row.id, _is_answered_for(row))
        _mark(self.opens, row.id, any(given.ours for given in row.opens))
        change = _promise(row) - (0 if before is None else _promise(before))
        if change:
            self.promised[row.channel.asset] += change

    def drop(self, row: ChannelView) -> None:
        """A row is gone."""
        known = self.of_peer[row.peer]
        del known[row.id]
        if not known:
            del self.of_peer[row.peer]
        self.answered_for.discard(row.id)
        self.opens.discard(row.id)
        self.promised[row.channel.asset] -= _promise(row)


def _is_alike(before: ChannelView, row: ChannelView) -> bool:
    """Whether nothing is another that the indexes go by: so it is of nearly every new state."""
    return (
        row.final is before.final
        and row.opens is before.opens
        and row.deposits is before.deposits
        and row.funding is before.funding
        and row.stage is before.stage
        and bool(row.signed) is bool(before.signed)
    )


def _mark(marked: set[ChannelId], id: ChannelId, is_so: bool) -> None:
    if is_so:
        marked.add(id)
    else:
        marked.discard(id)


def _is_answered_for(view: ChannelView) -> bool:
    if view.stage is not Stage.JOINED or view.final.ended:
        return False
    return bool(
        _own(view, view.final)
        or view.opens
        or view.deposits
        or (view.signed and touched(view.final))
    )


def _promise(view: ChannelView) -> int:
    if view.role is not Role.BOB or view.stage is not Stage.JOINED:
        return 0
    return 0 if view.final.ended or view.funding.drawn else view.funding.bob_amount


def holds_ours(view: ChannelView) -> bool:
    """Whether a block shows money on our side."""
    return bool(_own(view, view.head) or _own(view, view.final))


def _own(view: ChannelView, on: OnChain) -> int:
    return on.alice if view.role is Role.ALICE else on.bob


def touched(on: OnChain) -> bool:
    """Whether a block shows, or has shown, money in a channel."""
    return bool(on.alice or on.bob or on.withdrawals or on.ended)
