"""Phases of a channel, derived from its record and the chain; and what must hold before we sign.

Nothing here is stored: "what are we waiting for" follows from signatures and snapshots, so that it
cannot disagree with them.
"""

from __future__ import annotations

import enum
from typing import Final

from perun.core.books import Books, Draft
from perun.core.chain_view import ChainView
from perun.core.faults import NotAllowedNow
from perun.core.rules.admission import has_room
from perun.core.state import ChannelView, Stage
from perun.types import Seconds, UnixTime

__all__ = [
    "NOT_MET",
    "Phase",
    "blocked",
    "fresh",
    "lapsed",
    "may_sign",
    "phase",
    "registering",
    "why_stale",
]


NOT_MET: Final = "the peer has not shown its newest state since we started"


class Phase(enum.Enum):
    """Where a channel stands; the columns of the table in `step`."""

    OFFERED = "offered"
    """We have offered it."""
    INVITED = "invited"
    """The peer has offered it."""
    IDLE = "idle"
    """Nothing is open between the parties."""
    PROPOSED = "proposed"
    """A proposal of ours is unresolved."""
    HOLDING = "holding"
    """We hold a proposal of the peer that we have not answered."""
    CLOSING = "closing"
    """A Close that we signed is alive."""
    LEAVING = "leaving"
    """Our user wants out; the chain does not show our register yet."""
    DISPUTED = "disputed"
    """The newest block shows a dispute that newer states can still enter."""
    DECIDED = "decided"
    """The dispute's deadline is over; `settle` pays."""
    SETTLING = "settling"
    """Free money is paid; locks wait for their instances."""
    ENDED = "ended"
    """The newest block shows the channel closed or wholly settled."""


def phase(view: ChannelView, chain: ChainView) -> Phase:
    """The phase of a channel."""
    if view.head.ended:
        return Phase.ENDED
    dispute = view.head.dispute
    if dispute is not None:
        if dispute.settling:
            return Phase.SETTLING
        return Phase.DISPUTED if chain.head_time <= dispute.deadline else Phase.DECIDED
    if view.leaving:
        return Phase.LEAVING
    if view.stage is Stage.OFFERED:
        return Phase.OFFERED
    if view.stage is Stage.INVITED:
        return Phase.INVITED
    if view.close is not None:
        return Phase.CLOSING
    if view.proposals:
        return Phase.PROPOSED
    if view.held is not None:
        return Phase.HOLDING
    return Phase.IDLE


def registering(view: ChannelView, chain: ChainView) -> bool:
    """Whether our newest state must be on its way to the chain: to leave, or as an answer."""
    now, agreed, dispute = phase(view, chain), view.agreed, view.head.dispute
    if now is Phase.LEAVING:
        return bool(view.head.alice or view.head.bob)
    if now is not Phase.DISPUTED or dispute is None or agreed is None or not agreed.peer:
        return False
    return agreed.state.version > dispute.version


# Rule view-1.
def why_stale(chain: ChainView, freshness: Seconds) -> str | None:
    """Why our view of the chain is not good enough to sign, or count on, anything; None: it is
    fresh [A6].

    It is when a newer block came not long ago, by seconds that no setting of our clock can take
    back, and the block's time and our clock agree: else one of the two is wrong, and we cannot know
    which.
    """
    ahead = chain.head_time - chain.wall
    if ahead < -freshness:
        return f"our view of the chain is too old: by our clock its newest block is {-ahead} s old"
    if ahead > freshness:
        return f"the newest block is {ahead} s ahead of our clock: one of the two is wrong"
    if chain.clock - chain.heard > freshness or not chain.head_number:
        return "our view of the chain is too old: no newer block comes"
    return None


# Rule view-2.
def fresh(books: Books | Draft) -> bool:
    """Whether our view of the chain is fresh, see `why_stale`."""
    return why_stale(books.chain, books.config.limits.freshness) is None


# Rules fresh-1, offer-2.
def blocked(draft: Draft, view: ChannelView) -> str | None:
    """Why we may not sign a State, Open, Close or Withdraw in this channel now; None: we may.

    Protocol, section 5: Freshness [A6], Standing offers [A8], Store [B11].
    """
    if draft.exit_only:
        return "this store is exit only: it was restored or copied"
    if view.head.ended or view.final.ended:
        return "the channel has ended"
    if view.head.dispute is not None or view.final.dispute is not None:
        return "the channel is in dispute"
    if view.leaving:
        return "we are leaving through the chain"
    if view.close is not None:
        return "a Close that we signed is alive"
    if view.stage is not Stage.JOINED:
        return "the channel is not agreed on"
    if not view.watched:
        return "the chain has not told yet how the channel stands"
    stale = why_stale(draft.chain, draft.config.limits.freshness)
    if stale is not None:
        return stale
    if not view.met:
        return NOT_MET
    if not view.signed and not has_room(draft, view):
        return "no room for another channel, or nobody has put money into it"
    return None


# Rules fresh-1, meet-1.
def may_sign(draft: Draft, view: ChannelView, what: str) -> None:
    """Raises `NotAllowedNow` with the reason, if there is one."""
    why = blocked(draft, view)
    if why is not None:
        raise NotAllowedNow(what, why)


# Rule view-3.
def lapsed(valid_until: UnixTime, chain: ChainView) -> bool:
    """Whether what was valid until then can no longer be mined, as a final block shows."""
    return chain.final_time > valid_until
