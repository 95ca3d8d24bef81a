"""Playing a game off chain: each move is a position that its player signs first (section 4).

What keeps it safe, whoever stops at whatever message:
* nobody signs two positions under one version: Alice proposes even ones, Bob odd ones, and each
  signs only above everything it has signed in the game;
* a position is countersigned only if the rules' own code makes it of the newest agreed one, if it
  gives us the other side's whole lock, or if our user takes the draw that it offers;
* a version counts as signed from the moment our signer is asked.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import SignItem
from perun.core.faults import NotAllowedNow, PeerNotAllowed, UnexpectedMessage
from perun.core.game_view import GameView, Ply
from perun.core.inputs import Command
from perun.core.nanocontracts.payments import why_not
from perun.core.notices import DrawOffered, GameBegan, GameMoved
from perun.core.rulebook import Placed
from perun.core.state import InstanceView, Role
from perun.crypto.hashing import keccak
from perun.encoding.messages import Play, Played
from perun.errors import Misuse
from perun.types import (
    Address,
    Game,
    GameId,
    GameRecord,
    InstanceId,
    Move,
    Position,
    Signature,
    UnixTime,
    Version,
    Wei,
)

__all__ = [
    "CommandClock",
    "CommandDraw",
    "CommandMove",
    "CommandResign",
    "ask_again",
    "base",
    "call",
    "choose",
    "chosen",
    "draw",
    "go_on",
    "goes_on",
    "is_draw",
    "on_move_signed",
    "on_play",
    "on_played",
    "on_position_signed",
    "own_key",
    "resign",
    "signed_position",
    "standing",
    "time_limit",
]

_WHOLE: Final = 10**9
"""What a result of the rules is a part of."""

_REACH: Final = 16
"""How far above what either has signed a proposal may be: nobody uses the versions up."""


# ------------------------------------------------------------------------------------- our user


class CommandMove(Command, frozen=True, gc=False):
    """Make a move in a game: off chain, or on chain if it is played there."""

    instance: InstanceId
    move: bytes
    """In the rules' encoding."""


class CommandResign(Command, frozen=True, gc=False):
    """Give a game up: our whole lock is lost."""

    instance: InstanceId


class CommandDraw(Command, frozen=True, gc=False):
    """Agree on a draw: take the one that is offered, or offer one."""

    instance: InstanceId


class CommandClock(Command, frozen=True, gc=False):
    """Take a game to the chain: the other side has to move there, against its clock."""

    instance: InstanceId


def choose(draft: Draft, command: CommandMove) -> None:
    """Our user's move: proposed, or made on chain, as soon as that may be.

    Raises:
        NotAllowedNow: it is not our turn, or another move of ours waits for its answer.
        Misuse: the rules refuse it.
    """
    instance, game = _ours(draft, command.instance, "move")
    at = base(instance)
    if at is None:
        raise NotAllowedNow("move", "the game has not begun")
    if at.turn != _side(instance):
        raise NotAllowedNow("move", "it is the other side's turn" if at.turn else "it is over")
    if game.resigned:
        raise NotAllowedNow("move", "you have given it up")
    if game.choice is not None and game.choice[0] == at.version:
        raise NotAllowedNow("move", "you have moved, and it is not answered yet")
    terms, on = _terms(instance), instance.head
    if isinstance(on, GameRecord) and at.turn == on.turn and draft.now > time_limit(terms, on):
        raise NotAllowedNow("move", "your time is over")
    draft.books.rules.play(terms.rules_hash, at.position, at.turn, command.move)
    draft.put(replace(instance, game=replace(game, choice=(at.version, command.move))))


def resign(draft: Draft, command: CommandResign) -> None:
    """Our user gives up: proposed until it stands."""
    instance, game = _ours(draft, command.instance, "resign")
    if game.agreed is None or game.agreed.turn == 0:
        raise NotAllowedNow("resign", "it has not begun, or is over")
    if instance.head is not None:
        raise NotAllowedNow("resign", "it is on chain: make a move that the rules have for it")
    draft.put(replace(instance, game=replace(game, resigned=True)))


