"""The table: for each input, who takes it up, of which channel, and in which of its phases.

What is about a channel names it, and is taken up in some phases only. Elsewhere a command raises
`NotAllowedNow` and a message `PeerNotAllowed`: nothing changes, and a peer that keeps the rules
sends it again. What the chain says and our own signer does is taken up always. Payments are not
here: `payments.why_not` is their whole condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, get_args

from perun.core import clockwork, meeting, open_at_once, starting
from perun.core.books import Draft
from perun.core.channel import (
    closing,
    commands,
    funding,
    gathering,
    joining,
    proposals,
    replies,
    withdrawing,
)
from perun.core.inputs import (
    ChainAnnounced,
    ChainBlock,
    ChainChannel,
    ChainCredit,
    ChainInstance,
    CommandAnswer,
    CommandClaim,
    CommandClose,
    CommandConsent,
    CommandDispute,
    CommandFund,
    CommandInviteAgain,
    CommandJoin,
    CommandOffer,
    CommandRemove,
    CommandReplace,
    CommandShow,
    CommandTransfer,
    CommandWithdraw,
    Connected,
    Outdated,
    Restarted,
    Tick,
)
from perun.core.nanocontracts.kinds import KINDS
from perun.core.rules.phases import Phase
from perun.core.virtual import doing, invitations, invited, leaving
from perun.encoding import messages as m
from perun.types import ChannelId, Close, Open, Opening, Ready, State, Withdraw
from perun.types import Final as FinalShift

__all__ = ["SIGNED", "TABLE", "Row"]

_LIVE: Final = frozenset({Phase.IDLE, Phase.PROPOSED, Phase.HOLDING})
_JOINED: Final = frozenset(Phase) - {Phase.OFFERED, Phase.INVITED}
_ALL: Final = frozenset(Phase)


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one kind of input."""

    act: Callable[..., None]
    """About a channel: of draft, channel and input; else of draft, sender if a peer said it, and
    input."""
    phases: frozenset[Phase] = _ALL
    """In which the channel must be."""
    channel: Callable[[Draft, Any], ChannelId] | None = None
    """Which channel it is about; None: none, or it is not held up by a phase."""


def _by(path: str) -> Callable[[Draft, Any], ChannelId]:
    """The channel that the input names itself."""
    get = attrgetter(path)
    return lambda _, input: ChannelId(get(input))


def _of(path: str) -> Callable[[Draft, Any], ChannelId]:
    """Our channel that has, or is to have, the instance that the input names."""
    get = attrgetter(path)
    return lambda draft, input: draft.instance(get(input)).legs[0].channel


_ITS = _by("channel")

# What each kind of nanocontract adds: see `Kind`.
_INVITES = [command for kind in KINDS.values() for command in kind.invites]
_ORDERS = [command for kind in KINDS.values() for command in kind.orders]

TABLE: Final[dict[type, Row]] = {
    # Our user.
    CommandOffer: Row(joining.offer),
    CommandJoin: Row(joining.join, frozenset({Phase.INVITED}), _ITS),
    CommandFund: Row(funding.fund, _LIVE, _ITS),
    CommandTransfer: Row(commands.transfer, _LIVE, _ITS),
    CommandAnswer: Row(commands.answer, frozenset({Phase.HOLDING, Phase.PROPOSED}), _ITS),
    **dict.fromkeys(_INVITES, Row(invitations.invite, _LIVE, _ITS)),
    **dict.fromkeys(_ORDERS, Row(doing.order, _JOINED - {Phase.ENDED}, _of("instance"))),
    CommandConsent: Row(invited.consent),
    CommandInviteAgain: Row(invitations.again),
    CommandReplace: Row(invitations.replace_machine, _LIVE, _of("machine")),
    CommandRemove: Row(commands.remove, _LIVE, _of("instance")),
    CommandClose: Row(closing.close, frozenset({Phase.IDLE, Phase.DISPUTED}), _ITS),
    CommandWithdraw: Row(withdrawing.withdraw, _LIVE, _ITS),
    CommandDispute: Row(
        commands.dispute, _LIVE | {Phase.CLOSING, Phase.OFFERED, Phase.INVITED}, _ITS
    ),
    CommandClaim: Row(commands.claim),
    CommandShow: Row(commands.show),
    # A peer, about a channel of its own.
    m.Propose: Row(proposals.on_proposal, _LIVE, _by("state.channel")),
    m.AnswerState: Row(proposals.on_answer, _JOINED, _ITS),
    m.ShowState: Row(meeting.on_show, _JOINED, _by("state.channel")),
    m.AcceptChannel: Row(joining.on_accept, frozenset({Phase.OFFERED}), _ITS),
    m.RefuseChannel: Row(joining.on_refuse, frozenset({Phase.OFFERED}), _ITS),
    m.OfferClose: Row(
        closing.on_offer_close,
        frozenset({Phase.IDLE, Phase.CLOSING, Phase.DISPUTED}),
        _by("close.channel"),
    ),
    m.AnswerClose: Row(closing.on_answer_close, frozenset({Phase.CLOSING, Phase.DISPUTED}), _ITS),
    m.OfferWithdraw: Row(withdrawing.on_offer_withdraw, _LIVE, _by("withdraw.channel")),
    m.AnswerWithdraw: Row(withdrawing.on_answer_withdraw, _LIVE | {Phase.CLOSING}, _ITS),
    m.RequestInstance: Row(open_at_once.on_request, _LIVE, _ITS),
    m.GrantInstance: Row(replies.on_granted, _LIVE, _ITS),
    # A peer, about no channel yet, or about an instance.
    m.OfferChannel: Row(meeting.on_offer),
    m.Invite: Row(invited.on_invite),
    m.Invited: Row(invitations.on_invited),
    m.DeclineInvite: Row(invitations.on_decline),
    m.RefuseInstance: Row(replies.on_refused),
    m.ReadySigned: Row(doing.on_ready),
    **dict.fromkeys(get_args(m.OfInstance), Row(doing.on_said)),
    m.Leave: Row(leaving.on_leave),
    m.Gathered: Row(gathering.on_gathered),
    # The wire, the chain and our clock.
    Connected: Row(meeting.on_connected),
    ChainBlock: Row(clockwork.on_block),
    ChainChannel: Row(clockwork.on_channel),
    ChainInstance: Row(clockwork.on_instance),
    ChainCredit: Row(clockwork.on_credit),
    ChainAnnounced: Row(clockwork.on_announced),
    Tick: Row(clockwork.on_tick),
    Outdated: Row(starting.on_outdated),
    Restarted: Row(starting.on_restart),
}
"""By the very type of a command, a message or what else happened; no input has subclasses."""

SIGNED: Final[dict[type, Callable[..., None]]] = {
    State: proposals.on_state_signed,
    Ready: doing.on_ready_signed,
    **dict.fromkeys((one for kind in KINDS.values() for one in kind.signed), doing.on_signed),
    Opening: gathering.on_opening_signed,
    FinalShift: gathering.on_final_signed,
    Open: joining.on_open_signed,
    Close: closing.on_close_signed,
    Withdraw: withdrawing.on_withdraw_signed,
}
"""Who takes up a signature of ours, by what is signed: of draft, message and signature."""
