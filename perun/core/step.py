"""The table phase × input, and the one entrance: `step(books, input)`.

A row names the phases in which an input about a channel is taken up. Elsewhere a command raises
`NotAllowedNow` and a message `PeerNotAllowed`: nothing changes, and a peer that keeps the rules
sends it again. Payments have no phase: `payments.why_not` is the whole condition. What the chain
says and our own signer does is taken up always.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from msgspec.structs import replace

from perun.core import clockwork, meeting, open_at_once
from perun.core.books import Books, Draft, Step
from perun.core.channel import disputes, funding, joining, offers, proposals
from perun.core.channel.secrets import reveal
from perun.core.effects import ClaimCredit
from perun.core.faults import NotAllowedNow, PeerNotAllowed, UnexpectedMessage, Unknown
from perun.core.hub import queue
from perun.core.inputs import (
    ChainAnnounced,
    ChainBlock,
    ChainChannel,
    ChainCredit,
    ChainInstance,
    CommandAddMachine,
    CommandAnswer,
    CommandClaim,
    CommandClose,
    CommandDispute,
    CommandFund,
    CommandJoin,
    CommandLock,
    CommandOffer,
    CommandPay,
    CommandRemove,
    CommandReplace,
    CommandReveal,
    CommandShow,
    CommandTransfer,
    CommandWithdraw,
    Connected,
    Input,
    Received,
    Restarted,
    Signed,
    Tick,
)
from perun.core.nanocontracts import payments
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.phases import Phase, may_sign, phase
from perun.core.state import ChannelView, Credit, Intent, LegStatus, PeerId, Purpose, Role
from perun.core.states.proposing import answer, refuse, want
from perun.core.virtual import ends, invitations, leaving
from perun.crypto.hashing import keccak
from perun.encoding import messages as m
from perun.encoding.quotes import Quote
from perun.types import (
    ChannelId,
    Close,
    Open,
    Ready,
    State,
    Statement,
    Wei,
    Withdraw,
)

__all__ = ["TABLE", "step"]

_LIVE: Final = frozenset({Phase.IDLE, Phase.PROPOSED, Phase.HOLDING})
_JOINED: Final = frozenset(Phase) - {Phase.OFFERED, Phase.INVITED}
_ALL: Final = frozenset(Phase)

TABLE: Final[dict[type, frozenset[Phase]]] = {
    CommandJoin: frozenset({Phase.INVITED}),
    CommandFund: _LIVE,
    CommandTransfer: _LIVE,
    CommandAnswer: frozenset({Phase.HOLDING, Phase.PROPOSED}),
    CommandAddMachine: _LIVE,
    CommandLock: _LIVE,
    CommandReplace: _LIVE,
    CommandRemove: _LIVE,
    CommandReveal: _JOINED - {Phase.ENDED},
    CommandClose: frozenset({Phase.IDLE, Phase.DISPUTED}),
    CommandWithdraw: _LIVE,
    CommandDispute: _LIVE | {Phase.CLOSING},
    m.Propose: _LIVE,
    m.AnswerState: _JOINED,
    m.ShowState: _JOINED,
    m.AcceptChannel: frozenset({Phase.OFFERED}),
    m.RefuseChannel: frozenset({Phase.OFFERED}),
    m.OfferClose: frozenset({Phase.IDLE, Phase.CLOSING, Phase.DISPUTED}),
    m.AnswerClose: frozenset({Phase.CLOSING, Phase.DISPUTED}),
    m.OfferWithdraw: _LIVE,
    m.AnswerWithdraw: _LIVE | {Phase.CLOSING},
    m.RequestInstance: _LIVE,
    m.GrantInstance: _LIVE,
    ChainChannel: _ALL,
}
"""In which phases of its channel an input is taken up."""


def step(books: Books, input: Input) -> Step:
    """What happened in; rows to store and things to do out. The books are not changed.

    Raises:
        Misuse: our user asked for something that cannot be done now.
        PeerFault: a peer said something that no rule allows, or not now.
    """
    # The frequent ones first; no input has subclasses, so the very type is asked for.
    if type(input) is Received:
        message, sender = input.message, input.sender
        if type(message) is m.Pay:
            return payments.on_pay(books, sender, message)
        if type(message) is m.Paid:
            return payments.on_paid(books, sender, message)
        if type(message) is m.NotPaid:
            return payments.on_not_paid(books, sender, message)
    elif type(input) is CommandPay:
        return payments.pay(books, input)
    elif type(input) is Signed:
        signed = input.sign.items[0].message
        if type(signed) is Statement and len(input.signatures) == 1:
            return payments.on_statement_signed(books, signed, input.signatures[0])
    draft = Draft(books)
    _HANDLERS[type(input)](draft, input)
    return draft.step()


# --------------------------------------------------------------------------------------- messages


def _received(draft: Draft, input: Received) -> None:
    message, sender = input.message, input.sender
    kind = type(message)
    about = _IN_CHANNEL.get(kind)
    if about is not None:
        channel, act = about
        act(draft, _taken(draft, message, sender, channel(message)), message)
        return
    if type(message) is m.Invite:
        invitations.on_invite(draft, sender, input.via, message)
        return
    hear = _FROM_PEER.get(kind)
    if hear is None:
        raise UnexpectedMessage(kind.__name__, "the runtime deals with it")
    hear(draft, sender, message)


def _taken(draft: Draft, message: m.Message, sender: bytes, id: ChannelId) -> ChannelView:
    """The channel, if it is the sender's and its phase takes the message up."""
    name = type(message).__name__
    view = draft.books.channels.get(id)
    if view is None or view.peer != sender:
        raise UnexpectedMessage(name, "no such channel with this peer")
    now = phase(view, draft.chain)
    if now not in TABLE[type(message)]:
        raise PeerNotAllowed(name, f"the channel is {now.value}")
    return view