# Rule game-9.
def draw(draft: Draft, command: CommandDraw) -> None:
    """Our user takes the draw that is offered, or offers one; in our own turn by our next move."""
    instance, game = _ours(draft, command.instance, "agree on a draw")
    if game.agreed is None or game.agreed.turn == 0:
        raise NotAllowedNow("agree on a draw", "it has not begun, or is over")
    if instance.head is not None:
        raise NotAllowedNow("agree on a draw", "it is on chain, where only moves count")
    if game.resigned:
        raise NotAllowedNow("agree on a draw", "you have given it up")
    offered = standing(game)
    if offered is None:
        if game.draws:
            raise NotAllowedNow("agree on a draw", "you have offered one, and it stands")
        draft.put(replace(instance, game=replace(game, draws=True)))
        return
    why = why_not(draft.books, instance, _terms(instance))
    if why is not None:
        raise NotAllowedNow("agree on a draw", why)
    draft.put(replace(instance, game=replace(game, held=offered, signed=offered.version)))
    _sign(draft, instance, offered)


def call(draft: Draft, command: CommandClock) -> None:
    """Our user takes it to the chain, which `due` says from now on."""
    instance, game = _ours(draft, command.instance, "take it to the chain")
    if game.agreed is None or game.agreed.turn == 0:
        raise NotAllowedNow("take it to the chain", "it has not begun, or is over")
    if instance.head is not None:
        raise NotAllowedNow("take it to the chain", "it is there")
    draft.put(replace(instance, game=replace(game, called=game.agreed.version)))


# ----------------------------------------------------------------------------------- by ourselves


# Rules game-2, game-3, game-5.
def go_on(draft: Draft, instance: InstanceView) -> None:
    """Signs how it begins and what our user wants; says again what was not answered."""
    game = instance.game or GameView()
    if why_not(draft.books, instance, _terms(instance)) is not None:
        return
    if game.own is not None and not _crossed(game):
        if _signature(game.own, _role(instance)):
            _say(draft, instance, game.own)
        return
    try:
        ply = _wanted(draft, instance, game)
    except Misuse:
        # These rules are no longer on our list. What was agreed on still goes to the chain in time.
        return
    if ply is not None:
        draft.put(replace(instance, game=replace(game, own=ply, signed=ply.version)))
        _sign(draft, instance, ply)


def _wanted(draft: Draft, instance: InstanceView, game: GameView) -> Ply | None:
    """What we propose next; None: nothing. Raises `Misuse` if the rules do not make it."""
    agreed, move = game.agreed, chosen(game)
    if game.own is not None:
        version = _next_version(instance, game)
        return replace(game.own, version=version, alice=Signature(b""), bob=Signature(b""))
    if agreed is None:
        return _begins(draft, instance) if game.signed < 0 else None
    if agreed.turn == 0 or game.held is not None:
        return None
    version = _next_version(instance, game)
    if game.resigned:
        return Ply(version, 0, _loss(instance, _role(instance)), agreed.position, b"")
    if agreed.turn != _side(instance):
        return Ply(version, 0, Wei(0), agreed.position, b"") if game.draws else None
    if move is None:
        return None
    rules = _terms(instance).rules_hash
    placed = draft.books.rules.play(rules, agreed.position, agreed.turn, move)
    return _ply(instance, version, placed, move)


def ask_again(draft: Draft, instance: InstanceView) -> None:
    """After a start: for what our signer was asked and did not sign."""
    game = instance.game
    if game is None or instance.role is None:
        return
    for ply in (game.own, game.held):
        asked = ply is not None and ply.version <= game.signed
        if ply is not None and asked and not _signature(ply, instance.role):
            _sign(draft, instance, ply)


