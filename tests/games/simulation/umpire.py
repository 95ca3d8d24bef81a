"""Sees every position and move of a game that an honest party signs and sends (section 4, Games).

What it then has the right to is the worst that can still happen: its whole lock, until both have
signed the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perun.core.game_view import GameView
from perun.core.notices import InstanceRemoved
from perun.core.state import InstanceView, LegStatus, Role
from perun.crypto.hashing import keccak
from perun.encoding.messages import Play, Played
from perun.types import Game, GameId, GameRecord, InstanceId, Move, Position
from tests.games.simulation import board
from tests.games.simulation.violated import Violated

if TYPE_CHECKING:
    from tests.games.simulation.witness import Witness


_ENOUGH = 300
"""Seconds in which a transaction is in a block, whatever builders leave out."""


@dataclass(slots=True)
class Umpire:
    """Of one honest party, in all its lives."""

    witness: Witness
    positions: dict[tuple[bytes, int], set[Position]] = field(default_factory=dict)
    """Everything signed, by version. More than one only if the first never left (a power cut)."""
    sent: dict[tuple[bytes, int], Position] = field(default_factory=dict)
    moves: dict[tuple[bytes, int, bytes], set[Move]] = field(default_factory=dict)
    """By game, and by version and hash of the position moved from."""
    worth: dict[InstanceId, int] = field(default_factory=dict)
    """What each game brings at least."""
    roles: dict[InstanceId, Role] = field(default_factory=dict)
    chosen: dict[tuple[bytes, int], int] = field(default_factory=dict)
    """Since when its node knows which move is to be made from a recorded position."""
    ended: set[InstanceId] = field(default_factory=set)
    """Those whose end both have signed."""

    # ---------------------------------------------------------------------------------- signing

    def position(self, signed: Position) -> None:
        """Raises `Violated` if it must not be signed now."""
        id = InstanceId(signed.game)
        known = self.positions.setdefault((id, signed.version), set())
        if signed in known:
            return
        witness = self.witness
        if not witness.unmarked:
            highest = max((v for game, v in self.sent if game == id), default=-1)
            if signed.version <= highest:
                raise Violated("P8: a position not above all sent", signed=signed, sent=highest)
        books, world = witness.actor.node.books, witness.actor.world
        instance = books.instances[id]
        view, listed = witness.listed(id)
        if view is None or not listed:
            raise Violated("game-2: a position of a game that no state lists", signed=signed)
        witness.may_sign(view, "Position")
        if instance.head is not None:
            raise Violated("game-4: a position after somebody has submitted one", signed=signed)
        game, role = _terms(instance), instance.role
        assert role is not None
        if books.chain.head_time > game.validity - world.limits.margin:
            raise Violated("game-4: too late to enforce it", signed=signed)
        if not self._follows(game, instance.game or GameView(), signed):
            raise Violated("game-4: no position that the rules make", signed=signed)
        known.add(signed)

    def _follows(self, game: Game, now: GameView, signed: Position) -> bool:
        if signed.version == 0:
            begins, turn = board.start(game.setup)
            return (signed.turn, signed.shift, signed.position) == (turn, 0, keccak(begins))
        agreed = now.agreed
        if agreed is None or agreed.turn == 0 or signed.version <= agreed.version:
            return False
        side = Role(signed.version % 2)
        return any(
            (signed.turn, signed.shift, signed.position) == (turn, shift, keccak(position))
            for turn, shift, position in board.replies(game, agreed.position, agreed.turn, side)
        )

    def move(self, signed: Move) -> None:
        """Raises `Violated` if it must not be signed now."""
        id = InstanceId(signed.game)
        known = self.moves.setdefault((id, signed.version, signed.position), set())
        known.add(signed)
        witness = self.witness
        if len(known) > 1 and witness.heard_all:
            raise Violated("game-7: two moves from one position", moves=known)
        on = witness.actor.node.books.instances[id].head
        if not isinstance(on, GameRecord) or on.version != signed.version:
            raise Violated("game-7: a move from what the chain does not show", move=signed)
        if not on.live and witness.actor.node.books.chain.head_time <= on.start:
            raise Violated("game-7: a move while something newer can be submitted", move=signed)

    # ---------------------------------------------------------------------------------- sending

    def left(self, message: Play | Played) -> None:
        """It must be on the disk, and the only one of its version that ever left."""
        store = self.witness.actor.store
        row = store.row(InstanceView, message.instance)
        if row is None:
            return  # Over and dropped in the same turn.
        assert isinstance(row, InstanceView)
        game = row.game or GameView()
        if game.signed < message.version:
            raise Violated("write before you send: a position", version=message.version)
        if isinstance(message, Play):
            words = (message.turn, message.shift, keccak(message.position))
        else:
            agreed = game.agreed
            if agreed is None or agreed.version < message.version:
                raise Violated("write before you send: a played", version=message.version)
            if agreed.version > message.version:
                return
            words = (agreed.turn, agreed.shift, keccak(agreed.position))
        position = Position(GameId(message.instance), message.version, *words)  # type: ignore[arg-type]
        before = self.sent.setdefault((message.instance, message.version), position)
        if before != position and not self.witness.unmarked:
            raise Violated("P8: two positions with one version", one=before, two=position)

    # --------------------------------------------------------------------------------- counting

    def look(self) -> None:
        """What it has the right to now; only of what is on the disk."""
        books, limits = self.witness.actor.node.books, self.witness.actor.world.limits
        for one in books.instances.values():
            agreed_on = one.legs and one.legs[0].status is not LegStatus.NEW
            if not isinstance(one.terms, Game) or one.role is None or not agreed_on:
                continue
            self.roles[one.id] = one.role
            sign = -1 if one.role is Role.ALICE else 1
            self.worth.setdefault(one.id, sign * board.loss(one.terms, one.role))
            self._answered(one)
            self._moved(one)
            game = one.game
            if game is None or game.agreed is None or game.agreed.turn or one.id in self.ended:
                continue
            in_time = books.chain.head_time <= one.terms.validity - 2 * limits.margin
            newest = game.agreed.version >= game.signed
            if newest and in_time and one.head is None and self.witness.listed(one.id)[1]:
                self.worth[one.id] = sign * game.agreed.shift
                self.ended.add(one.id)
                self.witness.seen["games ended by both"] += 1

    def _answered(self, one: InstanceView) -> None:
        """An old position has not outlived the time in which newer ones count."""
        on, agreed = one.head, None if one.game is None else one.game.agreed
        books = self.witness.actor.node.books
        if not isinstance(on, GameRecord) or on.live or agreed is None or one.role is None:
            return
        if books.chain.head_time <= on.start or not self.witness.listed(one.id)[1]:
            return
        lost = agreed.turn == 0 and agreed.shift == board.loss(_terms(one), one.role)
        if agreed.version > on.version and not lost:
            raise Violated("game-6: an old position stands", stands=on.version, agreed=agreed)

    def _moved(self, one: InstanceView) -> None:
        """A move that its user has chosen in time is on chain before its clock has run out."""
        on, choice = one.head, None if one.game is None else one.game.choice
        actor = self.witness.actor
        ours = isinstance(on, GameRecord) and one.role is not None and on.turn == one.role + 1
        if not isinstance(on, GameRecord) or not ours or choice is None or choice[0] != on.version:
            return
        now, until = actor.node.books.chain.head_time, board.until(_terms(one), on)
        place = one.id, int(on.version)
        if actor.asked is not None or not self.witness.listed(one.id)[1]:
            self.chosen[place] = now  # its signer keeps it waiting, or nobody needs it
        chosen = self.chosen.setdefault(place, now)
        if now > until and until - max(chosen, on.start) > _ENOUGH:
            raise Violated("game-7: a chosen move was never made", chosen=chosen, until=until)

    def removed(self, notice: InstanceRemoved) -> None:
        """By both: at its end, or before there is one."""
        role = self.roles[notice.instance]
        gain = -notice.shift if role is Role.ALICE else notice.shift
        if notice.instance in self.ended and gain < self.worth[notice.instance]:
            raise Violated("P2: a game removed below what both have signed", notice=notice)
        self.worth[notice.instance] = gain
        self.witness.seen["games removed by both"] += 1


def _terms(instance: InstanceView) -> Game:
    assert isinstance(instance.terms, Game)
    return instance.terms
