"""What two have signed about their channel, as it would be shown to the chain."""

from __future__ import annotations

from perun.app import values as v
from perun.app.channels import view_of
from perun.app.methods import GetProofs
from perun.app.texts import hexed, show_node
from perun.app.work import Work
from perun.core.rules.accounting import reliable_holdings
from perun.core.state import ChannelView, Role, Totals
from perun.core.states.content import agreed_content, agreed_version
from perun.encoding.ids import (
    nanos_hash,
)
from perun.types import Nano

__all__ = ["proofs"]


def proofs(work: Work, params: GetProofs) -> v.Proofs:
    """Of one channel: its newest fully signed state, and what runs in it."""
    view = view_of(work, params.channel)
    net, nanos = agreed_content(view)
    holdings = reliable_holdings(view)
    agreed = view.agreed
    return v.Proofs(
        channel=hexed(view.id),
        role="alice" if view.role is Role.ALICE else "bob",
        version=agreed_version(view),
        net=str(net),
        nanos=hexed(nanos_hash(nanos)),
        own_holdings=str(holdings[view.role]),
        peer_holdings=str(holdings[view.role.other]),
        own_signature=hexed(agreed.own) if agreed else "0x",
        peer_signature=hexed(agreed.peer) if agreed else "0x",
        locks=tuple(_lock(work, view, nano) for nano in nanos),
    )


def _lock(work: Work, view: ChannelView, nano: Nano) -> v.Lock:
    sides = (nano.alice_lock, nano.bob_lock)
    instance = work.books.instances.get(nano.id)
    totals = work.books.totals.get(nano.id) or Totals(nano.id)
    return v.Lock(
        id=hexed(nano.id),
        kind="" if instance is None else type(instance.terms).__name__,
        end=None if instance is None or not instance.end else show_node(instance.end),
        own=str(sides[view.role]),
        peer=str(sides[view.role.other]),
        until=nano.expiry,
        sent=str(totals.sent),
        sent_signature=hexed(totals.sent_signature),
        received=str(totals.received),
        received_signature=hexed(totals.received_signature),
    )
