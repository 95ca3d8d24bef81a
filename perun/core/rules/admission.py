"""Which channels a party takes part in (protocol, section 5, Joining [B10]), and what it puts up.

An account that is not its own key proves it by signing `Open(id, 0, 0, 0)`: an Open that draws
nothing and has lapsed, but whose id names both: of the channel, or once for all channels of the
key, of an id that is no channel's. A contract, which cannot, proves it by its own
`open`, once that is final.
"""

from __future__ import annotations

from typing import Final

from perun.core.books import Draft
from perun.core.faults import AssetNotPriced, ChannelRejected, ChannelTooSmall, KeyNotProved
from perun.core.indexes import touched
from perun.core.rules.keys import own_account, peer_account, peer_key
from perun.core.rules.worth import least_channel, most_of, worth_of
from perun.core.state import ChannelView, Held, Intent, PeerId, Purpose, Role, Stage
from perun.crypto import keccak
from perun.encoding.messages import Propose
from perun.errors import BadSignature
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Channel,
    ChannelId,
    Open,
    Signature,
    UnixTime,
    Version,
    Wei,
)

__all__ = [
    "FIRST",
    "check_room",
    "check_terms",
    "first_state",
    "has_room",
    "may_deposit",
    "proof_of",
    "proves",
    "standing_proof_of",
    "why_no_credit",
    "why_not",
]

FIRST: Final = Version(2)
"""Alice's first version: even."""


# Rules join-1, join-3.
def check_terms(draft: Draft, channel: Channel, role: Role, holds: int) -> None:
    """Raises `ChannelRejected` for a channel that an honest party does not join [B10]."""
    config = draft.config
    me, limits = config.identity, config.limits
    sides = ((channel.alice, channel.alice_key), (channel.bob, channel.bob_key))
    if sides[role] != (me.account, me.key):
        raise ChannelRejected("it names another account or key than ours for us")
    if set(sides[0]) & set(sides[1]):
        raise ChannelRejected("both sides share an address")
    if {ZERO_ADDRESS, config.deployment.contract.contract} & {*sides[0], *sides[1]}:
        raise ChannelRejected("an address is zero or the contract")
    if not limits.least_challenge <= channel.challenge <= limits.greatest_challenge:
        raise ChannelRejected(f"a challenge of {channel.challenge} s is outside our limits")
    if channel.asset not in config.policy.assets:
        raise ChannelRejected("an asset that is not on our list")
    least = worth_of(config.policy, channel.asset, least_channel(limits, draft.chain))
    if least is None and channel.asset not in config.policy.unpriced:
        raise AssetNotPriced(channel.asset)
    if least is not None and holds < least:
        raise ChannelTooSmall(holds, least)


# Rule join-2.
def proof_of(id: ChannelId) -> Open:
    """What an account signs to prove the key that stands beside it in the channel."""
    return Open(id, Wei(0), Wei(0), UnixTime(0))


# Rule join-2.
def standing_proof_of(account: Address, key: Address) -> Open:
    """The same for every channel that has both: its id is the hash of something shorter than any
    channel, so it is none's."""
    return proof_of(ChannelId(keccak(b"perun key" + account + key)))


# Rule limits-4.
def check_room(draft: Draft, sender: PeerId) -> None:
    """Offers are free: only so many of one peer are kept while nobody has put money in."""
    most, channels = draft.config.limits.offers_per_peer, draft.books.channels
    known = map(channels.__getitem__, draft.books.indexes.of_peer.get(sender, ()))
    waiting = sum(view.role is Role.BOB and not touched(view.final) for view in known)
    if waiting >= most:
        raise ChannelRejected(f"{most} channels that you offered wait for money: fund them first")


