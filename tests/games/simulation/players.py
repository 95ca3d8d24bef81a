"""Users at a board: invitations, moves, clocks; and crooks with positions of before."""

from __future__ import annotations

from collections.abc import Callable

from perun.bindings import turn_game
from perun.core.game_view import Ply
from perun.core.inputs import (
    CommandConsent,
)
from perun.core.nanocontracts.plays import (
    CommandClock,
    CommandMove,
    CommandResign,
)
from perun.core.nanocontracts.turn_game import (
    TURN_GAME,
    CommandGame,
)
from perun.core.state import ChannelView, InstanceView
from perun.types import Game, GameRecord, Hands, Seconds, UnixTime, Wei
from tests.games.simulation import board
from tests.games.simulation.actor import Actor
from tests.games.simulation.crooks import Crooks
from tests.games.simulation.theatre import Theatre
from tests.games.simulation.users import Users

_BANK = Seconds(700)
_STAKES = ((60, 60), (100, 20), (30, 90))


class Players:
    """Everybody's games; every method draws its choices from numbers, as in `Users`."""

    def __init__(self, world: Theatre, users: Users, crooks: Crooks) -> None:
        self.world = world
        self._users = users
        self._crooks = crooks

    def invite(self, who: int, which: int, stakes: int, virtual: int) -> bool:
        """To tic-tac-toe, somebody next door or over the hub."""
        actor = self.world.actors[who % 3]
        view = self._users.channel(actor, which)
        if view is None:
            return False
        end = self._users.end(actor, view, virtual % 2 == 0)
        done = actor.do(self._invitation(actor, view, end, stakes))
        if done and virtual % 4 < 2:
            # Somebody who has waited for it.
            self.world.talk()
            self.consent(who + 1, 0, 1, 0)
            self.world.talk()
        return done

    def _invitation(
        self, actor: Actor, view: ChannelView, end: Actor | None, stakes: int
    ) -> CommandGame:
        own, peer = _STAKES[stakes % len(_STAKES)]
        return CommandGame(
            view.id,
            self.world.chain.evm.tic_tac_toe,
            (stakes // 3 % 2).to_bytes(32, "big"),
            Wei(own),
            Wei(peer),
            UnixTime(self.world.chain.now + 900 + stakes % 900),
            Seconds(900),
            _BANK,
            _BANK,
            actor.random(),
            end.peer if end else b"",
        )

    def consent(self, who: int, which: int, refuse: int, word: int) -> bool:
        """Answers an invitation; most are taken. To some a hand is the answer."""
        for actor in self._from(who):
            held = [one for one in actor.node.books.invitations.values() if one.theirs]
            if held:
                one = held[which % len(held)]
                hand = bytes([word % 3]) if isinstance(one.terms, Hands) else b""
                return actor.do(CommandConsent(one.id, refuse % 8 != 0, word=hand))
        return False

    def play(self, who: int, which: int, cell: int, plies: int) -> bool:
        """A move of somebody's, or a few, by whoever's turn it is."""
        done = False
        most = plies % 10
        for number in range(1 + most):
            done = self._ply(who + number, which, cell + number) or done
            if number < most:
                self.world.talk()
        return done

    def _ply(self, who: int, which: int, cell: int) -> bool:
        for actor in self._from(who):
            boards = [(one, _board(one)) for one in self._games(actor)]
            mine = [(one, at) for one, at in boards if at is not None and at[1] == _side(one)]
            if mine:
                one, (position, _turn) = mine[which % len(mine)]
                cells = board.free_cells(position)
                # Now and then one that is taken, or no cell at all.
                chosen = cells[cell % len(cells)] if cells and cell % 32 else cell % 256
                return actor.do(CommandMove(one.id, bytes([chosen])))
        return False

    def give_up(self, who: int, which: int, *_: int) -> bool:
        """Resigns."""
        return self._about(who, which, lambda one: CommandResign(one.id))

    def clock(self, who: int, which: int, *_: int) -> bool:
        """Takes a game to the chain."""
        return self._about(who, which, lambda one: CommandClock(one.id))

    def _about(
        self, who: int, which: int, command: Callable[[InstanceView], CommandResign | CommandClock]
    ) -> bool:
        for actor in self._from(who):
            games = self._games(actor)
            if games:
                return actor.do(command(games[which % len(games)]))
        return False

    def old(self, which: int, newest: int, *_: int) -> bool:
        """A crook brings a position that both have signed, whichever it likes."""
        if not self._crooks.learn():
            return False
        mind = self._crooks.mind
        known = mind.playable()
        if not known:
            return False
        game, position, pair = known[-1 if newest % 3 == 0 else which % len(known)]
        app = TURN_GAME.app(self.world.deployment)
        call = turn_game.submit_position(app, game, position, *pair)
        return self._crooks.send(call, which)

    # ------------------------------------------------------------------------------------ choices

    def _from(self, who: int) -> list[Actor]:
        """All of them, this one first."""
        actors = self.world.actors
        return [*actors[who % 3 :], *actors[: who % 3]]

    def _games(self, actor: Actor) -> list[InstanceView]:
        return [
            one
            for one in actor.node.books.instances.values()
            if isinstance(one.terms, Game) and one.role is not None and one.game is not None
        ]


def _side(one: InstanceView) -> int:
    """1 Alice, 2 Bob."""
    assert one.role is not None
    return one.role + 1


def _board(one: InstanceView) -> tuple[bytes, int] | None:
    """Position and turn, as its user sees them."""
    on, agreed = one.head, None if one.game is None else one.game.agreed
    if isinstance(on, GameRecord) and on.live:
        return (on.board, on.turn) if on.board else None
    return _placed(agreed)


def _placed(agreed: Ply | None) -> tuple[bytes, int] | None:
    return None if agreed is None else (agreed.position, agreed.turn)
