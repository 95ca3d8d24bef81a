"""Agreeing on a channel and funding it (protocol, section 5, Joining [B10]; section 3, openBoth).

The offerer stands as Alice. An account that is not its own key proves it by signing
`Open(id, 0, 0, 0)`: an Open that draws nothing and has lapsed, but whose id names both. A contract,
which cannot, proves it by its own `open`, once that is final.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.agreement import complete
from perun.core.books import Draft
from perun.core.effects import SignItem, Watch
from perun.core.faults import (
    AssetNotPriced,
    ChannelRejected,
    ChannelTooSmall,
    KeyNotProved,
    NotAllowedNow,
    UnexpectedMessage,
)
from perun.core.funding import fund, submit_open_both
from perun.core.inputs import CommandJoin, CommandOffer
from perun.core.keys import own_account, own_key, peer_account, peer_key
from perun.core.notices import ChannelJoined, ChannelOffered, ChannelRefused
from perun.core.phases import fresh
from perun.core.signing import check_signature
from perun.core.state import (
    ChannelView,
    Funding,
    Held,
    Intent,
    OnChain,
    OpenOffer,
    OwnProposal,
    PeerId,
    Purpose,
    Role,
    SignedState,
    Stage,
)
from perun.core.worth import worth_of
from perun.crypto.keys import PublicKey
from perun.encoding.ids import channel_id
from perun.encoding.messages import AcceptChannel, OfferChannel, Propose, RefuseChannel
from perun.errors import BadKey, BadSignature
from perun.types import (
    ZERO_ADDRESS,
    Channel,
    ChannelId,
    Open,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

__all__ = [
    "consider",
    "join",
    "offer",
    "on_accept",
    "on_offer",
    "on_open_signed",
    "on_refuse",
    "send_again",
    "sign_again",
]

FIRST = Version(2)
"""Alice's first version: even."""


def proof_of(id: ChannelId) -> Open:
    """What an account signs to prove the key that stands beside it in the channel."""
    return Open(id, Wei(0), Wei(0), UnixTime(0))


# --------------------------------------------------------------------------------------- offering


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
    view = ChannelView(id, channel, Role.ALICE, command.peer, Stage.OFFERED, funding)
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


def check_terms(draft: Draft, channel: Channel, role: Role, holds: int) -> None:
    """Raises `ChannelRejected` for a channel that an honest party does not join [B10]."""
    config = draft.config
    me, limits = config.identity, config.limits
    sides = ((channel.alice, channel.alice_key), (channel.bob, channel.bob_key))
    if sides[role] != (me.account, me.key):
        raise ChannelRejected("our account and key do not stand in our role")
    if set(sides[0]) & set(sides[1]):
        raise ChannelRejected("both sides share an address")
    if {ZERO_ADDRESS, config.deployment.contract.contract} & {*sides[0], *sides[1]}:
        raise ChannelRejected("an address is zero or the contract")
    if not limits.least_challenge <= channel.challenge <= limits.greatest_challenge:
        raise ChannelRejected(f"a challenge of {channel.challenge} s is outside our limits")
    if channel.asset not in config.policy.assets:
        raise ChannelRejected("an asset that is not on our list")
    least = worth_of(config.policy, channel.asset, limits.least_channel)
    if least is None and channel.asset not in config.policy.unpriced:
        raise AssetNotPriced(channel.asset)
    if least is not None and holds < least:
        raise ChannelTooSmall(holds, least)


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
    """After a restart: asks again for a proof or an Open that our account has not signed."""
    if view.stage is Stage.INVITED:
        return
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
    known = draft.books.channels.get(id)
    if known is not None:
        if known.peer == sender and known.role is Role.BOB:
            send_again(draft, known)
        return
    try:
        if draft.books.exit_only:
            raise ChannelRejected("no new channels here")
        check_terms(draft, channel, Role.BOB, message.alice_amount + message.bob_amount)
        _check_room(draft, sender)
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
        )
        view = replace(view, proven=_proves(draft, view, message.proof))
        if message.draw:
            view = replace(view, held=_first_state(draft, view, message.first), seen=FIRST)
        # What is refused in any case leaves no row and no watch behind.
        why = _why_not(draft, view) if fresh(draft) else None
        if why is not None:
            raise ChannelRejected(why)
    except ChannelRejected as error:
        draft.send(sender, RefuseChannel(id, error.why[:200]))
        return
    draft.put(view)
    draft.watch(Watch(channel=id, asset=channel.asset, terms=channel))


