"""What a peer says about states: proposals, answers, shown states (protocol, section 5)."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.channel import joining
from perun.core.channel.agreement import complete
from perun.core.channel.judge import judge
from perun.core.faults import (
    BadProposal,
    BadVersion,
    PeerNotAllowed,
    UnexpectedMessage,
    WaitsForItsTurn,
)
from perun.core.hub import pairs
from perun.core.nanocontracts.kinds import kind_of
from perun.core.notices import ExitOnly, ProposalHeld
from perun.core.rules.accounting import gain
from perun.core.rules.admission import FIRST
from perun.core.rules.keys import own_key, peer_key
from perun.core.rules.phases import blocked
from perun.core.state import (
    ChannelView,
    Held,
    OwnProposal,
    Role,
    SignedState,
    Stage,
    StoreMark,
)
from perun.core.states.content import agreed_version
from perun.core.states.proposing import answer, refuse, resend, send_proposal, show
from perun.core.states.verdict import Decision
from perun.crypto.signatures import verify
from perun.encoding.messages import AnswerState, Propose, ShowState, SignedHalf
from perun.encoding.typed_data import (
    state_digest,
)
from perun.types import Signature, State, Wei

__all__ = ["on_answer", "on_proposal", "on_show", "on_state_signed", "take"]


def on_state_signed(draft: Draft, state: State, signature: Signature) -> None:
    """Our signer has signed a state: a proposal goes out, an answer completes a state."""
    view = draft.channel(state.channel)
    for proposal in view.proposals:
        if proposal.state == state:
            signed = replace(proposal, signature=signature, sent_at=draft.chain.clock)
            proposals = tuple(signed if old is proposal else old for old in view.proposals)
            view = replace(view, proposals=proposals)
            draft.put(view)
            if view.stage is Stage.OFFERED:
                joining.send_again(draft, view)
            elif proposal.intent.invited is not None:
                _send_invited(draft, view, signed)
            else:
                send_proposal(draft, view, signed)
            return
    held = view.held
    if held is not None and held.answering and held.state == state:
        complete(draft, view, SignedState(state, signature, held.signature))
        if view.agreed is None and view.funding.drawn and state.version == FIRST:
            joining.send_again(draft, draft.channel(view.id))
        else:
            draft.send(view.peer, AnswerState(view.id, state.version, signature))


def _send_invited(draft: Draft, view: ChannelView, signed: OwnProposal) -> None:
    """Our half leaves, for the other end; from here on it is a proposal like any other."""
    assert signed.intent.adds is not None
    assert signed.intent.invited is not None
    instance = draft.instance(signed.intent.adds)
    half = SignedHalf(signed.state, signed.signature)
    draft.send(instance.end, replace(signed.intent.invited, half=half), instance.via)
    usual = replace(signed, intent=replace(signed.intent, invited=None))
    proposals = tuple(usual if old is signed else old for old in view.proposals)
    draft.put(replace(view, proposals=proposals))


# Rules sign-4, sign-5.
def on_proposal(
    draft: Draft, view: ChannelView, message: Propose, why_not: str | None = None
) -> None:
    """A peer proposes a state; `why_not`: to be refused, whatever it says.

    Raises:
        BadVersion, BadSignature: nothing that a correct peer sends; left unanswered.
        PeerNotAllowed: we may not sign now, so we cannot even refuse; the peer sends it again.
    """
    if message.base is not None:
        on_show(draft, view, message.base)
        if draft.exit_only and not draft.books.exit_only:
            return  # To raise now would take the mark back.
        view = draft.channel(view.id)
    state = message.state
    if view.agreed is not None and state.version <= view.agreed.state.version:
        show(draft, view)
        return
    highest = max(view.signed, view.seen)
    if state.version % 2 != (view.role is Role.ALICE) or state.version > highest + 2:
        raise BadVersion(state.version, highest)
    draft.checker.check(state, message.signature, peer_key(view))
    if state.version <= view.signed:
        # Crossed: ours is higher, theirs will be void. Or we are signing the answer already.
        # Ours goes out again at once only when theirs is news, later by patience: else two nodes of
        # which one may not sign would answer each other's repetitions for ever.
        if state.version > view.seen:
            draft.put(replace(view, seen=state.version))
            resend(draft, draft.channel(view.id))
        return
    if view.held is not None:
        if view.held.answering:
            raise PeerNotAllowed("Propose", "our signer is still at work on the one before")
        if view.held.state.version >= state.version:
            return
    if not view.met and not draft.exit_only:
        show(draft, view, asks=True)  # It says this again once we may answer.
        return
    why = blocked(draft, view)
    if why is None and len(view.proposals) >= draft.config.limits.unresolved_per_channel:
        why = "so many of my proposals and refusals are unresolved; answer one of them"
    if why is not None:
        raise PeerNotAllowed("Propose", why)
    take(draft, view, message, why_not)


def take(draft: Draft, view: ChannelView, message: Propose, why_not: str | None = None) -> None:
    """Judges, and answers or holds, a proposal whose version and signature are good."""
    state, seen = message.state, max(view.seen, message.state.version)
    _take_evidence(draft, message)
    try:
        if why_not is not None:
            raise BadProposal(why_not)
        verdict = judge(draft, view, message)
    except BadProposal as error:
        draft.put(replace(view, seen=seen))
        refuse(draft, view.id, error.why, message.removes)
        if isinstance(error, WaitsForItsTurn):
            pairs.on_out_of_turn(draft, view, error.instance)
        return
    accepted = verdict.decision is Decision.ACCEPT
    lost = max(0, -gain(view.role, verdict.intent.amount)) if accepted else 0
    held = Held(state, message.signature, verdict.intent, draft.chain.clock, False, verdict.totals)
    view = replace(view, seen=seen, held=held, taken=Wei(view.taken + lost))
    draft.put(view)
    if accepted:
        answer(draft, view)
    elif verdict.half is not None:
        pairs.on_half(draft, view, verdict.half, message)
    else:
        draft.notify(ProposalHeld(view.id, state.version, Wei(abs(verdict.intent.amount))))


# Rule remove-3.
def _take_evidence(draft: Draft, message: Propose) -> None:
    """Believes what a removal proves before judging it: a newer statement, a secret."""
    if message.removes is None:
        return
    instance = draft.find_instance(message.removes)
    if instance is None:
        return
    kind_of(instance.terms).believe(draft, instance, message)


# Rule answer-1.
def on_answer(draft: Draft, view: ChannelView, message: AnswerState) -> None:
    """The countersignature of a proposal of ours; taken in every phase, since it proves itself."""
    for proposal in view.proposals:
        if proposal.state.version == message.version and proposal.signature:
            state = proposal.state
            draft.checker.check(state, message.signature, peer_key(view))
            complete(draft, view, SignedState(state, proposal.signature, message.signature))
            return
    if view.agreed is None or message.version > view.agreed.state.version:
        raise UnexpectedMessage("AnswerState", "no such proposal is open")


# Rule store-3.
def on_show(draft: Draft, view: ChannelView, message: ShowState) -> None:
    """A fully signed state that the peer holds; taken in every phase.

    A state with our good signature that we do not know means that this store is old [B11].
    """
    state = message.state
    if state.channel != view.id:
        raise UnexpectedMessage("ShowState", "of another channel")
    if state.version <= agreed_version(view):
        return
    signatures = (message.signature_alice, message.signature_bob)
    own, peer = signatures[view.role], signatures[view.role.other]
    deployment = draft.config.deployment
    draft.checker.check(state, peer, peer_key(view))
    if not verify(state_digest(deployment.contract, state), own, own_key(view)):
        raise UnexpectedMessage("ShowState", "our own signature is not ours")
    known = [proposal.state for proposal in view.proposals]
    if view.held is not None and view.held.answering:
        known.append(view.held.state)
    if state not in known:
        draft.put(StoreMark(reason="a peer showed a state that we signed and do not know"))
        draft.notify(ExitOnly(view.id, state.version))
        view = replace(view, signed=max(view.signed, state.version))
    complete(draft, view, SignedState(state, own, peer))
