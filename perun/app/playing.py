"""Playing for money: invite, move, give up, agree on a draw, take it to the chain; and coins that
are flipped.

Who is invited agrees by `answer`, as to any offer. Whoever is not answered for long takes the game
to the chain by itself, where the other side's clock runs.
"""

from __future__ import annotations

from typing import Final

from perun.app.boards import GAMES, board_of
from perun.app.errors import BadParams
from perun.app.inviting import end_of, meet, place
from perun.app.methods import CallClock, Draw, Flip, Move, Play, Resign, Throw
from perun.app.settings import KnownGame
from perun.app.texts import Who
from perun.app.values import Game
from perun.app.ways import route_of
from perun.app.work import Caller, Work
from perun.core.faults import NotAllowedNow
from perun.core.nanocontracts.coin_flip import (
    CommandFlip,
)
from perun.core.nanocontracts.plays import (
    CommandClock,
    CommandDraw,
    CommandMove,
    CommandResign,
)
from perun.core.nanocontracts.rock_paper_scissors import HANDS, CommandThrow, with_hand
from perun.core.nanocontracts.turn_game import (
    PACE,
    CommandGame,
)
from perun.core.state import InstanceView, LegStatus
from perun.errors import Misuse
from perun.games import view_of
from perun.types import Asset, Preimage, Salt, Seconds, UnixTime, Wei

__all__ = ["call_clock", "draw", "flip", "hurry", "move", "play", "resign", "throw"]

_CASES: Final = 2**16


def play(work: Work, caller: Caller, params: Play) -> Game:
    """Invites somebody to a game; nothing is locked before they agree."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        meet(work, to, params.invitation)
        known_game = _rules(work, params.game)
        rules, shown = known_game.rules, known_game.view or view_of(known_game.name)
        view = place(work, to, asset, own, theirs)
        limits, random = work.config.limits, work.random()
        code = work.books.rules.code_hash(rules)
        assert code is not None
        bank = Seconds(params.bank or 2 * limits.margin + work.books.rules.most_moves(code) * PACE)
        work.desk.do(
            CommandGame(
                *(view.id, rules, shown.setup(params.begin), own, theirs),
                UnixTime(work.books.chain.head_time + params.seconds),
                *(limits.least_machine_challenge, bank, bank, random, end_of(view, to)),
                route_of(work, view, to.peer),
            )
        )
        return random

    return GAMES.invite(work, caller, "play", params, begin)


def flip(work: Work, caller: Caller, params: Flip) -> Game:
    """Flips a coin with somebody whose policy allows it, at fair odds."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        if not own + theirs:
            raise BadParams("nothing is at stake: say for how much")
        meet(work, to, params.invitation)
        view = place(work, to, asset, own, theirs)
        # Rounded in favour of whoever is invited: nobody is asked to play against the odds.
        odds = -(-_CASES * theirs // (own + theirs))
        if not 0 < odds < _CASES:
            raise BadParams("the stakes differ too much for any odds")
        limits, random = work.config.limits, work.random()
        work.desk.do(
            CommandFlip(
                *(view.id, own, theirs, odds),
                UnixTime(work.books.chain.head_time + params.seconds),
                *(limits.least_machine_challenge, random),
                *(Preimage(bytes(work.random())), end_of(view, to)),
            )
        )
        return random

    return GAMES.invite(work, caller, "flip", params, begin)


def throw(work: Work, caller: Caller, params: Throw) -> Game:
    """Invites somebody to rock, paper, scissors, with a hand of ours that is fixed from now on."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        meet(work, to, params.invitation)
        view = place(work, to, asset, own, theirs)
        limits, random = work.config.limits, work.random()
        work.desk.do(
            CommandThrow(
                *(view.id, own, theirs),
                UnixTime(work.books.chain.head_time + params.seconds),
                *(limits.least_machine_challenge, random),
                *(with_hand(work.random(), HANDS.index(params.hand)), end_of(view, to)),
            )
        )
        return random

    return GAMES.invite(work, caller, "throw", params, begin)


def move(work: Work, caller: Caller, params: Move) -> Game:
    """Makes a move, as people type it."""
    instance = GAMES.find(work, params.id)
    plain = params.move.startswith("0x")
    view = view_of("") if plain else board_of(work, instance.terms)

    def act() -> None:
        work.desk.do(CommandMove(instance.id, view.read(params.move)))

    return GAMES.order(work, caller, "move", params, instance, act)


def resign(work: Work, caller: Caller, params: Resign) -> Game:
    """Gives a game up; on chain by the move that its rules have for that."""
    instance = GAMES.find(work, params.id)
    return GAMES.order(work, caller, "resign", params, instance, lambda: _give_up(work, instance))


def _give_up(work: Work, instance: InstanceView) -> None:
    if instance.head is None:
        work.desk.do(CommandResign(instance.id))
        return
    gives_up = board_of(work, instance.terms).resignation()
    if gives_up is None:
        raise NotAllowedNow("resign", "it is on chain, and these rules have no move for it")
    work.desk.do(CommandMove(instance.id, gives_up))


def draw(work: Work, caller: Caller, params: Draw) -> Game:
    """Takes the draw that they offer, or offers one."""
    instance = GAMES.find(work, params.id)
    command = CommandDraw(instance.id)
    return GAMES.order(work, caller, "draw", params, instance, lambda: work.desk.do(command))


def call_clock(work: Work, caller: Caller, params: CallClock) -> Game:
    """Takes a game to the chain."""
    instance = GAMES.find(work, params.id)
    command = CommandClock(instance.id)
    return GAMES.order(work, caller, "callClock", params, instance, lambda: work.desk.do(command))


def hurry(work: Work) -> None:
    """With every block: whoever lets us wait for too long has to move on chain."""
    for instance in list(work.books.instances.values()):
        game = instance.game
        if (
            game is None
            or game.agreed is None
            or instance.role is None
            or instance.head is not None
        ):
            continue
        waits = game.agreed.turn == instance.role.other + 1 or game.own is not None
        late = work.books.chain.waited(game.since) > work.settings.thinking
        called = game.called == game.agreed.version
        if waits and late and not called and instance.legs[0].status is LegStatus.LISTED:
            try:
                work.desk.do(CommandClock(instance.id))
            except Misuse:
                continue


# --------------------------------------------------------------------------------------- in parts


def _rules(work: Work, name: str) -> KnownGame:
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    for known in work.settings.games:
        if known.name.lower() == plain:
            return known
    names = ", ".join(known.name for known in work.settings.games) or "none"
    raise BadParams(f"no game {name!r} is known here; there are: {names}")