def _check_room(draft: Draft, sender: PeerId) -> None:
    """Offers are free: only so many of one peer are kept while nobody has put money in."""
    most = draft.config.limits.offers_per_peer
    waiting = sum(
        view.peer == sender and view.role is Role.BOB and not _touched(view.final)
        for view in draft.books.channels.values()
    )
    if waiting >= most:
        raise ChannelRejected(f"{most} channels that you offered wait for money: fund them first")


def _touched(on: OnChain) -> bool:
    """Whether a final block shows, or has shown, money in a channel; one we refused has ended."""
    return bool(on.alice or on.bob or on.withdrawals or on.ended)


def _proves(draft: Draft, view: ChannelView, proof: Signature) -> bool:
    """Whether the peer's key is proved, by this signature or by its account's own `open`.

    Raises:
        KeyNotProved: the signature is not one of the account.
    """
    account, key = peer_account(view), peer_key(view)
    if account == key or view.final.announced_by[view.role.other]:
        return True
    if not proof:
        return False
    try:
        check_signature(draft.config.deployment, proof_of(view.id), proof, account)
    except BadSignature:
        raise KeyNotProved(account, key) from None
    return True


def _first_state(draft: Draft, view: ChannelView, first: Propose | None) -> Held:
    """The opener's signature on the first state, which carries the fee [C5]."""
    if first is None or first.state.channel != view.id:
        raise ChannelRejected("an Open wants the first state, with the fee, signed")
    state = first.state
    if state.version != FIRST or state.nanos or not 0 <= state.net <= view.funding.alice_amount:
        raise ChannelRejected("the first state does more than pay the fee")
    check_signature(draft.config.deployment, state, first.signature, peer_key(view))
    intent = Intent(Purpose.TRANSFER, state.net)
    return Held(state, first.signature, intent, draft.chain.clock)


def consider(draft: Draft, view: ChannelView) -> None:
    """The chain has told how the channel stands: refuse, join, or ask our user."""
    if view.stage is not Stage.INVITED or not view.watched:
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
    policy, amount = draft.config.policy, view.funding.bob_amount
    why = _why_not(draft, view)
    if why is not None:
        _refuse(draft, view, why)
    elif view.funding.drawn:
        _accept(draft, view, to_credit=True)
    elif policy.join and amount <= policy.greatest_deposit:
        _accept(draft, view, to_credit=policy.hub is not None)
    else:
        draft.notify(ChannelOffered(view.id))


def _why_not(draft: Draft, view: ChannelView) -> str | None:
    """Why our policy refuses the channel without asking our user; None: it does not."""
    hub = draft.config.policy.hub
    live = sum(
        other.stage is Stage.JOINED and not other.final.ended
        for other in draft.books.channels.values()
    )
    if hub is not None and live >= hub.greatest_channels:
        return "no room for another channel"
    return _why_no_open(draft, view) if view.funding.drawn else None


