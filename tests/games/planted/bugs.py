"""The bugs: each takes one rule of sections 5 and 6 out of the node, and nothing else.

A bug is a list of replacements: wherever `perun` has imported a function by name, or keeps it in a
table, the replacement is put in its place, as an edit of the source would.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as with_fields
from functools import partial
from typing import Any

from msgspec.structs import replace

from perun.core import open_at_once, table
from perun.core import step as entrance
from perun.core.books import Books, Draft
from perun.core.channel import closing, disputes, judge, proposals
from perun.core.faults import BadProposal
from perun.core.game_view import GameView
from perun.core.hub import judge as halves
from perun.core.hub import pairs
from perun.core.inputs import CommandPay
from perun.core.nanocontracts import (
    coin_flip,
    evidence,
    instances,
    machine,
    payments,
    plays,
    turn_game,
    two_secrets,
)
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.rock_paper_scissors import (
    ROCK_PAPER_SCISSORS,
    hand_of,
    with_hand,
)
from perun.core.rules import accounting, admission, phases
from perun.core.state import (
    ChannelView,
    InstanceView,
    Intent,
    LegStatus,
    Purpose,
    Totals,
)
from perun.core.states import content, legs, proposing
from perun.core.states.verdict import Decision, Verdict
from perun.core.table import Row
from perun.core.virtual import doing
from perun.crypto.hashing import keccak
from perun.encoding.coin_flip import (
    flip_commit,
)
from perun.encoding.messages import RevealSecret
from perun.encoding.rock_paper_scissors import hands_words
from perun.node.runtime import Node
from perun.store.memory import MemoryStore
from perun.types import Flip, Game, GameRecord, Hands, Salt, Signature, Version, Wei
from tests.games.planted import above, stakes

Replacement = tuple[object, str, object]
"""Owner, name of the attribute, what takes its place."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One rule less."""

    name: str
    rule: str
    """The sentence that no longer holds, and the attack it stops."""
    replacements: Sequence[Replacement]


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The package with the bug in it."""
    undo: list[Callable[[], None]] = []
    try:
        for owner, name, new in bug.replacements:
            old = getattr(owner, name)
            for place in _importers(owner, name, old):
                undo.append(partial(setattr, place, name, old))
                setattr(place, name, new)
            for rows, key, row in _entries(old):
                undo.append(partial(rows.__setitem__, key, row))
                rows[key] = with_fields(row, act=new) if isinstance(row, Row) else new
        yield
    finally:
        for put_back in undo:
            put_back()


def _entries(old: object) -> list[tuple[dict[type, Any], type, object]]:
    """Where the tables of the core keep a function, in a row or alone."""
    return [
        (rows, key, row)
        for rows in (table.TABLE, table.SIGNED, entrance.OF_PAYMENTS)
        for key, row in list(rows.items())
        if old in (row, getattr(row, "act", None))
    ]


def _importers(owner: object, name: str, old: object) -> list[object]:
    if isinstance(owner, type):
        return [owner]
    modules = [module for key, module in sys.modules.items() if key.startswith("perun.")]
    return [module for module in modules if vars(module).get(name) is old]


def _without(function: Callable[..., str | None], *words: str) -> Callable[..., str | None]:
    """A "why not" that no longer knows some reasons."""

    def forgetful(*arguments: Any) -> str | None:
        why = function(*arguments)
        return None if why is not None and any(word in why for word in words) else why

    return forgetful


# ------------------------------------------------------------------------------------------ games


def _no_rules(*_: object) -> None:
    """Whatever the other side signs is a move."""


def _begins_unlocked(draft: Draft, instance: InstanceView) -> None:
    if instance.role is not None and isinstance(instance.terms, Game) and instance.game is None:
        own = plays._begins(draft, instance)
        draft.put(replace(instance, game=GameView(own=own, signed=0)))
        plays._sign(draft, instance, own)


def _moves_early(draft: Draft, instance: InstanceView) -> bool:
    on = instance.head
    ours = isinstance(on, GameRecord) and instance.role is not None
    return ours and on.turn == instance.role + 1  # type: ignore[union-attr, operator]


def _no_answer(*_: object) -> None:
    """An old position stands."""


# ------------------------------------------------------------------------------------------ flips


def _says_secrets_at_once(draft: Draft, instance: Any) -> None:
    """To whom has not yet signed what binds it, too."""
    if instance.role is not None and isinstance(instance.terms, Flip):
        secret = instance.secrets[instance.role]
        draft.send(instance.end, RevealSecret(instance.id, secret), instance.via)


def _one_secret_for_a_salt(
    _: object, seed: bytes, terms: Flip, _word: bytes = b""
) -> tuple[Salt, bytes]:
    secret = keccak(seed + terms.salt)
    return Salt(flip_commit(True, secret)), secret


def _hand_beside_its_secret(
    _: object, seed: bytes, terms: Hands, word: bytes = b""
) -> tuple[Salt, bytes]:
    """Two that differ in the hand alone show each other."""
    secret = with_hand(keccak(seed + hands_words(terms)), hand_of(word or b"\0"))
    return Salt(flip_commit(True, secret)), secret


def _no_answer_to_equal_hands(_: object, draft: Draft, instance: Any) -> Any:
    """Nothing is to be won: so why speak?"""
    role = instance.role
    if role is None or not all(instance.secrets):
        return two_secrets.TwoSecrets.due(ROCK_PAPER_SCISSORS, draft, instance)
    return None


# ------------------------------------------------------------------------------------------- hub


def _answers_at_once(draft: Draft, view: ChannelView, *_: Any) -> None:
    proposing.answer(draft, view)


def _always(*_: object) -> bool:
    return True


def _never(*_: object) -> None:
    """No reason against it."""


def _believes_the_head(_kind: Any, instance: Any, chain: Any) -> Wei | None:
    return instances.decided_shift(instance, instance.head, chain.head_time)


def _judges_any_totals(*arguments: Any) -> Verdict:
    try:
        return _ORIGINAL_CROSSING_JUDGE(*arguments)
    except BadProposal as error:
        if "net does not move" not in error.why:
            raise
        draft, view, nano = arguments[0], arguments[1], arguments[3][0]
        intent, half = Intent(Purpose.REMOVE, removes=nano.id), halves.half_in(draft, view, nano.id)
        return Verdict(Decision.HOLD, intent, (Wei(0), Wei(0)), half)


_ORIGINAL_CROSSING_JUDGE = halves.judge


def _answers_a_replacement_at_once(draft: Draft, view: ChannelView, *message: Any) -> None:
    assert view.held is not None
    if view.held.intent.purpose is Purpose.REPLACE:
        _answers_at_once(draft, view)
    else:
        _ORIGINAL_ON_HALF(draft, view, *message)


_ORIGINAL_ON_HALF = pairs.on_half


def _forgets_totals(*arguments: Any) -> Verdict:
    return with_fields(_ORIGINAL_JUDGE_REPLACING(*arguments), totals=None)


def _takes_any_net(*arguments: Any) -> Verdict:
    try:
        return _ORIGINAL_JUDGE_REPLACING(*arguments)
    except BadProposal as error:
        if "the fee is" not in error.why:
            raise
        draft, view, half, message, old, new, _ = arguments
        going = halves.half_in(draft, view, old.id)
        assert going is not None
        _, totals = going.kind.named(going.instance.terms, going.instance, message, going.peer)
        intent = Intent(Purpose.REPLACE, adds=new.id, removes=old.id)
        return Verdict(Decision.HOLD, intent, totals, half)


_ORIGINAL_JUDGE_REPLACING = halves._judge_replacing


def _believes_any_half(draft: Draft, _view: ChannelView, message: Any, *_: Any) -> Any:
    return draft.books.channels.get(message.other_half.state.channel)


# -------------------------------------------------------------------------------------- payments


def _pays_without_ready(books: Books, command: CommandPay) -> Any:
    known = books.instances.get(command.machine)
    if known is not None:
        books.instances[known.id] = replace(known, ready=Signature(b"\x01" * 65))
    try:
        return _ORIGINAL_PAY(books, command)
    finally:
        if known is not None:
            books.instances[known.id] = known


_ORIGINAL_PAY = payments.pay


def _checks_no_lock(books: Books, instance: Any, totals: Totals, message: Any) -> None:
    free = replace(totals, sent=Wei(max(totals.sent, message.paid)))
    _ORIGINAL_CHECK(books, instance, free, message)


_ORIGINAL_CHECK = payments.check


def _nothing(*_: object) -> None:
    """Does not do it."""


def _status_without_removing(leg: Any, listed: bool, signed: list[bool]) -> LegStatus:
    status = _ORIGINAL_STATUS(leg, listed, signed)
    return LegStatus.LISTED if status is LegStatus.REMOVING else status


_ORIGINAL_STATUS = legs._status


def _submits_once(draft: Draft, instance: Any) -> Any:
    """Does not look whether the chain already has a lower total."""
    return None if instance.head is not None else _ORIGINAL_USEFUL(draft, instance)


_ORIGINAL_USEFUL = machine._useful


# ---------------------------------------------------------------------------------------- states


def _next_after_agreed(view: ChannelView) -> Version:
    agreed = view.agreed.state.version if view.agreed is not None else 0
    odd = view.role.value
    return Version(agreed + 1 if (agreed + 1) % 2 == odd else agreed + 2)


def _forgets_proposals(draft: Draft, view: ChannelView) -> None:
    draft.put(replace(view, proposals=()))


def _accepts_any_removal(draft: Draft, view: ChannelView, message: Any) -> Verdict:
    try:
        return _ORIGINAL_JUDGE(draft, view, message)
    except BadProposal as error:
        if "a removal moves net" not in error.why:
            raise
        return Verdict(Decision.ACCEPT, Intent(Purpose.REMOVE, removes=message.removes))


def _accepts_any_transfer(draft: Draft, view: ChannelView, message: Any) -> Verdict:
    verdict = _ORIGINAL_JUDGE(draft, view, message)
    if verdict.intent.purpose is Purpose.TRANSFER:
        return Verdict(Decision.ACCEPT, verdict.intent)
    return verdict


def _locks_again(draft: Draft, view: ChannelView, message: Any) -> Verdict:
    try:
        return _ORIGINAL_JUDGE(draft, view, message)
    except BadProposal as error:
        if "locked before" not in error.why and "submitted or signed" not in error.why:
            raise
        return Verdict(Decision.ACCEPT, Intent(Purpose.ADD, adds=message.adds))


def _locks_any_nano(draft: Draft, view: ChannelView, message: Any) -> Verdict:
    try:
        return _ORIGINAL_JUDGE(draft, view, message)
    except BadProposal as error:
        if "other locks, time or contract" not in error.why:
            raise
        return Verdict(Decision.ACCEPT, Intent(Purpose.ADD, adds=message.adds))


_ORIGINAL_JUDGE = judge.judge


def _final_only(view: ChannelView) -> tuple[int, int]:
    return int(view.final.alice), int(view.final.bob)


def _head_holdings(view: ChannelView) -> tuple[int, int]:
    alice, bob = int(view.head.alice), int(view.head.bob)
    for offer in view.withdraws:
        alice -= offer.withdraw.alice_amount
        bob -= offer.withdraw.bob_amount
    return alice, bob


def _unswapped(shift: int, swapped: bool) -> int:
    return shift


# --------------------------------------------------------------------------------------- disputes


def _never_answers(draft: Draft, view: ChannelView) -> None:
    if view.head.dispute is None:
        _ORIGINAL_REGISTER(draft, view)


_ORIGINAL_REGISTER = disputes._register


def _registers_the_first(draft: Draft, view: ChannelView) -> None:
    """Registers version 0 whatever it holds."""
    _ORIGINAL_REGISTER(draft, replace(view, agreed=None))


def _settles_once(draft: Draft, view: ChannelView) -> None:
    if view.head.dispute is not None and not view.head.dispute.settling:
        _ORIGINAL_SETTLE(draft, view)


_ORIGINAL_SETTLE = disputes._settle


# ------------------------------------------------------------------------------------------ node


class _Later:
    """A store that writes when it is too late."""

    def __init__(self) -> None:
        self.rows: tuple[Any, Any] = ((), ())

    def write(self, rows: Any, drops: Any = ()) -> None:
        self.rows = (list(rows), list(drops))


def _sends_before_it_stores(self: Any) -> bool:
    store, self._store = self._store, _Later()
    try:
        taken = _ORIGINAL_TURN(self)
        rows, drops = self._store.rows
    finally:
        self._store = store
    if rows or drops:
        store.write(rows, drops)
    return taken


_ORIGINAL_TURN = Node.turn


def _stores_no_totals(self: Any, rows: Any, drops: Any = ()) -> None:
    _ORIGINAL_WRITE(self, [row for row in rows if not isinstance(row, Totals)], drops)


_ORIGINAL_WRITE = MemoryStore.write


BUGS: tuple[Bug, ...] = (
    Bug(
        "hub signs one side first",
        "section 6: neither until both [A1]",
        [(pairs, "on_half", _answers_at_once)],
    ),
    Bug(
        "hub pays without evidence",
        "section 6, rule (c): it holds evidence that forces the same shift",
        [(pairs, "pays_alone", _always)],
    ),
    Bug(
        "outcome believed before it is final",
        "section 6, rules (a), (b): in a final block [C8]",
        [(Kind, "decided", _believes_the_head)],
    ),
    Bug(
        "hub takes any shift",
        "section 6: with the same totals, which net follows",
        [(halves, "judge", _judges_any_totals)],
    ),
    Bug(
        "hub signs one half of a replacement",
        "section 6, Resizing: neither until both [D3]",
        [(pairs, "on_half", _answers_a_replacement_at_once)],
    ),
    Bug(
        "hub replaces at any net",
        "section 6, Resizing: what net moves besides the shift is the fee",
        [(halves, "_judge_replacing", _takes_any_net)],
    ),
    Bug(
        "hub replaces at totals that differ",
        "section 6, Resizing: the pair must name the same totals",
        [(halves, "_judge_replacing", _forgets_totals)],
    ),
    Bug(
        "hub believes any half that is brought",
        "section 6: it takes one end's half from the other only if it is good [A12]",
        [(open_at_once, "_owner", _believes_any_half)],
    ),
    Bug(
        "payer does not wait for Ready",
        "section 5, Paying [A2]",
        [(payments, "pay", _pays_without_ready)],
    ),
    Bug(
        "payee ignores validity",
        "section 5, Accepting: a time ≤ validity − margin [A4]",
        [(payments, "why_not", _without(payments.why_not, "too late"))],
    ),
    Bug(
        "payee ignores submissions",
        "section 5, Accepting: the machine never submitted [A4]",
        [(payments, "why_not", _without(payments.why_not, "was submitted"))],
    ),
    Bug(
        "payee ignores the payer's lock",
        "section 5, Accepting: paid − own total ≤ the payer's lock",
        [(payments, "check", _checks_no_lock)],
    ),
    Bug(
        "statement accepted after removal signed",
        "section 5, Removing: neither pays nor accepts in it [A11]",
        [(legs, "_status", _status_without_removing)],
    ),
    Bug(
        "any position of the other side's is signed",
        "section 5, Playing a game: only if the rules make exactly it",
        [(plays, "_check", _no_rules)],
    ),
    Bug(
        "game begun before it is locked",
        "section 5, Playing a game: each once its own channel's newest state lists the game",
        [(doing, "act", _begins_unlocked)],
    ),
    Bug(
        "old position on chain not answered",
        "section 5, Playing a game: is answered by a newer one",
        [(turn_game, "_answer", _no_answer)],
    ),
    Bug(
        "move for the chain signed early",
        "section 5, Playing a game: only when nothing newer can be submitted",
        [(turn_game, "_is_ours", _moves_early)],
    ),
    Bug(
        "secret said before the flip is locked",
        "section 5, Flipping a coin: only while the newest fully signed state lists it",
        [(doing, "act", _says_secrets_at_once)],
    ),
    Bug(
        "one secret for all flips under one salt",
        "section 5, Flipping a coin: so that no other flip shows it",
        [(type(coin_flip.COIN_FLIP), "half", _one_secret_for_a_salt)],
    ),
    Bug(
        "secret never said on chain",
        "section 5, Flipping a coin: reveals its own on chain",
        [(type(coin_flip.COIN_FLIP), "due", _nothing)],
    ),
    Bug(
        "secret of a hand does not follow from the hand",
        "section 5, Rock, paper, scissors: so that no other game shows it",
        [(type(ROCK_PAPER_SCISSORS), "half", _hand_beside_its_secret)],
    ),
    Bug(
        "equal hands are not said on chain",
        "section 5, Rock, paper, scissors: an answer is owed where nobody is paid, too",
        [(type(ROCK_PAPER_SCISSORS), "due", _no_answer_to_equal_hands)],
    ),
    Bug(
        "payee never submits",
        "section 5, Cashing in: still listed at validity − margin submits it",
        [(evidence, "duties", _nothing), (evidence, "piece", lambda *_: b"")],
    ),
    Bug(
        "submission with an older total not answered",
        "section 5, Cashing in: answers with its highest total",
        [(machine, "_useful", _submits_once)],
    ),
    Bug(
        "version rule loosened",
        "section 5, Monotone signing",
        [(content, "next_version", _next_after_agreed)],
    ),
    Bug(
        "unanswered proposal forgotten",
        "section 5, Answers: unresolved until a state of its version or higher is full [A7]",
        [(proposing, "resend", _forgets_proposals)],
    ),
    Bug(
        "removal at any shift countersigned",
        "section 5, Removing: net' = net + s, nothing else [A11]",
        [(judge, "judge", _accepts_any_removal)],
    ),
    Bug(
        "losing transfer countersigned unasked",
        "section 5, What it signs: at least what its policy agreed to",
        [(judge, "judge", _accepts_any_transfer)],
    ),
    Bug(
        "instance locked again",
        "section 4: never locked, submitted or signed for before [A9]",
        [(judge, "judge", _locks_again)],
    ),
    Bug(
        "nano with any locks and expiry",
        "section 4: the instance's own locks, expiry equals the final time [A9]",
        [(judge, "judge", _locks_any_nano)],
    ),
    Bug(
        "shift not exchanged",
        "section 3, Resolving: swapped ? −shift : shift [B4]",
        [(accounting, "swap", _unswapped)],
    ),
    Bug(
        "live Withdraw not counted",
        "section 5, Standing offers: solvent in every combination [A8]",
        [(accounting, "reliable_holdings", _final_only)],
    ),
    Bug(
        "deposits believed before they are final",
        "section 5, What it signs: solvent against deposits in final blocks [C8]",
        [(accounting, "reliable_holdings", _head_holdings)],
    ),
    Bug(
        "signs with a stale view",
        "section 5, Freshness [A6]",
        [(phases, "why_stale", _never)],
    ),
    Bug(
        "signs in a dispute",
        "section 5, Freshness: shows no dispute in that channel [A6]",
        [(phases, "blocked", _without(phases.blocked, "in dispute", "has ended"))],
    ),
    Bug(
        "signs while a Close is alive",
        "section 5, Standing offers: nothing else in that channel [A8]",
        [
            (phases, "blocked", _without(phases.blocked, "Close")),
            (phases, "phase", lambda view, chain: _phase(replace(view, close=None), chain)),
        ],
    ),
    Bug(
        "Close signed over open proposals",
        "section 5, Standing offers: only for the newest fully signed state [A8]",
        [
            (closing, "why_no_close", _without(closing.why_no_close, "unresolved")),
            (phases, "phase", lambda view, chain: _idle(_phase(view, chain))),
        ],
    ),
    Bug(
        "several Opens for one peer",
        "section 5: an Open lives minutes, one per peer [C5]",
        [(admission, "_why_no_open", _without(admission._why_no_open, "one Open"))],
    ),
    Bug(
        "old register not answered",
        "section 5, Opening a dispute: whoever sees an older version answers",
        [(disputes, "_register", _never_answers)],
    ),
    Bug(
        "registers an old state",
        "section 5, Opening a dispute: only with the newest state it holds",
        [(disputes, "_register", _registers_the_first)],
    ),
    Bug(
        "settles once only",
        "section 3: a settle pays every nano that is resolved; property 5",
        [(disputes, "_settle", _settles_once)],
    ),
    Bug(
        "sends before it stores",
        "section 5: write before you send",
        [(Node, "turn", _sends_before_it_stores)],
    ),
    Bug(
        "totals are not stored",
        "section 5: a received signature is on disk before it is acknowledged",
        [(MemoryStore, "write", _stores_no_totals)],
    ),
    Bug(
        "answers without looking at versions",
        "section 5, Monotone signing: above every version its receiver has signed",
        [
            (
                proposals,
                "on_proposal",
                lambda draft, view, message: _ORIGINAL_ON_PROPOSAL(
                    draft, replace(view, signed=Version(0)), message
                ),
            )
        ],
    ),
    *(Bug(*plan) for plan in (*above.PLANS, *stakes.PLANS)),
)

_ORIGINAL_ON_PROPOSAL = proposals.on_proposal
_phase = phases.phase


def _idle(phase: phases.Phase) -> phases.Phase:
    open_ = (phases.Phase.PROPOSED, phases.Phase.HOLDING)
    return phases.Phase.IDLE if phase in open_ else phase
