"""Evidence on its way to the chain (protocol, section 5, Cashing in).

What we hold is submitted when the end of the instance is a margin away, at once when the channel is
in dispute, and in answer to any submission of less. What a register of ours carries is not
submitted beside it, while there is time to see what became of it.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.effects import SubmitEvidence
from perun.core.nanocontracts.instances import app_of, last_time, locks
from perun.core.nanocontracts.kind import Due
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.phases import registering
from perun.core.rules.worth import stake_of
from perun.core.state import ChannelView, InstanceView, LegStatus
from perun.types import ChannelId, Nano, Wei

__all__ = ["due", "duties", "piece"]


# Rules answer-7, cash-1, cash-2, close-6, dispute-2.
def duties(draft: Draft, instance: InstanceView) -> None:
    """What must be on its way to the chain for this instance now."""
    kind_of(instance.terms).prepare(draft, instance)
    instance = draft.instance(instance.id)
    found = due(draft, instance)
    if found is None:
        return
    last = last_time(instance.terms) - draft.config.limits.margin
    if found.answers or draft.now >= last or _disputed(draft, instance):
        app = app_of(draft.config.deployment, instance.terms)
        submission = SubmitEvidence(app, instance.id, found.evidence)
        draft.submit(
            b"e" + instance.id + found.tag, submission, found.before, _stake(draft, instance)
        )


def _stake(draft: Draft, instance: InstanceView) -> Wei | None:
    """All that it holds, in wei."""
    asset = draft.channel(instance.legs[0].channel).channel.asset
    return stake_of(draft.config, asset, Wei(sum(locks(instance.terms))))


def due(draft: Draft, instance: InstanceView) -> Due | None:
    """What we hold that a channel of ours would be paid differently for; None: nothing of use."""
    return kind_of(instance.terms).due(draft, instance) if _counts(draft, instance) else None


def piece(draft: Draft, nano: Nano) -> bytes:
    """Evidence that travels with a register; empty if we have none, or it would come too late."""
    instance = draft.find_instance(nano.id)
    found = None if instance is None else kind_of(instance.terms).due(draft, instance)
    return b"" if found is None or not found.rides else found.evidence


def _counts(draft: Draft, instance: InstanceView) -> bool:
    """Whether a channel of ours would be paid differently for it."""
    for leg in instance.legs:
        if leg.status in (LegStatus.LISTED, LegStatus.REMOVING):
            view = draft.channel(leg.channel)
            if not view.final.ended:
                return instance.role is not None or _half(instance)
        elif leg.status is not LegStatus.REMOVED and _in_dispute(draft, instance, leg.channel):
            return True
    return False


def _half(instance: InstanceView) -> bool:
    """Hub: removed where it pays, not yet where it receives: rule (c) wants its evidence used."""
    return any(leg.status is LegStatus.REMOVED for leg in instance.legs)


def _in_dispute(draft: Draft, instance: InstanceView, channel: bytes) -> bool:
    view = draft.books.channels.get(ChannelId(channel))
    dispute = view.head.dispute if view is not None else None
    return dispute is not None and any(nano.id == instance.id for nano in dispute.nanos)


def _disputed(draft: Draft, instance: InstanceView) -> bool:
    """Whether a channel is in dispute, or left, and no register of ours carries the evidence."""
    views: list[ChannelView] = [draft.channel(leg.channel) for leg in instance.legs]
    if any(registering(view, draft.chain) and _lists(view, instance) for view in views):
        return False
    return any(view.head.dispute is not None or view.leaving for view in views)


def _lists(view: ChannelView, instance: InstanceView) -> bool:
    agreed = view.agreed
    return agreed is not None and any(nano.id == instance.id for nano in agreed.state.nanos)
