"""The game in turns: positions that both ends sign, then moves on chain against clocks (section 4).

Off chain each move is a new position, signed by its player and countersigned (`plays`). Who gets
no answer takes the newest agreed position to the chain, where the other side has to move in time.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.effects import SignItem
from perun.core.faults import InstanceRejected
from perun.core.game_view import ChainMove, GameView
from perun.core.inputs import Command
from perun.core.limits import Limits
from perun.core.nanocontracts import plays
from perun.core.nanocontracts.kind import Due, Kind, domain_in
from perun.core.nanocontracts.payments import why_not
from perun.core.nanocontracts.plays import CommandClock, CommandDraw, CommandMove, CommandResign
from perun.core.nanocontracts.shifts import check_times, named_part, proposes, saying
from perun.core.notices import GameMoved
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.crypto.hashing import keccak
from perun.crypto.signatures import verify
from perun.encoding.messages import OfInstance, Play, Played, Propose
from perun.encoding.turn_game import (
    TurnGameDomain,
    game_id,
    move_evidence,
    position_digest,
    position_evidence,
)
from perun.errors import Misuse
from perun.types import (
    Address,
    ChannelId,
    Game,
    GameId,
    GameRecord,
    InstanceId,
    Move,
    Position,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["PACE", "TURN_GAME", "CommandGame", "check_rules"]

PACE: Final = 60
"""Seconds that a move on chain takes, mining and thinking: a bank is enough for all of ours."""

_GREATEST_BANK: Final = 2**20 - 1


class CommandGame(Command, frozen=True, gc=False):
    """Invite an end to a game in turns for money: the channel's peer, or somebody behind it as the
    hub. Nothing is locked before the other end's user has agreed."""

    channel: ChannelId
    rules: Address
    setup: bytes
    """What the rules begin with; 32 bytes."""
    own_lock: Wei
    """What we pay if we lose."""
    peer_lock: Wei
    validity: UnixTime
    """Until when it must be over, or taken to the chain."""
    challenge: Seconds
    own_bank: Seconds
    """For all our moves on chain, if it comes to that."""
    peer_bank: Seconds
    random: Salt
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""
    route: tuple[PeerId, ...] = ()
    """Over several hubs: those after our own, in order (section 6, Gates)."""


# Rule game-1.
def game(draft: Draft, command: CommandGame, own: Address, end: Address) -> Game:
    """What our user invites to, by rules on our list."""
    code = draft.books.rules.code_hash(command.rules)
    if code is None:
        raise InstanceRejected("its rules are not on my list")
    terms = Game(
        own,
        end,
        command.own_lock,
        command.peer_lock,
        command.rules,
        code,
        command.setup,
        command.validity,
        command.challenge,
        command.own_bank,
        command.peer_bank,
        command.random,
    )
    check_rules(draft.books, terms, Role.ALICE)
    return terms


