"""Registering, answering and settling (protocol, section 5, Opening a dispute).

Duties are derived from the newest snapshots at every block, and asked for again until their effect
is final: a submitter knows a wish by its key, so asking twice does nothing twice. Dangers are
believed from the newest block, good news from final ones [C8].
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.chain_view import OnChain
from perun.core.channel.agreement import complete
from perun.core.effects import Register, Settle
from perun.core.nanocontracts import evidence
from perun.core.notices import ChannelDisputed, ChannelEnded, ChannelFunded, ExitOnly
from perun.core.rules.keys import alice_first
from perun.core.rules.phases import Phase, phase, registering
from perun.core.rules.worth import stake_of
from perun.core.state import ChannelView, SignedState, StoreMark
from perun.core.states.content import agreed_version
from perun.core.states.valuation import payable
from perun.types import Nano, Signature, State, Version, Wei

__all__ = ["duties", "on_snapshot", "registration", "start"]


def on_snapshot(draft: Draft, view: ChannelView, head: OnChain, final: OnChain) -> ChannelView:
    """Takes a channel's snapshots over and says what they mean."""
    before = view
    view = replace(view, head=head, final=final, watched=True, told=draft.chain.told)
    draft.put(view)
    if (final.alice, final.bob) != (before.final.alice, before.final.bob):
        draft.notify(ChannelFunded(view.id, final.alice, final.bob))
    dispute = head.dispute
    if dispute is not None and before.head.dispute != dispute and not dispute.settling:
        own = agreed_version(view)
        draft.notify(ChannelDisputed(view.id, dispute.version, own, dispute.deadline))
    if final.ended and not before.final.ended:
        draft.notify(ChannelEnded(view.id))
    decided = final.dispute
    if decided is not None and not decided.settling:
        view = _believe(draft, view, decided.version, decided.net, decided.nanos)
    return view


def _believe(
    draft: Draft, view: ChannelView, version: Version, net: Wei, nanos: tuple[Nano, ...]
) -> ChannelView:
    """A state that the contract took in a final block is fully signed: the peer has used one of our
    unresolved proposals, or this store is old [B11]."""
    if version <= agreed_version(view):
        return view
    state = State(view.id, version, net, nanos)
    own = Signature(b"")
    known = False
    for proposal in view.proposals:
        if proposal.state == state:
            known, own = True, proposal.signature
    if view.held is not None and view.held.answering and view.held.state == state:
        known = True
    if not known:
        draft.put(StoreMark(reason="the chain shows a state that we signed and do not know"))
        draft.notify(ExitOnly(view.id, version))
    complete(draft, view, SignedState(state, own))
    return draft.channel(view.id)


# ----------------------------------------------------------------------------------------- duties


# Rule dispute-2.
def duties(draft: Draft, view: ChannelView) -> None:
    """What must be on its way to the chain for this channel now."""
    if registering(view, draft.chain):
        _register(draft, view)
    elif phase(view, draft.chain) in (Phase.DECIDED, Phase.SETTLING):
        _settle(draft, view)


# Rule dispute-1.
def _register(draft: Draft, view: ChannelView) -> None:
    """Our newest fully signed state, with every piece of evidence that is still of use."""
    before = None if view.head.dispute is None else view.head.dispute.deadline
    held = Wei(view.head.alice + view.head.bob)
    stake = stake_of(draft.config, view.channel.asset, held) if before is not None else None
    newest = registration(draft, view)
    if newest is not None:
        draft.submit(b"r" + view.id, newest, before, stake)
    elif view.head.dispute is None and min(view.head.alice, view.head.bob) >= 0:
        draft.submit(b"r" + view.id, start(view), before)


def start(view: ChannelView) -> Register:
    """What anybody of the two can register without a signature: nothing has been paid yet."""
    nothing = Signature(b"")
    return Register(view.channel, view.id, Version(0), Wei(0), (), nothing, nothing)


def registration(draft: Draft, view: ChannelView) -> Register | None:
    """Our newest fully signed state, with every piece of evidence that is still of use; None: none
    is signed by both."""
    agreed = view.agreed
    if agreed is None or not agreed.peer:
        return None
    alice, bob = alice_first(view, agreed.own, agreed.peer)
    state = agreed.state
    pieces = tuple(evidence.piece(draft, nano) for nano in state.nanos)
    if not any(pieces):
        pieces = ()
    return Register(
        view.channel, view.id, state.version, state.net, state.nanos, alice, bob, pieces
    )


def _settle(draft: Draft, view: ChannelView) -> None:
    """Once, after the deadline; then whenever an instance that pays us is resolved."""
    dispute = view.head.dispute
    assert dispute is not None
    if payable(draft, view) <= 0:
        return
    settlement = Settle(
        view.channel,
        view.id,
        Wei(0) if dispute.settling else dispute.net,
        dispute.nanos,
    )
    draft.submit(b"s" + view.id, settlement)
