"""Agreeing on a channel (protocol, section 5, Joining; section 3, openBoth): the conversation.

The offerer stands as Alice. Which channels are taken part in at all is `admission`'s; money moves
by `funding`.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.chain_view import OnChain
from perun.core.channel.agreement import complete
from perun.core.channel.funding import deposit, submit_open_both
from perun.core.effects import SignItem, Watch
from perun.core.faults import (
    ChannelRejected,
    KeyNotProved,
    NotAllowedNow,
    UnexpectedMessage,
)
from perun.core.indexes import holds_ours, touched
from perun.core.inputs import CommandJoin, CommandOffer
from perun.core.notices import ChannelEnded, ChannelJoined, ChannelOffered, ChannelRefused
from perun.core.rules.admission import (
    FIRST,
    check_room,
    check_terms,
    first_state,
    may_deposit,
    proof_of,
    proves,
    why_no_credit,
    why_not,
)
from perun.core.rules.keys import own_account, own_key, peer_account, peer_key
from perun.core.rules.phases import NOT_MET, fresh
from perun.core.state import (
    ChannelView,
    Funding,
    Intent,
    OpenOffer,
    OwnProposal,
    PeerId,
    Purpose,
    Role,
    SignedState,
    Stage,
)
from perun.core.states.proposing import show
from perun.crypto.keys import PublicKey
from perun.encoding.ids import (
    channel_id,
)
from perun.encoding.messages import AcceptChannel, OfferChannel, Propose, RefuseChannel
from perun.errors import BadKey
from perun.types import (
    Channel,
    Open,
    Signature,
    State,
    UnixTime,
)

__all__ = [
    "consider",
    "give_up",
    "is_given_up",
    "join",
    "offer",
    "offered",
    "on_accept",
    "on_offer",
    "on_open_signed",
    "on_refuse",
    "send_again",
    "sign_again",
]

# --------------------------------------------------------------------------------------- offering


# Rule join-4.
def offer(draft: Draft, command: CommandOffer) -> None:
    """Offers a channel; money moves only when the peer has agreed."""
    if draft.books.exit_only or not fresh(draft):
        raise NotAllowedNow("open", "this store is exit only, or our view of the chain too old")
    me = draft.config.identity
    try:
        key = PublicKey(command.peer).address
    except BadKey as error:
        raise NotAllowedNow("open", str(error)) from None
    channel = Channel(
        me.account, command.account, me.key, key, command.asset, command.challenge, command.nonce
    )
    check_terms(draft, channel, Role.ALICE, command.own_amount + command.peer_amount)
    id = channel_id(draft.config.deployment.contract, channel)
    if id in draft.books.channels:
        raise NotAllowedNow("open", "the nonce was used before")
    funding = Funding(
        command.own_amount, command.peer_amount, command.draw, own_to_credit=command.to_credit
    )
    view = ChannelView(id, channel, Role.ALICE, command.peer, Stage.OFFERED, funding, met=True)
    items = []
    if me.account != me.key:
        items.append(SignItem(me.account, proof_of(id)))
    if command.draw:
        first = State(id, FIRST, command.fee)
        intent = Intent(Purpose.TRANSFER, command.fee)
        view = replace(view, proposals=(OwnProposal(first, intent),), signed=FIRST)
        items.append(SignItem(me.key, first))
    draft.put(view)
    draft.watch(Watch(channel=id, asset=channel.asset, terms=channel))
    if items:
        draft.sign(*items)
    else:
        send_again(draft, view)


def send_again(draft: Draft, view: ChannelView) -> None:
    """Sends our offer, or our acceptance, once everything in it is signed; also again."""
    needs_proof = own_account(view) != own_key(view)
    if needs_proof and not view.own_proof:
        return
    if view.role is Role.ALICE and view.stage is Stage.OFFERED:
        first = None
        if view.proposals:
            proposal = view.proposals[0]
            if not proposal.signature:
                return
            first = Propose(proposal.state, proposal.signature, int(Purpose.TRANSFER))
        funding = view.funding
        message = OfferChannel(
            view.channel,
            funding.alice_amount,
            funding.bob_amount,
            funding.drawn,
            view.own_proof,
            funding.own_to_credit,
            first,
        )
        draft.put(replace(view, offered_at=draft.chain.clock))
        draft.send(view.peer, message)
    elif view.role is Role.BOB and view.stage is Stage.JOINED:
        own = next((offer for offer in view.opens if offer.ours), None)
        if own is not None and not own.signature:
            return
        signature = Signature(b"")
        if view.funding.drawn:
            if view.agreed is None or view.agreed.state.version != FIRST:
                return
            signature = view.agreed.own
        accepted = AcceptChannel(
            view.id,
            view.own_proof,
            view.funding.own_to_credit,
            own.open if own is not None else None,
            own.signature if own is not None else Signature(b""),
            signature,
        )
        draft.send(view.peer, accepted)


def on_open_signed(draft: Draft, signed: Open, signature: Signature) -> None:
    """Our account has signed: a proof, or leave to draw on our credit."""
    view = draft.channel(signed.channel)
    if signed == proof_of(view.id):
        view = replace(view, own_proof=signature)
    else:
        opens = tuple(
            replace(offer, signature=signature) if offer.open == signed else offer
            for offer in view.opens
        )
        view = replace(view, opens=opens)
    draft.put(view)
    send_again(draft, view)


def sign_again(draft: Draft, view: ChannelView) -> None:
    """After a restart: asks again for what we offered, or answered an offer with, unsigned."""
    if view.stage is Stage.INVITED:
        return
    if view.stage is Stage.OFFERED:
        for proposal in view.proposals:
            if not proposal.signature:
                draft.sign(SignItem(own_key(view), proposal.state))
    if own_account(view) != own_key(view) and not view.own_proof:
        draft.sign(SignItem(own_account(view), proof_of(view.id)))
    for given in view.opens:
        if given.ours and not given.signature:
            draft.sign(SignItem(own_account(view), given.open))


# ---------------------------------------------------------------------------------------- joining


def on_offer(draft: Draft, sender: PeerId, message: OfferChannel) -> None:
    """A peer offers a channel: look at the terms now, at the chain before answering."""
    channel = message.channel
    id = channel_id(draft.config.deployment.contract, channel)
    if id in draft.books.channels:
        known = offered(draft, sender, message)
        if known is not None:
            send_again(draft, known)
        return
    try:
        if draft.books.exit_only:
            raise ChannelRejected("no new channels here")
        check_terms(draft, channel, Role.BOB, message.alice_amount + message.bob_amount)
        check_room(draft, sender)
        view = ChannelView(
            id,
            channel,
            Role.BOB,
            sender,
            Stage.INVITED,
            Funding(
                message.alice_amount,
                message.bob_amount,
                message.draw,
                peer_to_credit=message.to_credit,
            ),
            met=True,
        )
        view = replace(view, proven=proves(draft, view, message.proof))
        if message.draw:
            view = replace(view, held=first_state(draft, view, message.first), seen=FIRST)
        # What is refused in any case leaves no row and no watch behind.
        why = why_not(draft, view) if fresh(draft) else None
        if why is not None:
            raise ChannelRejected(why)
    except ChannelRejected as error:
        draft.send(sender, RefuseChannel(id, error.why[:200]))
        return
    draft.put(view)
    draft.watch(Watch(channel=id, asset=channel.asset, terms=channel))


def offered(draft: Draft, sender: PeerId, message: OfferChannel) -> ChannelView | None:
    """The channel, if this peer had offered it to us before."""
    id = channel_id(draft.config.deployment.contract, message.channel)
    known = draft.books.channels.get(id)
    return known if known is not None and (known.peer, known.role) == (sender, Role.BOB) else None


def consider(draft: Draft, view: ChannelView) -> None:
    """The chain has told how the channel stands: refuse, join, or ask our user.

    An exit only store joins nothing, and refuses nothing: it may have joined what it knows as an
    offer, and its money would be forgotten with it.
    """
    if view.stage is not Stage.INVITED or not view.watched or not view.met:
        return
    if draft.exit_only:
        return
    if not view.proven and view.final.announced_by[Role.ALICE]:
        view = replace(view, proven=True)
        draft.put(view)
    for on in (view.head, view.final):
        if on.dispute is not None or on.ended or on.withdrawals or on.drawn:
            _refuse(draft, view, "the chain knows a dispute, a withdrawal or an end of this id")
            return
    if not view.proven or not fresh(draft):
        return
    policy = draft.config.policy
    why = why_not(draft, view)
    if why is not None:
        _refuse(draft, view, why)
    elif view.funding.drawn and not (policy.hub is not None and policy.hub.asks):
        _accept(draft, view, to_credit=True)
    elif not view.funding.drawn and policy.join and may_deposit(draft, view):
        _accept(draft, view, to_credit=policy.hub is not None)
    elif not view.offered_at:
        draft.put(replace(view, offered_at=draft.chain.clock))
        draft.notify(ChannelOffered(view.id))


def join(draft: Draft, view: ChannelView, command: CommandJoin) -> None:
    """Our user has decided about an offered channel."""
    if not command.accept:
        _refuse(draft, view, command.reason)
        return
    if not view.watched or not fresh(draft):
        raise NotAllowedNow("join", "the chain has not told yet how the channel stands")
    if not view.met:
        raise NotAllowedNow("join", NOT_MET)
    if not view.proven:
        raise KeyNotProved(peer_account(view), peer_key(view))
    why = why_no_credit(draft, view) if view.funding.drawn else None
    if why is not None:
        raise NotAllowedNow("join", why)
    _accept(draft, view, command.to_credit)


def _accept(draft: Draft, view: ChannelView, to_credit: bool) -> None:
    funding = replace(view.funding, own_to_credit=to_credit)
    view = replace(view, stage=Stage.JOINED, funding=funding, offered_at=draft.chain.clock)
    items = []
    if own_account(view) != own_key(view):
        items.append(SignItem(own_account(view), proof_of(view.id)))
    if funding.drawn:
        assert view.held is not None
        valid_until = UnixTime(
            draft.now + min(draft.config.limits.open_validity, view.channel.challenge)
        )
        permit = Open(view.id, funding.alice_amount, funding.bob_amount, valid_until)
        items.append(SignItem(own_account(view), permit))
        items.append(SignItem(own_key(view), view.held.state))
        view = replace(
            view,
            opens=(OpenOffer(permit),),
            held=replace(view.held, answering=True),
            signed=view.held.state.version,
        )
    draft.put(view)
    draft.notify(ChannelJoined(view.id))
    if items:
        draft.sign(*items)
    else:
        send_again(draft, view)


def _refuse(draft: Draft, view: ChannelView, reason: str) -> None:
    """Nothing of it is signed, so nothing of it is kept: what others put in does not concern us."""
    draft.send(view.peer, RefuseChannel(view.id, reason[:200]))
    draft.drop(view)


# Rule join-5.
def is_given_up(draft: Draft, view: ChannelView) -> bool:
    """Whether nobody has put money into a channel offered to us before a deposit, sent when we
    joined, would have lapsed; and we have signed nothing that has to be known for ever."""
    if view.role is not Role.BOB or view.stage is not Stage.JOINED or not view.watched:
        return False
    if touched(view.head) or touched(view.final) or view.head.dispute is not None:
        return False
    if view.signed or view.held is not None or view.withdraws or view.deposits:
        return False
    if view.waiting or view.inflight is not None or draft.books.used[view.id]:
        return False  # An instance that was agreed on for it lasts to the end of its terms.
    limits = draft.config.limits
    latest = view.offered_at + limits.offer_validity + limits.margin
    return draft.chain.final_of(view.told) > latest


def give_up(draft: Draft, view: ChannelView) -> None:
    """Forgets a channel that came to nothing."""
    draft.notify(ChannelEnded(view.id))
    draft.drop(view)


def on_refuse(draft: Draft, view: ChannelView, message: RefuseChannel) -> None:
    """The peer does not want the channel; we have paid nothing.

    A first state that we have signed stays known: shown to us, it does not prove our store old. But
    the channel is followed no more: it has none of our money, whatever others put in. But what the
    chain shows on our side is ours, and no refusal takes it.
    """
    if holds_ours(view):
        raise UnexpectedMessage("RefuseChannel", "the channel holds money of ours: it was joined")
    if view.signed:
        draft.put(replace(view, leaving=True, final=OnChain(ended=True)))
        draft.watch(Watch(channel=view.id, over=True))
    else:
        draft.drop(view)
    draft.notify(ChannelRefused(view.id, message.reason))


def on_accept(draft: Draft, view: ChannelView, message: AcceptChannel) -> None:
    """The peer agrees: fund the channel.

    Raises:
        KeyNotProved: nothing says that the peer's key signs for its account; our offer stands, and
            is taken up when the account has opened.
        BadSignature, UnexpectedMessage: it signs or allows something else than we offered.
    """
    if not proves(draft, view, message.proof):
        raise KeyNotProved(peer_account(view), peer_key(view))
    funding = replace(view.funding, peer_to_credit=message.to_credit)
    view = replace(view, stage=Stage.JOINED, funding=funding, proven=True)
    if funding.drawn:
        permit = message.open
        expected = (view.id, funding.alice_amount, funding.bob_amount)
        if permit is None or (permit.channel, permit.alice_amount, permit.bob_amount) != expected:
            raise UnexpectedMessage("AcceptChannel", "its Open is about something else")
        if not draft.now < permit.valid_until <= draft.now + view.channel.challenge:
            raise UnexpectedMessage("AcceptChannel", "its Open is over, or valid for too long")
        draft.checker.check(permit, message.open_signature, peer_account(view))
        first = view.proposals[0]
        draft.checker.check(first.state, message.first_signature, peer_key(view))
        view = replace(view, opens=(OpenOffer(permit, message.open_signature, ours=False),))
        draft.put(view)
        complete(draft, view, SignedState(first.state, first.signature, message.first_signature))
        submit_open_both(draft, draft.channel(view.id))
    else:
        draft.put(view)
        if funding.alice_amount:
            deposit(draft, view, funding.alice_amount)
    if not view.met:
        show(draft, draft.channel(view.id), asks=True)
    draft.notify(ChannelJoined(view.id))