class _TurnGameKind(Kind[Game, GameRecord]):
    terms = Game
    domain = TurnGameDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = False
    asks: ClassVar[bool] = True
    invites = MappingProxyType({CommandGame: game})
    orders = MappingProxyType(
        {
            CommandMove: plays.choose,
            CommandResign: plays.resign,
            CommandDraw: plays.draw,
            CommandClock: plays.call,
        }
    )
    signed = MappingProxyType({Position: plays.on_position_signed, Move: plays.on_move_signed})

    def route(self, command: CommandGame) -> tuple[PeerId, ...]:
        return command.route

    # ------------------------------------------------------------------------ what its terms say

    def id(self, deployment: Deployment, terms: Game) -> InstanceId:
        return game_id(domain_in(deployment, TurnGameDomain), terms)

    def locks(self, terms: Game) -> tuple[Wei, Wei]:
        return terms.alice_lock, terms.bob_lock

    def signers(self, terms: Game) -> tuple[Address, Address] | None:
        return terms.alice, terms.bob

    def last_time(self, terms: Game) -> UnixTime:
        return terms.validity

    def end_time(self, terms: Game) -> UnixTime:
        return UnixTime(terms.validity + terms.challenge + terms.alice_bank + terms.bob_bank)

    def check(self, limits: Limits, terms: Game) -> None:
        check_times(limits, self.end_time(terms), terms.challenge)
        most = min(_GREATEST_BANK, limits.greatest_challenge)
        for bank in (terms.alice_bank, terms.bob_bank):
            if not 2 * limits.margin <= bank <= most:
                raise InstanceRejected(f"a bank of {bank} s is outside our limits")
        if not terms.alice_lock or not terms.bob_lock:
            raise InstanceRejected("one side has nothing to lose")

    # Rule game-1.
    def check_invited(self, books: Books, terms: Game) -> None:
        check_rules(books, terms, Role.BOB)

    def taken(self, terms: Game, role: Role) -> Wei:
        """Who does nothing loses by the clock."""
        return self.locks(terms)[role]

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: Game, on: GameRecord | None, time: UnixTime) -> Wei | None:
        if on is None:
            return None
        if on.turn == 0:
            return on.shift if on.live or time > on.start else None
        return None if time <= plays.time_limit(terms, on) else _loss(terms, Role(on.turn - 1))

    def known(self, terms: Game, instance: InstanceView, totals: Totals) -> Wei | None:
        """Its end, if both have signed it and we nothing above it."""
        game, on = instance.game, instance.head
        agreed = None if game is None else game.agreed
        if game is None or agreed is None or agreed.turn or agreed.version < game.signed:
            return None
        return None if isinstance(on, GameRecord) and on.live else agreed.shift

    def enforceable(
        self, terms: Game, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        """While it is not finished, it may be we who lose."""
        if instance.head is None and time > terms.validity:
            return Wei(0)
        return self.worst(terms, instance, totals)

    def worst(self, terms: Game, instance: InstanceView, totals: Totals) -> Wei:
        """Nothing before we have signed how it begins: without that nobody can submit anything."""
        signed = -1 if instance.game is None else instance.game.signed
        if instance.role is None or (signed < 0 and instance.head is None):
            return Wei(0)
        known, on, game = self.known(terms, instance, totals), instance.head, instance.game
        older = (
            game is None
            or game.agreed is None
            or (isinstance(on, GameRecord) and on.version < game.agreed.version)
        )
        return _loss(terms, instance.role) if known is None or older else known

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return why_not(books, instance, _terms(instance))

    # ------------------------------------------------------------------- what its ends do unasked

    # Rules game-2, game-5.
    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """Signs how it begins, and what our user wants; says again what was not answered."""
        plays.go_on(draft, instance)
        shift = self.known(_terms(instance), instance, draft.totals(instance.id))
        return shift is not None and proposes(instance, shift)

    def ask_again(self, draft: Draft, instance: InstanceView) -> None:
        plays.ask_again(draft, instance)

    def hear(self, draft: Draft, instance: InstanceView, message: OfInstance) -> bool:
        """What is said again waits for a block; what follows from a newer position does not."""
        if isinstance(message, Play):
            plays.on_play(draft, instance, message)
        elif isinstance(message, Played):
            plays.on_played(draft, instance, message)
        else:
            return super().hear(draft, instance, message)
        return plays.goes_on(draft, instance)

    # ------------------------------------------------------------------------ what the chain says

    def learn(self, draft: Draft, instance: InstanceView) -> None:
        if isinstance(instance.head, GameRecord) and instance.role is not None:
            draft.notify(GameMoved(instance.id, instance.head.version))

    # Rules game-6, game-7.
    def prepare(self, draft: Draft, instance: InstanceView) -> None:
        """Signs the move that our user has chosen, once it is to be made on chain: one for each
        position, and not before nothing newer can come, so that none can be mined later."""
        game, on, base = instance.game, instance.head, plays.base(instance)
        if game is None or not isinstance(on, GameRecord) or not _is_ours(draft, instance):
            return
        if base is None or game.choice is None or game.choice[0] != on.version:
            return
        made = game.chain_move
        if made is None or (made.version, made.position) != (on.version, base.position):
            made = ChainMove(on.version, base.position, game.choice[1])
            draft.put(replace(instance, game=replace(game, chain_move=made)))
        if made.signature:
            return
        draft.sign(SignItem(plays.own_key(instance), signed_move(instance.id, made)))

    # --------------------------------------------------------------- what a tower is given of one

    def defending(self, instance: InstanceView) -> InstanceView:
        """Without what only one side has signed."""
        game = instance.game
        if game is None or game.agreed is None:
            return replace(instance, game=None)
        agreed = replace(game, own=None, held=None, offered=None, chain_move=None)
        return replace(instance, game=agreed)

    def why_unwatched(self, deployment: Deployment, instance: InstanceView) -> str | None:
        game, terms = instance.game, _terms(instance)
        if game is None:
            return None
        agreed, domain = game.agreed, deployment.find(TurnGameDomain)
        if agreed is None or domain is None:
            return "a game that nobody plays"
        digest = position_digest(domain, plays.signed_position(instance.id, agreed))
        signed = verify(digest, agreed.alice, terms.alice) and verify(digest, agreed.bob, terms.bob)
        return None if signed else "a position is not signed by both"

    def height(self, instance: InstanceView) -> int | None:
        game = instance.game
        return None if game is None else 0 if game.agreed is None else game.agreed.version

    # ------------------------------------------------------------------------------- what proves it

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """To a hub what each side pays by the end; the other end has signed it itself."""
        if instance.role is None or not instance.via:
            return message
        shift = self.known(_terms(instance), instance, draft.totals(instance.id)) or Wei(0)
        return saying(message, instance.role, shift)

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        """Nothing comes with a removal: what it rests on both have signed."""

    # Rule game-8.
    def named(
        self, terms: Game, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """What both ends say alike is as good as a result: a hub pays it on, and no more."""
        return named_part(message, peer, self.locks(terms), "result of a game")

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """A hub has no position, and needs none."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """Both sides can lose by it: rule (c) is not for it."""
        return False

    # Rules game-5, game-6.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        if instance.role is None or instance.game is None:
            return None
        if instance.head is None:
            return _opening(draft, instance, instance.game)
        assert isinstance(instance.head, GameRecord)
        if not instance.head.live and draft.now <= instance.head.start:
            return _answer(instance, instance.game, instance.head)
        return _move(draft, instance, instance.game, instance.head)


TURN_GAME = _TurnGameKind()


# Rule game-1.
def check_rules(books: Books, game: Game, role: Role) -> None:
    """Raises `InstanceRejected` unless we would play it on that side.

    Its rules are on our list, with the code that stands on the chain, they know the setup, and our
    bank is enough for every move that could come.
    """
    known = books.rules.code_hash(game.rules)
    if known is None or known != game.rules_hash:
        raise InstanceRejected("its rules are not on my list, or have other code")
    try:
        books.rules.start(known, game.setup)
    except Misuse as error:
        raise InstanceRejected(f"its rules do not begin so: {error}") from None
    own = (game.alice_bank, game.bob_bank)[role]
    least = 2 * books.config.limits.margin + (books.rules.most_moves(known) + 1) // 2 * PACE
    if own < least:
        raise InstanceRejected(f"a bank of {own} s is too short for me: {least} s")


def signed_move(id: InstanceId, move: ChainMove) -> Move:
    """What is signed for a move on chain."""
    return Move(GameId(id), move.version, keccak(move.position), keccak(move.move))


def _opening(draft: Draft, instance: InstanceView, game: GameView) -> Due | None:
    """The newest agreed position, unless it only makes us pay, or our own clock would run and
    nobody has chosen our move."""
    agreed, terms = game.agreed, _terms(instance)
    assert instance.role is not None
    if agreed is None or draft.now > terms.validity:
        return None
    called = game.called == agreed.version
    if agreed.turn == 0:
        if not _gains(instance.role, agreed.shift):
            return None
    elif agreed.turn == instance.role + 1 and not called and plays.chosen(game) is None:
        return None
    tag = _tag(0, agreed.version)
    return Due(_position(instance, game), terms.validity, answers=called, tag=tag)


def _answer(instance: InstanceView, game: GameView, on: GameRecord) -> Due | None:
    """A newer position than the recorded one, unless nothing is worse for us than it."""
    agreed = game.agreed
    assert instance.role is not None
    if agreed is None or agreed.version <= on.version:
        return None
    if agreed.turn == 0 and agreed.shift == _loss(_terms(instance), instance.role):
        return None
    tag = _tag(0, agreed.version)
    return Due(_position(instance, game), on.start, answers=True, tag=tag)


def _move(draft: Draft, instance: InstanceView, game: GameView, on: GameRecord) -> Due | None:
    """The move that we have signed for what is recorded."""
    made, base = game.chain_move, plays.base(instance)
    if made is None or base is None or not made.signature or not _is_ours(draft, instance):
        return None
    if (made.version, made.position) != (on.version, base.position):
        return None
    evidence = move_evidence(_terms(instance), made.position, made.move, made.signature)
    return Due(
        evidence,
        plays.time_limit(_terms(instance), on),
        answers=True,
        rides=False,
        tag=_tag(1, on.version),
    )


def _tag(form: int, version: int) -> bytes:
    """Each position and each move has a wish of its own: none waits until the one before is final,
    while a clock runs."""
    return bytes([form]) + version.to_bytes(4, "big")


def _position(instance: InstanceView, game: GameView) -> bytes:
    agreed = game.agreed
    assert agreed is not None
    signed = plays.signed_position(instance.id, agreed)
    return position_evidence(_terms(instance), signed, agreed.alice, agreed.bob)


def _is_ours(draft: Draft, instance: InstanceView) -> bool:
    """Whether it is for us to move on chain, and still in time."""
    on = instance.head
    if not isinstance(on, GameRecord) or instance.role is None or on.turn != instance.role + 1:
        return False
    return (on.live or draft.now > on.start) and draft.now <= plays.time_limit(_terms(instance), on)


def _terms(instance: InstanceView) -> Game:
    assert isinstance(instance.terms, Game)
    return instance.terms


def _loss(game: Game, role: Role) -> Wei:
    """The shift by which a side loses its whole lock."""
    return Wei(game.alice_lock if role is Role.ALICE else -game.bob_lock)


def _gains(role: Role, shift: Wei) -> bool:
    return shift < 0 if role is Role.ALICE else shift > 0
