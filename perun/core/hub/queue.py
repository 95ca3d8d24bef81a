"""A hub's queue: requests for a crossing wait, hold nothing, and are served in order [C2].

Both ends ask, unsigned. When both channels are idle the hub reserves both, quotes its fee and asks
both for their proposals; at most one pair is in flight per channel. An end whose half has come with
a request (`perun.core.open_at_once`) is not asked.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import Watch
from perun.core.faults import UnexpectedMessage
from perun.core.hub.letting_go import NOWHERE, forget, let_go, refuse_one
from perun.core.hub.policy import fee_for, why_refuse
from perun.core.nanocontracts.instances import (
    app_of,
    end_time,
    finally_decided,
    nano_of,
)
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.keys import peer_key
from perun.core.rules.phases import Phase, blocked, phase
from perun.core.rules.worth import base_fee_of
from perun.core.state import (
    ChannelView,
    HubInstance,
    HubStage,
    InstanceView,
    Leg,
    LegStatus,
    Role,
)
from perun.encoding.messages import GrantInstance, RequestInstance
from perun.types import ChannelId, InstanceId, Terms, UnixTime, Wei

__all__ = [
    "idle_pair",
    "instance_of",
    "keep_terms",
    "make_room",
    "on_request",
    "own_fee",
    "register",
    "start",
    "start_next",
    "why_not_taken",
    "why_stays",
]

Pair = tuple[ChannelView, ChannelView]
"""Those with the instance's Alice and with its Bob."""


def on_request(draft: Draft, view: ChannelView, message: RequestInstance) -> None:
    """One end asks; when both have, the pair waits for its channels."""
    id = instance_of(draft, message)
    why = register(draft, id, view, message)
    if why is not None:
        refuse_one(draft, view, id, why)
        return
    crossing = draft.hub_instance(id)
    if crossing is not None and crossing.stage is HubStage.REQUESTED:
        start_next(draft, view.id)


def instance_of(draft: Draft, message: RequestInstance) -> InstanceId:
    """What is asked for; raises `UnexpectedMessage`."""
    terms, deployment = message.terms, draft.config.deployment
    kind = kind_of(terms)
    if kind.end_time(terms) >= 2**40:
        raise UnexpectedMessage("RequestInstance", "its final time fits no nano")
    if not kind.exists(deployment):
        raise UnexpectedMessage("RequestInstance", "no such contract is known on this chain")
    return kind.id(deployment, terms)


def register(
    draft: Draft,
    id: InstanceId,
    view: ChannelView,
    message: RequestInstance,
    other: ChannelView | None = None,
) -> str | None:
    """Puts a request into the queue, and the `other` end's if that came along; or says why not."""
    policy = draft.config.policy.hub
    if policy is None:
        return "no hub here"
    side = Role.ALICE if message.from_alice else Role.BOB
    terms = message.terms
    kind = kind_of(terms)
    if not kind.near:
        return "it is for paths over several hubs"
    keys = kind.signers(terms)
    if keys is not None and keys[side] not in (None, peer_key(view)):
        return "your side of the machine is not your key"
    crossing = draft.hub_instance(id)
    if crossing is None:
        if draft.find_instance(id) is not None:
            return "it has crossed before"
        crossing = HubInstance(
            id, NOWHERE, NOWHERE, since=draft.chain.clock, replaces=message.replaces
        )
    if crossing.stage is not HubStage.REQUESTED or crossing.requested[side]:
        return None
    if crossing.replaces != message.replaces:
        # The id does not say what it replaces, so both ends must.
        why = "the ends do not agree on what it replaces"
        let_go(draft, crossing, why)
        return why
    asking = [(side, view)]
    if other is not None and not crossing.requested[side.other]:
        asking.append((side.other, other))
    if not all(make_room(draft, view, policy.greatest_queue) for _, view in asking):
        return "too many requests wait for this channel"
    for side, asker in asking:
        view = draft.channel(asker.id)
        draft.put(replace(view, waiting=(*view.waiting, id)))
        alice, bob = crossing.requested
        if side is Role.ALICE:
            crossing = replace(crossing, alice_channel=view.id, requested=(True, bob))
        else:
            crossing = replace(crossing, bob_channel=view.id, requested=(alice, True))
    draft.put(crossing)
    if all(crossing.requested):
        keep_terms(draft, crossing, terms)
    return None


def make_room(draft: Draft, view: ChannelView, most: int) -> bool:
    """Whether a channel may have a request more: of those that one end alone has asked for the
    oldest goes, so that an end that many strangers invite can still be met by somebody who means
    it."""
    if len(view.waiting) < most:
        return True
    for waiting in view.waiting:
        crossing = draft.hub_instance(waiting)
        if crossing is None or crossing.stage is not HubStage.REQUESTED:
            continue
        if not all(crossing.requested):
            let_go(draft, crossing, "too many requests wait for this channel")
            return True
    return False


