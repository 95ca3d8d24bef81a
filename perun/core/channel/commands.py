"""What our user wants of a channel, in a line or two each; their phase is looked at already."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.channel import disputes
from perun.core.effects import ClaimCredit
from perun.core.faults import NotAllowedNow
from perun.core.indexes import holds_ours
from perun.core.inputs import (
    CommandAnswer,
    CommandClaim,
    CommandDispute,
    CommandRemove,
    CommandShow,
    CommandTransfer,
)
from perun.core.nanocontracts.kinds import kind_of
from perun.core.nanocontracts.payments import show_paid
from perun.core.rules.phases import may_sign
from perun.core.state import ChannelView, Intent, LegStatus, Purpose, Role, Stage
from perun.core.states import proposing
from perun.core.virtual.leaving import leave, propose_removal
from perun.types import Wei

__all__ = ["answer", "claim", "dispute", "remove", "show", "transfer"]


def transfer(draft: Draft, view: ChannelView, command: CommandTransfer) -> None:
    """Pays by `net`."""
    may_sign(draft, view, "transfer")
    if command.amount <= 0:
        raise NotAllowedNow("transfer", "the amount is not positive")
    amount = command.amount if view.role is Role.ALICE else -command.amount
    proposing.want(draft, view.id, Intent(Purpose.TRANSFER, Wei(amount)))


def answer(draft: Draft, view: ChannelView, command: CommandAnswer) -> None:
    """Decides about the proposal that waits for our user."""
    held = view.held
    if held is None or held.answering or held.state.version != command.version:
        raise NotAllowedNow("answer", "no such proposal is held")
    may_sign(draft, view, "answer")
    if command.accept:
        proposing.answer(draft, view)
    else:
        proposing.refuse(draft, view.id, command.reason or "not wanted")


def remove(draft: Draft, view: ChannelView, command: CommandRemove) -> None:
    """Takes an instance out of the channel; over a hub the ends first agree on totals."""
    instance = draft.instance(command.instance)
    if instance.role is None:
        raise NotAllowedNow("remove it", "a hub follows the ends")
    if instance.gate is not None:
        raise NotAllowedNow("remove it", "it goes with its path, once what it ends in is known")
    may_sign(draft, view, "remove an instance")
    if instance.via and kind_of(instance.terms).talks and instance.head is None:
        leave(draft, instance)
    else:
        propose_removal(draft, instance.id)


def dispute(draft: Draft, view: ChannelView, command: CommandDispute) -> None:  # noqa: ARG001
    """Leaves through the chain; from here on nothing more is signed in this channel.

    What our store knows as an offer we have joined all the same if the chain shows money of ours
    there: then the store is an older copy.
    """
    if view.stage is not Stage.JOINED and not holds_ours(view):
        raise NotAllowedNow("leave", "the channel is only offered, and holds nothing of ours")
    view = replace(view, leaving=True)
    draft.put(view)
    disputes.duties(draft, view)


def show(draft: Draft, command: CommandShow) -> None:
    """Says our newest statement again."""
    instance = draft.instance(command.machine)
    if instance.role is None or not kind_of(instance.terms).talks:
        raise NotAllowedNow("show a statement", "we pay nothing in it")
    if instance.legs[0].status is LegStatus.LISTED:
        show_paid(draft, instance)


def claim(draft: Draft, command: CommandClaim) -> None:
    """Takes credit out of the contract."""
    what = ClaimCredit(command.asset, command.amount, command.to)
    draft.submit(what.key, what)