def _on_grant(draft: Draft, view: ChannelView, message: m.GrantInstance) -> None:
    ends.on_grant(draft, view.peer, message)


def _on_reveal(draft: Draft, sender: bytes, message: m.Reveal) -> None:
    instance = draft.find_instance(message.instance)
    if instance is None or instance.lock is None or sender not in (instance.end, instance.via):
        raise UnexpectedMessage("Reveal", "no such lock with this peer")
    if keccak(message.preimage) != instance.lock.hash:
        raise UnexpectedMessage("Reveal", "another secret")
    draft.put(replace(instance, preimage=message.preimage))


# --------------------------------------------------------------------------------------- commands


def _command(draft: Draft, command: Any, id: ChannelId) -> ChannelView:
    """The channel, if its phase takes the command up."""
    view = draft.channel(id)
    now = phase(view, draft.chain)
    if now not in TABLE[type(command)]:
        raise NotAllowedNow(type(command).__name__, f"the channel is {now.value}")
    return view


def _transfer(draft: Draft, command: CommandTransfer) -> None:
    view = _command(draft, command, command.channel)
    may_sign(draft, view, "transfer")
    if command.amount <= 0:
        raise NotAllowedNow("transfer", "the amount is not positive")
    amount = command.amount if view.role is Role.ALICE else -command.amount
    want(draft, view.id, Intent(Purpose.TRANSFER, Wei(amount)))


def _answer(draft: Draft, command: CommandAnswer) -> None:
    view = _command(draft, command, command.channel)
    held = view.held
    if held is None or held.answering or held.state.version != command.version:
        raise NotAllowedNow("answer", "no such proposal is held")
    may_sign(draft, view, "answer")
    if command.accept:
        answer(draft, view.id)
    else:
        refuse(draft, view.id, command.reason or "not wanted")


def _remove(draft: Draft, command: CommandRemove) -> None:
    instance = draft.instance(command.instance)
    if instance.role is None:
        raise NotAllowedNow("remove it", "a hub follows the ends")
    view = _command(draft, command, instance.legs[0].channel)
    may_sign(draft, view, "remove an instance")
    if instance.via and kind_of(instance.terms).talks and not instance.head.deadline:
        leaving.leave(draft, instance)
    else:
        leaving.propose_removal(draft, instance.id)


def _dispute(draft: Draft, command: CommandDispute) -> None:
    view = replace(_command(draft, command, command.channel), leaving=True)
    draft.put(view)
    disputes.duties(draft, view)


def _reveal(draft: Draft, command: CommandReveal) -> None:
    instance = draft.instance(command.instance)
    _command(draft, command, instance.legs[0].channel)
    reveal(draft, instance, command.preimage)


def _show(draft: Draft, command: CommandShow) -> None:
    instance = draft.instance(command.machine)
    if instance.machine is None or instance.role is None:
        raise NotAllowedNow("show a statement", "we pay nothing in it")
    if instance.legs[0].status is LegStatus.LISTED:
        payments.show_paid(draft, instance)


def _claim(draft: Draft, command: CommandClaim) -> None:
    claim = ClaimCredit(command.asset, command.amount, command.to)
    draft.submit(claim.key, claim)


def _close(draft: Draft, command: CommandClose) -> None:
    offers.close(draft, _command(draft, command, command.channel))


def _withdraw(draft: Draft, command: CommandWithdraw) -> None:
    offers.withdraw(draft, _command(draft, command, command.channel), command)


