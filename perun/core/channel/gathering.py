"""The parties of a path gather each other's signatures (protocol, section 6, Gates).

Whoever shares a leg tells the other all that it holds, when that grows and at every block; so what
anybody has signed comes to all, whatever is lost and whoever was away. Who signs when, and what
for, says `nanocontracts.gate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import UnexpectedMessage
from perun.core.hub import pairs
from perun.core.nanocontracts import evidence, gate
from perun.core.nanocontracts.gate import PATHS, PathView
from perun.core.state import InstanceView, LegStatus, PeerId
from perun.core.virtual import doing
from perun.encoding.messages import Gathered
from perun.types import Address, Final, Gated, InstanceId, Opening, PathId, Signature

__all__ = ["go_on", "on_final_signed", "on_gathered", "on_opening_signed"]


# Rules gate-3, gate-6, gate-9.
def go_on(draft: Draft, id: InstanceId) -> None:
    """Signs what is ours to sign by now, and says again what somebody may have missed."""
    path = draft.find_instance(id)
    if path is None or not isinstance(path.terms, Gated):
        return
    _sign(draft, path)
    path = draft.instance(id)
    kept = PATHS.of(path)
    whole = gate.is_open(path) and (not kept.finals or gate.all_signed(path, kept.finals))
    if not whole:
        _tell(draft, path)


def _sign(draft: Draft, path: InstanceView) -> None:
    """The opening; and a hub what those after it say moves. An end signs that by what is inside."""
    gate.sign_opening(draft, path)
    path = draft.instance(path.id)
    kept = PATHS.of(path)
    if path.role is None and kept.finals:
        gate.sign_final(draft, path, kept.shift)


# Rule gate-9.
def on_gathered(draft: Draft, sender: PeerId, message: Gathered) -> None:
    """A neighbour says what it holds.

    Raises:
        UnexpectedMessage, BadSignature: nothing that a correct party of such a path sends.
    """
    path = draft.find_instance(message.path)
    if path is None or sender not in (draft.channel(leg.channel).peer for leg in path.legs):
        raise UnexpectedMessage("Gathered", "no such path with this peer")
    if not isinstance(path.terms, Gated):
        raise UnexpectedMessage("Gathered", "that is no path")
    parties = len(path.terms.parties)
    if max(len(message.openings), len(message.finals)) > parties:
        raise UnexpectedMessage("Gathered", "more signatures than it has parties")
    before = PATHS.of(path)
    kept = _with_openings(draft, path, before, message.openings)
    kept = _with_finals(draft, path, kept, message)
    if kept != before:
        draft.put(PATHS.into(path, kept))
        _follow(draft, path.id)
    if _lacks(message, PATHS.of(draft.instance(path.id))):
        _say(draft, draft.instance(path.id), sender)


def _with_openings(
    draft: Draft, path: InstanceView, kept: PathView, said: Sequence[Signature]
) -> PathView:
    opening = Opening(PathId(path.id))
    return replace(kept, openings=_merged(draft, path, opening, kept.openings, said))


# Rule gate-6.
def _with_finals(draft: Draft, path: InstanceView, kept: PathView, message: Gathered) -> PathView:
    """Once we have signed, nobody's for another shift; before, only if all after us have signed
    it, so that nobody between us and Bob can put in another one than he signs."""
    if not any(message.finals) or (kept.finals and kept.shift != message.shift):
        return kept
    place = gate.own_place(draft, path)
    after = range(0 if place is None else place + 1, len(_parties(path)))
    known = [gate.at(message.finals, other) for other in after]
    if not kept.finals and not (known and all(known)):
        return kept
    final = Final(PathId(path.id), message.shift)
    finals = _merged(draft, path, final, kept.finals, message.finals)
    return replace(kept, finals=finals, shift=message.shift)


def _merged(
    draft: Draft,
    path: InstanceView,
    message: Opening | Final,
    held: Sequence[Signature],
    said: Sequence[Signature],
) -> tuple[Signature, ...]:
    """What we hold and what is said; what is new is checked."""
    merged = []
    for place, party in enumerate(_parties(path)):
        ours, theirs = gate.at(held, place), gate.at(said, place)
        if theirs and not ours:
            draft.checker.check(message, theirs, party)
        merged.append(ours or theirs)
    return tuple(merged) if any(merged) else ()


def _parties(path: InstanceView) -> tuple[Address, ...]:
    assert isinstance(path.terms, Gated)
    return path.terms.parties


def on_opening_signed(draft: Draft, opening: Opening, signature: Signature) -> None:
    """Our signer has signed that what is inside is to count."""
    path = draft.instance(opening.path)
    kept = PATHS.of(path)
    openings = _placed(draft, path, kept.openings, signature)
    draft.put(PATHS.into(path, replace(kept, openings=openings)))
    _follow(draft, path.id)


def on_final_signed(draft: Draft, final: Final, signature: Signature) -> None:
    """Our signer has signed what moves, for good."""
    path = draft.instance(final.path)
    kept = PATHS.of(path)
    finals = _placed(draft, path, kept.finals, signature)
    draft.put(PATHS.into(path, replace(kept, finals=finals)))
    _follow(draft, path.id)


def _placed(
    draft: Draft, path: InstanceView, signatures: Sequence[Signature], own: Signature
) -> tuple[Signature, ...]:
    place, parties = gate.own_place(draft, path), _parties(path)
    assert place is not None
    known = [gate.at(signatures, other) for other in range(len(parties))]
    return (*known[:place], own, *known[place + 1 :])


# Rules gate-4, gate-7.
def _follow(draft: Draft, id: InstanceId) -> None:
    """More is signed: the next signature is ours, or the game begins, or its legs go."""
    gate.follow(draft, draft.instance(id))
    _sign(draft, draft.instance(id))
    _tell(draft, draft.instance(id))
    path = draft.instance(id)
    inside = gate.inside_of(draft, path)
    if path.role is not None:
        doing.act(draft, path)
        if inside is not None:
            doing.act(draft, inside)
    elif gate.GATE.decided(path, draft.chain) is not None:
        pairs.follow(draft, id)
    evidence.duties(draft, draft.instance(id))


def _tell(draft: Draft, path: InstanceView) -> None:
    for leg in path.legs:
        if leg.status in (LegStatus.LISTED, LegStatus.REMOVING):
            _say(draft, path, draft.channel(leg.channel).peer)


def _say(draft: Draft, path: InstanceView, to: PeerId) -> None:
    kept = PATHS.of(path)
    if kept.openings:
        draft.send(to, Gathered(path.id, kept.openings, kept.finals, kept.shift))


def _lacks(message: Gathered, kept: PathView) -> bool:
    """Whether we hold what the sender has not said."""
    said_and_held = ((message.openings, kept.openings), (message.finals, kept.finals))
    if kept.finals and message.finals and message.shift != kept.shift:
        return False
    return any(
        ours and not theirs
        for said, held in said_and_held
        for theirs, ours in zip_longest(said, held, fillvalue=Signature(b""))
    )