# Rule join-2.
def proves(draft: Draft, view: ChannelView, proof: Signature) -> bool:
    """Whether the peer's key is proved, by this signature or by its account's own `open`.

    Raises:
        KeyNotProved: the signature is not one of the account.
    """
    account, key = peer_account(view), peer_key(view)
    if account == key or view.final.announced_by[view.role.other]:
        return True
    if not proof:
        return False
    for signed in (proof_of(view.id), standing_proof_of(account, key)):
        try:
            draft.checker.check(signed, proof, account)
        except BadSignature:
            continue
        return True
    raise KeyNotProved(account, key)


# Rule join-7.
def first_state(draft: Draft, view: ChannelView, first: Propose | None) -> Held:
    """The opener's signature on the first state, which carries the fee [C5]."""
    if first is None or first.state.channel != view.id:
        raise ChannelRejected("an Open wants the first state, with the fee, signed")
    state = first.state
    if state.version != FIRST or state.nanos or not 0 <= state.net <= view.funding.alice_amount:
        raise ChannelRejected("the first state does more than pay the fee")
    draft.checker.check(state, first.signature, peer_key(view))
    intent = Intent(Purpose.TRANSFER, state.net)
    return Held(state, first.signature, intent, draft.chain.clock)


def why_not(draft: Draft, view: ChannelView) -> str | None:
    """Why our policy refuses the channel without asking our user; None: it does not."""
    hub = draft.config.policy.hub
    if hub is not None and hub.paused:
        return "this hub takes no new channels at the moment"
    if not has_room(draft, view):
        return "no room for another channel"
    return _why_no_open(draft, view) if view.funding.drawn else None


# Rule fee-3.
def has_room(draft: Draft, view: ChannelView) -> bool:
    """Whether a hub could still answer for this channel, beside all that it answers for [C4].

    What it has agreed on, and has no money in, and has signed nothing for costs it nothing, and the
    peer neither: so room is asked for again before the first signature, which wants money there.
    """
    hub, answered_for = draft.config.policy.hub, draft.books.indexes.answered_for
    if hub is None:
        return True
    if view.stage is Stage.JOINED and not touched(view.final):
        return False
    return len(answered_for) - (view.id in answered_for) < hub.greatest_channels


# Rule join-6.
def may_deposit(draft: Draft, view: ChannelView) -> bool:
    """Whether we put in what an offered channel asks of us without asking our user: each deposit
    is bounded, and what all such channels together hold of ours."""
    policy, amount, asset = draft.config.policy, view.funding.bob_amount, view.channel.asset
    most = policy.greatest_deposits
    if most is None and policy.hub is None:
        most = policy.greatest_deposit
    fits = amount <= most_of(policy, asset, policy.greatest_deposit)
    if amount == 0 or not fits or most is None:
        return fits
    return draft.books.indexes.promised[asset] + amount <= most_of(policy, asset, most)


def _why_no_open(draft: Draft, view: ChannelView) -> str | None:
    """Why we sign no `Open`: one per peer, the sum of live ones within our credit [C5]."""
    policy, amount, asset = draft.config.policy, view.funding.bob_amount, view.channel.asset
    hub = policy.hub
    if hub is None or amount > most_of(policy, asset, hub.greatest_draw):
        return "we put in less than that: ask us for a smaller share, or none"
    fee = worth_of(policy, asset, hub.open_fee)
    if fee is None:
        return "what this token is worth is not known here, so our share has no price"
    if view.held is None or view.held.state.net < fee:
        return f"the opening fee is {fee}"
    return why_no_credit(draft, view)


# Rule offer-6.
def why_no_credit(draft: Draft, view: ChannelView) -> str | None:
    """Why an `Open` would speak for money that we may not have, whoever asks us to sign it."""
    books = draft.books
    credit = books.credits.get((view.channel.asset, own_account(view)))
    spoken_for = 0
    for other in map(books.channels.__getitem__, books.indexes.opens):
        for given in other.opens:
            if given.ours:
                if other.peer == view.peer:
                    return "one Open at a time"
                if other.channel.asset == view.channel.asset:
                    spoken_for += given.open.bob_amount
    if credit is None or spoken_for + view.funding.bob_amount > credit.amount:
        return "our credit does not suffice"
    return None