def _fund(draft: Draft, command: CommandFund) -> None:
    funding.fund(draft, _command(draft, command, command.channel), command.amount)


def _join(draft: Draft, command: CommandJoin) -> None:
    joining.join(draft, _command(draft, command, command.channel), command)


def _add_machine(draft: Draft, command: CommandAddMachine) -> None:
    _command(draft, command, command.channel)
    invitations.add_machine(draft, command)


def _lock(draft: Draft, command: CommandLock) -> None:
    _command(draft, command, command.channel)
    invitations.lock_payment(draft, command)


def _replace(draft: Draft, command: CommandReplace) -> None:
    _command(draft, command, draft.instance(command.machine).legs[0].channel)
    invitations.replace_machine(draft, command)


# -------------------------------------------------------------------------------- chain and signer


def _signed(draft: Draft, input: Signed) -> None:
    for item, signature in zip(input.sign.items, input.signatures, strict=True):
        match item.message:
            case State():
                proposals.on_state_signed(draft, item.message, signature)
            case Ready():
                ends.on_ready_signed(draft, item.message, signature)
            case Open():
                joining.on_open_signed(draft, item.message, signature)
            case Close():
                offers.on_close_signed(draft, item.message, signature)
            case Withdraw():
                offers.on_withdraw_signed(draft, item.message, signature)
            case Statement():
                raise Unknown("single statement", item.message.machine)
            case Quote():
                queue.on_quote_signed(draft, item.message, signature)
            case _:
                raise Unknown("request of ours", item.key)


def _credit(draft: Draft, input: ChainCredit) -> None:
    draft.put(Credit(input.asset, input.account, input.amount))


def _ignore(draft: Draft, input: ChainAnnounced) -> None:
    """An advertisement by anybody: a wallet may show it, the protocol needs the peer's offer."""


_OF_CHANNEL: Final = attrgetter("channel")
_OF_STATE: Final = attrgetter("state.channel")

_IN_CHANNEL: Final[
    dict[type, tuple[Callable[[Any], ChannelId], Callable[[Draft, ChannelView, Any], None]]]
] = {
    m.Propose: (_OF_STATE, proposals.on_proposal),
    m.AnswerState: (_OF_CHANNEL, proposals.on_answer),
    m.ShowState: (_OF_STATE, meeting.on_show),
    m.AcceptChannel: (_OF_CHANNEL, joining.on_accept),
    m.RefuseChannel: (_OF_CHANNEL, joining.on_refuse),
    m.OfferClose: (attrgetter("close.channel"), offers.on_offer_close),
    m.AnswerClose: (_OF_CHANNEL, offers.on_answer_close),
    m.OfferWithdraw: (attrgetter("withdraw.channel"), offers.on_offer_withdraw),
    m.AnswerWithdraw: (_OF_CHANNEL, offers.on_answer_withdraw),
    m.RequestInstance: (_OF_CHANNEL, open_at_once.on_request),
    m.GrantInstance: (_OF_CHANNEL, _on_grant),
}
"""Messages about a channel of the sender's: which one, and who takes them up in its phase."""

_FROM_PEER: Final[dict[type, Callable[[Draft, PeerId, Any], None]]] = {
    m.OfferChannel: meeting.on_offer,
    m.Invited: invitations.on_invited,
    m.DeclineInvite: invitations.on_decline,
    m.RefuseInstance: ends.on_refused,
    m.ReadySigned: ends.on_ready,
    m.Leave: leaving.on_leave,
    m.Reveal: _on_reveal,
}

_HANDLERS: Final[dict[type, Callable[[Draft, Any], None]]] = {
    Received: _received,
    CommandOffer: joining.offer,
    CommandJoin: _join,
    CommandFund: _fund,
    CommandTransfer: _transfer,
    CommandAnswer: _answer,
    CommandAddMachine: _add_machine,
    CommandLock: _lock,
    CommandReplace: _replace,
    CommandRemove: _remove,
    CommandReveal: _reveal,
    CommandClose: _close,
    CommandWithdraw: _withdraw,
    CommandDispute: _dispute,
    CommandClaim: _claim,
    CommandShow: _show,
    Connected: lambda draft, input: meeting.on_connected(draft, input.peer),
    ChainBlock: clockwork.on_block,
    ChainChannel: clockwork.on_channel,
    ChainInstance: clockwork.on_instance,
    ChainCredit: _credit,
    ChainAnnounced: _ignore,
    Signed: _signed,
    Tick: lambda draft, input: clockwork.on_tick(draft, input),
    Restarted: lambda draft, input: clockwork.on_restart(draft),  # noqa: ARG005
}