def _why_no_open(draft: Draft, view: ChannelView) -> str | None:
    """Why we sign no `Open`: one per peer, the sum of live ones within our credit [C5]."""
    hub = draft.config.policy.hub
    amount = view.funding.bob_amount
    if hub is None or amount > hub.greatest_draw:
        return "we put in less than that"
    if view.held is None or view.held.state.net < hub.open_fee:
        return f"the opening fee is {hub.open_fee}"
    credit = draft.books.credits.get((view.channel.asset, own_account(view)))
    spoken_for = 0
    for other in draft.books.channels.values():
        for given in other.opens:
            if given.ours:
                if other.peer == view.peer:
                    return "one Open at a time"
                if other.channel.asset == view.channel.asset:
                    spoken_for += given.open.bob_amount
    if credit is None or spoken_for + amount > credit.amount:
        return "our credit does not suffice"
    return None


def join(draft: Draft, view: ChannelView, command: CommandJoin) -> None:
    """Our user has decided about an offered channel."""
    if not command.accept:
        _refuse(draft, view, "not wanted")
        return
    if not view.watched or not fresh(draft):
        raise NotAllowedNow("join", "the chain has not told yet how the channel stands")
    if not view.proven:
        raise KeyNotProved(peer_account(view), peer_key(view))
    _accept(draft, view, command.to_credit)


def _accept(draft: Draft, view: ChannelView, to_credit: bool) -> None:
    funding = replace(view.funding, own_to_credit=to_credit)
    view = replace(view, stage=Stage.JOINED, funding=funding)
    items = []
    if own_account(view) != own_key(view):
        items.append(SignItem(own_account(view), proof_of(view.id)))
    if funding.drawn:
        assert view.held is not None
        valid_until = UnixTime(
            draft.now + min(draft.config.limits.open_validity, view.channel.challenge)
        )
        leave = Open(view.id, funding.alice_amount, funding.bob_amount, valid_until)
        items.append(SignItem(own_account(view), leave))
        items.append(SignItem(own_key(view), view.held.state))
        view = replace(
            view,
            opens=(OpenOffer(leave),),
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
    draft.send(view.peer, RefuseChannel(view.id, reason[:200]))
    final = OnChain(ended=True)
    draft.put(replace(view, held=None, leaving=True, final=final))


def on_refuse(draft: Draft, view: ChannelView, message: RefuseChannel) -> None:
    """The peer does not want the channel; we have paid nothing.

    A first state that we have signed stays known: shown to us, it does not prove our store old.
    """
    draft.put(replace(view, leaving=True, final=OnChain(ended=True)))
    draft.notify(ChannelRefused(view.id, message.reason))


def on_accept(draft: Draft, view: ChannelView, message: AcceptChannel) -> None:
    """The peer agrees: fund the channel.

    Raises:
        KeyNotProved: nothing says that the peer's key signs for its account; our offer stands, and
            is taken up when the account has opened.
        BadSignature, UnexpectedMessage: it signs or allows something else than we offered.
    """
    deployment = draft.config.deployment
    if not _proves(draft, view, message.proof):
        raise KeyNotProved(peer_account(view), peer_key(view))
    funding = replace(view.funding, peer_to_credit=message.to_credit)
    view = replace(view, stage=Stage.JOINED, funding=funding, proven=True)
    if funding.drawn:
        leave = message.open
        expected = (view.id, funding.alice_amount, funding.bob_amount)
        if leave is None or (leave.channel, leave.alice_amount, leave.bob_amount) != expected:
            raise UnexpectedMessage("AcceptChannel", "its Open is about something else")
        if not draft.now < leave.valid_until <= draft.now + view.channel.challenge:
            raise UnexpectedMessage("AcceptChannel", "its Open is over, or valid for too long")
        check_signature(deployment, leave, message.open_signature, peer_account(view))
        first = view.proposals[0]
        check_signature(deployment, first.state, message.first_signature, peer_key(view))
        view = replace(view, opens=(OpenOffer(leave, message.open_signature, ours=False),))
        draft.put(view)
        complete(draft, view, SignedState(first.state, first.signature, message.first_signature))
        submit_open_both(draft, draft.channel(view.id))
    else:
        draft.put(view)
        if funding.alice_amount:
            fund(draft, view, funding.alice_amount)
    draft.notify(ChannelJoined(view.id))
