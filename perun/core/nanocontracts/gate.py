"""The gate: a game between ends behind different hubs (protocol, section 4; section 6, Gates).

There are two rows. The *path* is what the channels list. What is *inside*, the ends play as they
play everything else; it stands in a row of its own, whose leg counts as listed from the moment in
which its end holds an `Opening` of every party. So nothing is signed inside before.

A hub has no side. It sees what is inside on the chain, since after the end that is what moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.chain_view import ChainView
from perun.core.config import Deployment
from perun.core.effects import SignItem, Watch
from perun.core.faults import BadProposal, InstanceRejected
from perun.core.limits import Limits
from perun.core.nanocontracts.keeping import Keeping
from perun.core.nanocontracts.kind import Due, Kind, domain_in
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.rules.accounting import gain
from perun.core.rules.keys import own_key
from perun.core.rules.phases import blocked
from perun.core.state import (
    ChannelView,
    InstanceView,
    Leg,
    LegStatus,
    PeerId,
    Role,
    Totals,
)
from perun.crypto.hashing import keccak
from perun.crypto.keys import address_of
from perun.encoding.gate import GateDomain, fix_evidence, open_evidence, path_id
from perun.encoding.messages import Propose
from perun.types import (
    Address,
    Game,
    GameRecord,
    Gated,
    InstanceId,
    Opening,
    Path,
    PathId,
    PathRecord,
    Record,
    Recorded,
    Salt,
    Signature,
    Terms,
    UnixTime,
    Wei,
)
from perun.types import Final as FinalShift

__all__ = [
    "GATE",
    "PATHS",
    "PathView",
    "all_signed",
    "at",
    "behind",
    "what_counts",
    "follow",
    "inside_of",
    "is_open",
    "look_inside",
    "own_place",
    "sign_final",
    "sign_opening",
]


class PathView(Record, frozen=True, gc=False, array_like=True):
    """What is kept of a path."""

    openings: tuple[Signature, ...] = ()
    """Of each party, as far as we hold them: empty ones are missing."""
    opening: bool = False
    """Whether our signer was asked for ours: from then on it counts as given."""
    finals: tuple[Signature, ...] = ()
    shift: Wei = Wei(0)
    """What the finals say."""
    final: bool = False
    """Whether our signer was asked for ours: for this shift, and for no other one ever."""
    until: UnixTime = UnixTime(0)
    """Last second at which a whole `Final` off chain counts: later it may not get there in time."""
    head: Recorded | None = None
    """What the newest block records of what is inside …"""
    settled: Recorded | None = None
    """… and what the newest final one does."""
    told: int = 0
    """`ChainView.told` when the chain said so."""


PATHS = Keeping(PathView)

_MOST_HUBS: Final = 6
"""The contract takes eight parties."""


# Rule gate-1.
def behind(view: ChannelView, terms: Terms, route: Sequence[PeerId]) -> Gated:
    """What our user invites to over several hubs, with all whose consent it takes.

    Args:
        view: our channel with the first hub.
        route: the hubs after it, in order.

    Raises:
        InstanceRejected: nobody plays this behind a gate.
    """
    if not isinstance(terms, Game):
        raise InstanceRejected("over several hubs only the inviter can pay in it")
    hubs = (view.peer, *route)
    if not 2 <= len(hubs) <= _MOST_HUBS:
        raise InstanceRejected(f"a path has two to {_MOST_HUBS} hubs, not {len(hubs)}")
    return Gated(terms, (terms.alice, *map(address_of, hubs), terms.bob))


class _GateKind(Kind[Gated, PathRecord]):
    terms = Gated
    domain = GateDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = False
    asks: ClassVar[bool] = True
    near: ClassVar[bool] = False
    submissions: ClassVar[int] = 3
    """One inside, and an opening by eight parties takes two."""

    # ------------------------------------------------------------------------ agreeing on its terms

    def exists(self, deployment: Deployment) -> bool:
        return super().exists(deployment) and TURN_GAME.exists(deployment)

    def crosses(self, terms: Gated) -> bool:
        return True

    def half(self, seed: bytes, terms: Gated, word: bytes = b"") -> tuple[Salt, bytes]:
        """Another one than that game would get by itself: no game is locked in two ways."""
        seed = keccak(seed + b"half of a path" + b"".join(terms.parties))
        return TURN_GAME.half(seed, terms.inside, word)

    def whole(self, terms: Gated, half: Salt) -> Gated:
        return replace(terms, inside=TURN_GAME.whole(terms.inside, half))

    def check_invited(self, books: Books, terms: Gated) -> None:
        TURN_GAME.check_invited(books, terms.inside)

    # ------------------------------------------------------------------------ what its terms say

    def id(self, deployment: Deployment, terms: Gated) -> InstanceId:
        return path_id(domain_in(deployment, GateDomain), path_of(deployment, terms))

    def locks(self, terms: Gated) -> tuple[Wei, Wei]:
        return TURN_GAME.locks(terms.inside)

    def signers(self, terms: Gated) -> tuple[Address, Address] | None:
        return TURN_GAME.signers(terms.inside)

    def last_time(self, terms: Gated) -> UnixTime:
        return TURN_GAME.last_time(terms.inside)

    # Rule gate-1.
    def end_time(self, terms: Gated) -> UnixTime:
        """That of what is inside: with an earlier one legs could settle that do not hear it."""
        return TURN_GAME.end_time(terms.inside)

    # Rule gate-1.
    def check(self, limits: Limits, terms: Gated) -> None:
        TURN_GAME.check(limits, terms.inside)
        parties, ends = terms.parties, self.signers(terms)
        if len(parties) < 4 or len(set(parties)) < len(parties):
            raise InstanceRejected("a path has two ends and two hubs or more, each one once")
        if (parties[0], parties[-1]) != ends:
            raise InstanceRejected("a path begins and ends with those who play")

    def taken(self, terms: Gated, role: Role) -> Wei:
        return TURN_GAME.taken(terms.inside, role)

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: Gated, on: PathRecord | None, time: UnixTime) -> Wei | None:
        return on.shift if on is not None and on.fixed else None

    # Rules gate-6, gate-7.
    def decided(self, instance: InstanceView, chain: ChainView) -> Wei | None:
        """Also by a whole `Final`, while it could still be brought to the chain: only one can ever
        be whole, so the other legs go at the same shift whatever anybody submits."""
        kept, on = PATHS.of(instance), instance.final
        time = chain.final_of(min(instance.told, kept.told))
        shift = _decided(instance, on, kept.settled, time)
        if shift is None and all_signed(instance, kept.finals) and chain.head_time <= kept.until:
            return kept.shift
        return shift

    def decided_in(
        self, instance: InstanceView, on: PathRecord | None, time: UnixTime
    ) -> Wei | None:
        return _decided(instance, on, PATHS.of(instance).head, time)

    # Rule gate-5.
    def known(self, terms: Gated, instance: InstanceView, totals: Totals) -> Wei | None:
        """Nothing has moved before we have signed the opening, and then nothing does without it."""
        return Wei(0) if self.void(instance) else None

    # Rule gate-5.
    def void(self, instance: InstanceView) -> bool:
        return not PATHS.of(instance).opening

    def enforceable(
        self, terms: Gated, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        """See `what_counts`."""
        return PATHS.of(instance).shift

    def worst(self, terms: Gated, instance: InstanceView, totals: Totals) -> Wei:
        """See `what_counts`."""
        return PATHS.of(instance).shift

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return "nobody plays in a path, but in what is inside"

    # ------------------------------------------------------------------- what its ends do unasked

    # Rule gate-7.
    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        return all_signed(instance, PATHS.of(instance).finals) and (
            self.decided(instance, draft.chain) is not None
        )

    def ask_again(self, draft: Draft, instance: InstanceView) -> None:
        kept, place = PATHS.of(instance), own_place(draft, instance)
        if place is not None and kept.opening and not at(kept.openings, place):
            _ask_opening(draft, instance)
        if place is not None and kept.final and not at(kept.finals, place):
            _ask_final(draft, instance, kept.shift)
        inside = inside_of(draft, instance)
        if inside is not None:
            TURN_GAME.ask_again(draft, inside)

    # --------------------------------------------------------------- what a tower is given of one

    def height(self, instance: InstanceView) -> int | None:
        kept = PATHS.of(instance)
        return sum(map(bool, (*kept.openings, *kept.finals)))

    def laid_over(self, row: InstanceView, seen: InstanceView) -> InstanceView:
        kept = PATHS.of(seen)
        shown = {"head": kept.head, "settled": kept.settled, "told": kept.told}
        return PATHS.into(super().laid_over(row, seen), replace(PATHS.of(row), **shown))

    # ------------------------------------------------------------------------------- what proves it

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        return message

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        """What proves it has been told before: see `gathering`."""

    def named(
        self, terms: Gated, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        raise BadProposal("its opening is signed, and what moves by it is not")

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """Nothing comes with a removal."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """What forces a shift decides it: see `decided`."""
        return False

    # Rules gate-7, gate-8.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        kept, on, end = PATHS.of(instance), instance.head, self.end_time(_terms(instance))
        assert on is None or isinstance(on, PathRecord)
        if draft.now > end or (on is not None and on.fixed):
            return None
        path = path_of(draft.config.deployment, _terms(instance))
        if all_signed(instance, kept.finals):
            return Due(fix_evidence(path, kept.shift, kept.finals), end, tag=b"fixed")
        if on is not None or not is_open(instance) or not _may_gain(draft, instance):
            return None
        return Due(open_evidence(path, kept.openings), end, tag=b"opened")


GATE = _GateKind()


# ---------------------------------------------------------------------------------------- reading


def path_of(deployment: Deployment, terms: Gated) -> Path:
    """What the contract knows of it."""
    inside = terms.inside
    app, id = TURN_GAME.app(deployment), TURN_GAME.id(deployment, inside)
    return Path(app, id, terms.parties, TURN_GAME.end_time(inside), TURN_GAME.salt(inside))


def inside_of(draft: Draft, path: InstanceView) -> InstanceView | None:
    """The row of what is inside; None: it is not there, or stands for something else."""
    found = draft.find_instance(TURN_GAME.id(draft.config.deployment, _terms(path).inside))
    return found if found is not None and found.gate == path.id else None


def what_counts(draft: Draft, instance: InstanceView) -> InstanceView:
    """Of a path what is inside says what may come of it, until all have signed what does: nothing
    is signed inside before it is open, and until then it is worth nothing."""
    if not isinstance(instance.terms, Gated):
        return instance
    if all_signed(instance, PATHS.of(instance).finals):
        return instance
    return inside_of(draft, instance) or instance


def all_signed(path: InstanceView, signatures: Sequence[Signature]) -> bool:
    """Whether every party has."""
    return len(signatures) == len(_terms(path).parties) and all(signatures)


def is_open(path: InstanceView) -> bool:
    """Whether we hold an `Opening` of every party."""
    return all_signed(path, PATHS.of(path).openings)


def own_place(draft: Draft, path: InstanceView) -> int | None:
    """Where we stand among the parties; None: nowhere, so nothing of it is signed by us."""
    key, parties = own_key(draft.channel(path.legs[0].channel)), _terms(path).parties
    return parties.index(key) if key in parties else None


def _decided(
    path: InstanceView, on: Recorded | None, inside: Recorded | None, time: UnixTime
) -> Wei | None:
    """The outcome in a block of this time, 0 once it is too late for any; None: open."""
    if isinstance(on, PathRecord) and on.fixed:
        return on.shift
    terms = _terms(path)
    if time <= GATE.end_time(terms):
        return None
    if on is None:
        return Wei(0)
    assert inside is None or isinstance(inside, GameRecord)
    return TURN_GAME.decided_in(replace(path, terms=terms.inside), inside, time)


# Rule gate-8.
def _may_gain(draft: Draft, path: InstanceView) -> bool:
    """Whether an end wants what is inside to count: not if the chain shows that it only pays, nor
    if there is nothing there, and nothing of ours that would go there."""
    inside = inside_of(draft, path)
    if path.role is None or inside is None:
        return False
    if inside.head is None:
        return TURN_GAME.due(draft, inside) is not None
    assert isinstance(inside.head, GameRecord)
    shift = TURN_GAME.decided_in(inside, inside.head, draft.now)
    return shift is None or gain(path.role, shift) > 0


def at(signatures: Sequence[Signature], place: int) -> Signature:
    """What a party has signed; empty if we do not hold it."""
    return signatures[place] if place < len(signatures) else Signature(b"")


def _terms(path: InstanceView) -> Gated:
    assert isinstance(path.terms, Gated)
    return path.terms


# ---------------------------------------------------------------------------------------- signing


# Rule gate-3.
def sign_opening(draft: Draft, path: InstanceView) -> None:
    """Asks our signer, once everything is as it must be."""
    kept = PATHS.of(path)
    if kept.opening or not _may_open(draft, path, kept):
        return
    draft.put(PATHS.into(path, replace(kept, opening=True)))
    _ask_opening(draft, path)


def _may_open(draft: Draft, path: InstanceView, kept: PathView) -> bool:
    """All our own legs are fully signed, and can be counted on; those after us have signed; and
    nobody has been to the chain with it, or with what is inside."""
    inside = inside_of(draft, path)
    if not _stands(draft, path) or not _signed_after(draft, path, kept.openings):
        return False
    if draft.now > GATE.last_time(_terms(path)) - draft.config.limits.margin:
        return False
    rows = (path, inside)
    return all(
        row is not None and row.watched and row.head is None and row.final is None for row in rows
    )


# Rule gate-6.
def sign_final(draft: Draft, path: InstanceView, shift: Wei) -> None:
    """Asks our signer: once for a path, for good."""
    kept = PATHS.of(path)
    if kept.final or not is_open(path) or not _stands(draft, path):
        return
    if not _signed_after(draft, path, kept.finals) or (kept.finals and kept.shift != shift):
        return
    until = UnixTime(GATE.end_time(_terms(path)) - draft.config.limits.margin)
    if draft.now > until:
        return
    draft.put(PATHS.into(path, replace(kept, final=True, shift=shift, until=until)))
    _ask_final(draft, path, shift)


def _stands(draft: Draft, path: InstanceView) -> bool:
    """Whether all our channels list it, undisputed, and none of them in a state to be replaced."""
    return all(
        leg.status is LegStatus.LISTED and blocked(draft, draft.channel(leg.channel)) is None
        for leg in path.legs
    )


def _signed_after(draft: Draft, path: InstanceView, signatures: Sequence[Signature]) -> bool:
    """Whether everybody between us and its Bob has signed, he too: so whoever has not signed can
    still let its own legs go, and Bob alone begins."""
    place = own_place(draft, path)
    after = range(0 if place is None else place + 1, len(_terms(path).parties))
    return place is not None and all(at(signatures, other) for other in after)


def _ask_opening(draft: Draft, path: InstanceView) -> None:
    _ask(draft, path, Opening(PathId(path.id)))


def _ask_final(draft: Draft, path: InstanceView, shift: Wei) -> None:
    _ask(draft, path, FinalShift(PathId(path.id), shift))


def _ask(draft: Draft, path: InstanceView, message: Opening | FinalShift) -> None:
    draft.sign(SignItem(own_key(draft.channel(path.legs[0].channel)), message))


# ----------------------------------------------------------------------------- the row of the game


# Rule gate-4.
def follow(draft: Draft, path: InstanceView) -> None:
    """Keeps the row of what is inside as far as the path is: from its first listed leg on."""
    if not isinstance(path.terms, Gated):
        return
    known = inside_of(draft, path)
    if known is None:
        if any(leg.status is LegStatus.LISTED for leg in path.legs):
            _begin(draft, path)
        return
    draft.put(replace(known, legs=_legs(path)))


def _begin(draft: Draft, path: InstanceView) -> None:
    deployment, terms = draft.config.deployment, _terms(path).inside
    id = TURN_GAME.id(deployment, terms)
    if draft.find_instance(id) is not None:
        return  # It stands for something else: so we never sign the opening.
    row = InstanceView(
        id, terms, _legs(path), path.role, path.end, path.via, invitation=path.invitation
    )
    draft.put(replace(row, gate=path.id))
    draft.watch(Watch(app=TURN_GAME.app(deployment), instance=id))


def _legs(path: InstanceView) -> tuple[Leg, ...]:
    """A hub plays in nothing; an end plays once it holds the whole certificate."""
    if path.role is None:
        return tuple([replace(leg, status=LegStatus.REMOVED) for leg in path.legs])
    if is_open(path):
        return path.legs
    return tuple(
        [
            replace(leg, status=LegStatus.ADDING) if leg.status in _SIGNED else leg
            for leg in path.legs
        ]
    )


_SIGNED = (LegStatus.LISTED, LegStatus.REMOVING)


def look_inside(draft: Draft, inside: InstanceView, id: InstanceId) -> None:
    """The chain has said how it stands: its path goes by that."""
    path = draft.find_instance(id)
    if path is None:
        return
    kept = replace(PATHS.of(path), head=inside.head, settled=inside.final, told=inside.told)
    draft.put(PATHS.into(path, kept))