def keep_terms(draft: Draft, crossing: HubInstance, terms: Terms) -> None:
    """All named the same terms, as the id shows; from here on the instance is watched."""
    pair = (draft.channel(crossing.alice_channel), draft.channel(crossing.bob_channel))
    instance = InstanceView(crossing.id, terms, _legs(pair), None)
    draft.put(instance)
    app = app_of(draft.config.deployment, instance.terms)
    draft.watch(Watch(app=app, instance=crossing.id))


def _legs(pair: Pair) -> tuple[Leg, Leg]:
    """The hub plays the missing role: the instance's Alice is our peer in Alice's channel, and
    ourselves in Bob's."""
    (alice, bob) = pair
    return (
        Leg(alice.id, swapped=alice.role is Role.ALICE),
        Leg(bob.id, swapped=bob.role is Role.BOB),
    )


def why_not_taken(
    draft: Draft,
    id: InstanceId,
    terms: Terms,
    pair: Pair,
    replaces: InstanceId | None = None,
) -> str | None:
    """Why we do not take an instance between these two channels; None: we do."""
    deployment = draft.config.deployment
    nanos = [nano_of(deployment, id, terms, leg.swapped) for leg in _legs(pair)]
    places = tuple(zip(pair, nanos, strict=True))
    return why_refuse(draft.config, draft.chain, terms, places, replaces)


def own_fee(draft: Draft, view: ChannelView, terms: Terms) -> Wei:
    """What we ask for it, in the channel's asset."""
    policy = draft.config.policy.hub
    assert policy is not None
    base = base_fee_of(draft.config.policy, view.channel.asset)
    return fee_for(policy, base, terms, draft.now, end_time(terms))


def start_next(draft: Draft, *channels: ChannelId) -> None:
    """Serves the oldest waiting pair of a channel whose both channels are idle."""
    for id in channels:
        view = draft.channel(id)
        for waiting in view.waiting:
            crossing = draft.hub_instance(waiting)
            if crossing is None or not all(crossing.requested):
                continue
            pair = idle_pair(draft, crossing)
            if pair is not None:
                start(draft, crossing, pair)
                break


# Rule pair-1.
def idle_pair(draft: Draft, crossing: HubInstance) -> Pair | None:
    """The two channels of a pair, if both are idle."""
    pair = (draft.channel(crossing.alice_channel), draft.channel(crossing.bob_channel))
    return pair if all(_idle(draft, one) for one in pair) else None


def _idle(draft: Draft, view: ChannelView) -> bool:
    return (
        view.inflight is None
        and not view.intents
        and phase(view, draft.chain) is Phase.IDLE
        and blocked(draft, view) is None
    )


# Rules pair-1, pair-5.
def start(
    draft: Draft,
    crossing: HubInstance,
    pair: Pair,
    halves: tuple[ChannelId, ...] = (),
) -> str | None:
    """Reserves and grants, or refuses and says why; in channels whose `halves` are here a state
    does that instead."""
    instance = draft.instance(crossing.id)
    terms = instance.terms
    why = why_not_taken(draft, instance.id, terms, pair, crossing.replaces)
    if pair[0].id == pair[1].id or pair[0].channel.asset != pair[1].channel.asset:
        why = "the ends need two channels of one asset"
    if crossing.replaces is not None:
        why = why_stays(draft, crossing, instance) or why
    if why is not None:
        for view in pair:
            if view.id not in halves:
                refuse_one(draft, view, crossing.id, why)
        forget(draft, crossing)
        return why
    policy = draft.config.policy.hub
    assert policy is not None
    fee = own_fee(draft, pair[0], terms)
    draft.put(replace(crossing, stage=HubStage.OPENING, since=draft.chain.clock, fee=fee))
    valid_until = UnixTime(draft.now + policy.quote_validity)
    for view, price in zip(pair, (fee, Wei(0)), strict=True):
        waiting = tuple(id for id in view.waiting if id != crossing.id)
        draft.put(replace(view, inflight=crossing.id, waiting=waiting))
        if view.id in halves:
            continue
        draft.send(view.peer, GrantInstance(view.id, crossing.id, price, valid_until))
    return None


# Rule replace-3.
def why_stays(draft: Draft, crossing: HubInstance, instance: InstanceView) -> str | None:
    """Why an instance cannot take the place that it asks for; None: it can.

    Only of a machine that crosses the same two channels, is listed in both, and goes from both at
    the totals that the ends name: not of one that the chain, or one channel alone, has decided.
    """
    assert crossing.replaces is not None
    old, place = draft.find_instance(crossing.replaces), draft.hub_instance(crossing.replaces)
    if old is None or place is None or old.machine is None or instance.machine is None:
        return "no machine whose place it could take"
    if {leg.channel for leg in old.legs} != {crossing.alice_channel, crossing.bob_channel}:
        return "it would take a place in other channels"
    if any(leg.status is not LegStatus.LISTED for leg in old.legs):
        return "the machine whose place it takes is not listed in both channels"
    if finally_decided(old, draft.chain) is not None:
        return "the chain has decided the machine whose place it takes"
    return None