# Rules game-3, game-4.
def on_play(draft: Draft, instance: InstanceView, message: Play) -> None:
    """The other end has moved, given up, offered a draw, or says how it begins.

    What comes too late, or crosses something newer of ours, changes nothing: it says it again.

    Raises:
        UnexpectedMessage, BadSignature: nothing that a correct peer sends.
        PeerNotAllowed: not now.
    """
    game = instance.game or GameView()
    agreed, role = game.agreed, _role(instance)
    if agreed is not None and message.version <= agreed.version:
        if message.version == agreed.version:
            answer = Played(instance.id, agreed.version, _signature(agreed, role))
            draft.send(instance.end, answer, instance.via)
        return
    ply = _heard(message, role.other)
    if message.version == 0:
        _on_beginning(draft, instance, game, ply)
        return
    if agreed is None or game.held is not None or message.version <= game.signed:
        return
    reach = max(agreed.version, game.signed) + _REACH
    if message.version % 2 != role.other or message.version > reach:
        raise UnexpectedMessage("Play", "a version that is not the sender's to choose")
    why = why_not(draft.books, instance, _terms(instance))
    if why is not None:
        raise PeerNotAllowed("Play", why)
    if agreed.turn == _side(instance) and is_draw(agreed, ply):
        _on_offer(draft, instance, game, ply)
        return
    try:
        _check(draft, instance, agreed, ply)
    except UnexpectedMessage:
        if game.own is not None:
            # It may follow ours, and that ours stands was lost on the way.
            return
        raise
    _check_signature(draft, instance, ply, message.signature)
    game = replace(game, held=ply, signed=message.version)
    draft.put(replace(instance, game=game))
    _sign(draft, instance, ply)


# Rule game-2.
def _on_beginning(draft: Draft, instance: InstanceView, game: GameView, ply: Ply) -> None:
    expected = _begins(draft, instance)
    if replace(ply, alice=b"", bob=b"") != expected:
        raise UnexpectedMessage("Play", "the rules begin otherwise")
    _check_signature(draft, instance, ply, _signature(ply, _role(instance).other))
    own = game.own
    if own is not None and _signature(own, _role(instance)):
        _agree(draft, instance, game, _both(own, ply))
    else:
        draft.put(replace(instance, game=replace(game, held=ply)))


# Rule game-9.
def _on_offer(draft: Draft, instance: InstanceView, game: GameView, ply: Ply) -> None:
    """The other end would have a draw, until we move: one for each position."""
    if game.offered is not None:
        return
    _check_signature(draft, instance, ply, _signature(ply, _role(instance).other))
    draft.put(replace(instance, game=replace(game, offered=ply)))
    draft.notify(DrawOffered(instance.id))


# Rule game-4.
def _check(draft: Draft, instance: InstanceView, agreed: Ply, ply: Ply) -> None:
    """Raises `UnexpectedMessage` unless it is what may follow the newest agreed position."""
    theirs = _role(instance).other
    if agreed.turn == 0:
        raise UnexpectedMessage("Play", "the game is over")
    if not ply.move:
        given_up = (0, _loss(instance, theirs), agreed.position)
        if (ply.turn, ply.shift, ply.position) != given_up:
            raise UnexpectedMessage("Play", "neither a move nor the sender's whole lock")
        return
    if agreed.turn != theirs + 1:
        raise UnexpectedMessage("Play", "it is not the sender's turn")
    terms = _terms(instance)
    try:
        placed = draft.books.rules.play(terms.rules_hash, agreed.position, agreed.turn, ply.move)
    except Misuse as refused:
        raise UnexpectedMessage("Play", str(refused)) from None
    if replace(ply, alice=b"", bob=b"") != _ply(instance, ply.version, placed, ply.move):
        raise UnexpectedMessage("Play", "the rules make another position of that move")


def on_played(draft: Draft, instance: InstanceView, message: Played) -> None:
    """The other end has signed our position, too."""
    game = instance.game or GameView()
    own, role = game.own, _role(instance)
    if own is None or own.version != message.version or not _signature(own, role):
        return
    _check_signature(draft, instance, own, message.signature)
    _agree(draft, instance, game, _with(own, role.other, message.signature))


def on_position_signed(draft: Draft, position: Position, signature: Signature) -> InstanceId | None:
    """Our signer has signed a position: ours leaves, the other end's stands."""
    instance = draft.instance(InstanceId(position.game))
    game, role = instance.game, _role(instance)
    if game is None:
        return None
    own, held = game.own, game.held
    if own is not None and own.version == position.version and not _signature(own, role):
        own = _with(own, role, signature)
        _say(draft, instance, own)
        if held is not None and held.version == own.version:
            _agree(draft, instance, game, _both(own, held))
        else:
            draft.put(replace(instance, game=replace(game, own=own)))
    elif held is not None and held.version == position.version:
        draft.send(instance.end, Played(instance.id, held.version, signature), instance.via)
        _agree(draft, instance, game, _with(held, role, signature))
    return instance.id if goes_on(draft, instance) else None


def on_move_signed(draft: Draft, move: Move, signature: Signature) -> InstanceId | None:
    """Our move on chain is signed, and goes there."""
    instance = draft.instance(InstanceId(move.game))
    game = instance.game
    if game is not None and game.chain_move is not None and game.chain_move.version == move.version:
        made = replace(game.chain_move, signature=signature)
        draft.put(replace(instance, game=replace(game, chain_move=made)))
    return instance.id


def goes_on(draft: Draft, before: InstanceView) -> bool:
    """Whether there is more to do than in this row of it: both have signed a newer position, or
    what we proposed has been crossed."""
    return _stands(draft.instance(before.id)) != _stands(before)


def _stands(instance: InstanceView) -> tuple[Ply | None, bool] | None:
    game = instance.game
    return None if game is None else (game.agreed, _crossed(game))


def _crossed(game: GameView) -> bool:
    """Whether an offer of a draw has crossed what we proposed: the other end takes nothing below
    what it has signed, so the same is to be signed again above it."""
    own, offered = game.own, game.offered
    return own is not None and offered is not None and own.version < offered.version


# ---------------------------------------------------------------------------------------- reading


def base(instance: InstanceView) -> Ply | None:
    """The position from which the next move is made: what the chain records, unless we hold a newer
    one that it will still take; None: there is none, or we do not know its bytes."""
    game, on = instance.game, instance.head
    if game is None:
        return None
    agreed = game.agreed
    if not isinstance(on, GameRecord):
        return agreed
    if agreed is not None and agreed.version >= on.version and not on.live:
        return agreed
    if on.live:
        return (
            Ply(on.version, on.turn, on.shift, on.board, b"") if on.board or not on.turn else None
        )
    own, held = game.own, game.held
    if held is not None and held.version == on.version:
        return held
    if own is not None and on.version <= own.version and on.version % 2 == _role(instance):
        # What we proposed, and the other end has signed without telling us. All that we have signed
        # above what both have is the same, whatever its version.
        return replace(own, version=on.version)
    return None


def time_limit(game: Game, on: GameRecord) -> UnixTime:
    """Last second at which the side to move may move on chain."""
    left = (on.alice_left, on.bob_left) if on.live else (game.alice_bank, game.bob_bank)
    return UnixTime(on.start + left[on.turn - 1])


def chosen(game: GameView) -> bytes | None:
    """The move that our user has chosen for the newest agreed position."""
    if game.choice is None or game.agreed is None or game.choice[0] != game.agreed.version:
        return None
    return game.choice[1]


def standing(game: GameView) -> Ply | None:
    """The other end's offer of a draw, until we have moved or given up."""
    if game.own is not None or game.held is not None or game.resigned:
        return None
    return game.offered if chosen(game) is None else None


def is_draw(agreed: Ply, ply: Ply) -> bool:
    """Whether one ends the game where it stands, with nothing for either."""
    return (ply.turn, ply.shift, ply.position, ply.move) == (0, 0, agreed.position, b"")


def own_key(instance: InstanceView) -> Address:
    """The key that signs for our side."""
    return _keys(instance)[_role(instance)]


def signed_position(id: InstanceId, ply: Ply) -> Position:
    """What both sign."""
    return Position(GameId(id), ply.version, ply.turn, ply.shift, keccak(ply.position))


# --------------------------------------------------------------------------------------- in parts


def _ours(draft: Draft, id: InstanceId, what: str) -> tuple[InstanceView, GameView]:
    instance = draft.instance(id)
    if instance.role is None or not isinstance(instance.terms, Game):
        raise NotAllowedNow(what, "no game of ours")
    return instance, instance.game or GameView()


def _begins(draft: Draft, instance: InstanceView) -> Ply:
    terms = _terms(instance)
    return _ply(instance, 0, draft.books.rules.start(terms.rules_hash, terms.setup), b"")


def _ply(instance: InstanceView, version: int, placed: Placed, move: bytes) -> Ply:
    shift = _share(_terms(instance), placed.result) if placed.turn == 0 else Wei(0)
    return Ply(Version(version), placed.turn, shift, placed.position, move)


def _share(game: Game, result: int) -> Wei:
    """A result in parts of the loser's lock, rounded towards zero; as the contract does."""
    lock = game.alice_lock if result > 0 else game.bob_lock
    amount = lock * min(abs(result), _WHOLE) // _WHOLE
    return Wei(amount if result > 0 else -amount)


def _agree(draft: Draft, instance: InstanceView, game: GameView, ply: Ply) -> None:
    # What our user offers goes by our own next move, and lapses with theirs.
    draws = game.draws and ply.version % 2 == _role(instance)
    game = replace(game, agreed=ply, own=None, held=None, offered=None, draws=draws)
    game = replace(game, since=draft.chain.clock)
    draft.put(replace(instance, game=game))
    first = ply.version == 0
    draft.notify(GameBegan(instance.id) if first else GameMoved(instance.id, ply.version))


# Rule game-3.
def _next_version(instance: InstanceView, game: GameView) -> Version:
    """The least of our parity above everything that either has signed, as far as we know."""
    assert game.agreed is not None
    offered = -1 if game.offered is None else game.offered.version
    least = max(game.signed, game.agreed.version, offered) + 1
    return Version(least if least % 2 == _role(instance) else least + 1)


def _say(draft: Draft, instance: InstanceView, ply: Ply) -> None:
    signature = _signature(ply, _role(instance))
    message = Play(instance.id, ply.version, ply.turn, ply.shift, ply.position, ply.move, signature)
    draft.send(instance.end, message, instance.via)


def _heard(message: Play, by: Role) -> Ply:
    ply = Ply(Version(message.version), message.turn, message.shift, message.position, message.move)
    return _with(ply, by, message.signature)


def _sign(draft: Draft, instance: InstanceView, ply: Ply) -> None:
    draft.sign(SignItem(own_key(instance), signed_position(instance.id, ply)))


def _check_signature(draft: Draft, instance: InstanceView, ply: Ply, signature: Signature) -> None:
    """Raises `BadSignature` unless the contract takes it as the other end's."""
    key = _keys(instance)[_role(instance).other]
    draft.checker.check(signed_position(instance.id, ply), signature, key)


def _with(ply: Ply, role: Role, signature: Signature) -> Ply:
    if role is Role.ALICE:
        return replace(ply, alice=signature)
    return replace(ply, bob=signature)


def _both(one: Ply, other: Ply) -> Ply:
    return replace(one, alice=one.alice or other.alice, bob=one.bob or other.bob)


def _signature(ply: Ply, role: Role) -> Signature:
    return (ply.alice, ply.bob)[role]


def _loss(instance: InstanceView, role: Role) -> Wei:
    game = _terms(instance)
    return Wei(game.alice_lock if role is Role.ALICE else -game.bob_lock)


def _keys(instance: InstanceView) -> tuple[Address, Address]:
    game = _terms(instance)
    return game.alice, game.bob


def _side(instance: InstanceView) -> int:
    """How positions name us: 1 Alice, 2 Bob."""
    return _role(instance) + 1


def _role(instance: InstanceView) -> Role:
    assert instance.role is not None
    return instance.role


def _terms(instance: InstanceView) -> Game:
    assert isinstance(instance.terms, Game)
    return instance.terms
