"""Playing for money in a terminal: `perun games`, `play`, `move`, `draw`, `rematch`, `flip` ….

Every command asks a running node, and knows no rule of any game: the node says how a board looks,
whose turn it is, and what came of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final, get_args

import click

from perun.api.client import CallRefused, Node
from perun.app.values import Game, Hand
from perun.cli.asking import (
    JSON,
    KEY,
    YES,
    Amounts,
    by_start,
    command,
    consent,
    print_json,
    show_table,
    table,
    who,
)
from perun.cli.outcome import NOT_DONE, UNDER_WAY
from perun.cli.render import console, plain, say
from perun.cli.watching import TO_REACH, next_event, why_of

__all__ = ["COMMANDS"]


@command("games")
@JSON
def games(node: Node, as_json: bool) -> None:
    """Show games and coin flips: invitations, what is played, what has ended lately."""
    found = node.games()
    if as_json:
        print_json(found)
        return
    amounts = Amounts(node)
    rows = table("id", "game", "with", "your stake", "state", "turn", "gain", folded="game")
    for one in found:
        gain = "" if one.gain is None else _signed(amounts, one)
        rows.add_row(
            one.id[:14] + "…", one.title, who(one.peer, one.name),
            amounts.show(one.asset, one.amount), one.state, one.turn, gain,
        )  # fmt: skip
    show_table(rows, "No games. Play one: perun play WHOM 0.001ether")


@command("play")
@click.argument("whom")
@click.argument("stake", required=False)
@click.option("--game", default="TicTacToe", show_default=True, help="By which rules.")
@click.option("--theirs", help="Their stake; the same as yours if not given.")
@click.option("--second", is_flag=True, help="They make the first move.")
@click.option("--minutes", type=click.IntRange(1), default=60, show_default=True)
@click.option("--wait/--no-wait", default=True, help="Play it here, to the end.")
@KEY
@YES
@JSON
def play(
    node: Node, whom: str, stake: str | None, game: str, theirs: str | None, second: bool,
    minutes: int, wait: bool, key: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Play with WHOM for STAKE such as 0.001ether; or go on with the game that WHOM is the id of.

    Moves are read from the terminal, a line each: what the game says, draw, accept or resign.
    """
    amounts = Amounts(node)
    if stake is None and "perun1" in whom:
        raise click.UsageError("say for how much: perun play WHOM STAKE, such as 0.001ether")
    if stake is None:
        (begun,) = [one for one in node.games() if one.id == _id(node, whom)]
        if begun.state == "asked":
            consent(yes, f"Play {begun.title} with {who(begun.peer, begun.name)} for "
                    f"{amounts.show(begun.asset, begun.amount)}.")  # fmt: skip
            node.answer(begun.id, True)
    else:
        units, asset = amounts.read(stake)
        if not as_json:
            consent(yes, f"Play {game} with {plain(whom)[:14]}… for {stake}. Who loses pays; who "
                    "lets time pass loses, too.")  # fmt: skip
        begun = node.play(
            whom, game, units or "0", amounts.read(theirs, asset)[0], not second, asset,
            60 * minutes, idempotency_key=key,
        )  # fmt: skip
    _play_on(node, amounts, begun, wait=wait, as_json=as_json)


@command("rematch")
@click.argument("game")
@click.option("--wait/--no-wait", default=True, help="Play it here, to the end.")
@KEY
@YES
@JSON
def rematch(
    node: Node, game: str, wait: bool, key: str | None, yes: bool, as_json: bool
) -> None:  # fmt: skip
    """Play once more what GAME was: for the same stakes, and who came second begins.

    If they have asked for it already, this agrees.
    """
    amounts = Amounts(node)
    (past,) = node.games(_id(node, game))
    if past.gain is None and past.state != "over":
        raise click.UsageError("it is not over yet")
    if not _in_turns(past):
        raise click.UsageError(f"nobody begins in {past.title}: perun {past.game} does it again")
    if not as_json:
        consent(yes, f"Play {past.title} with {who(past.peer, past.name)} once more for "
                f"{amounts.show(past.asset, past.amount)}; "
                f"{'they begin' if past.began else 'you begin'}.")  # fmt: skip
    asked = next((one for one in node.games() if _is_rematch(one, past)), None)
    if asked is None:
        begun = node.play(
            past.peer, past.game, int(past.amount), int(past.peer_amount), not past.began,
            past.asset, idempotency_key=key,
        )  # fmt: skip
    else:
        begun = asked
        node.answer(asked.id, True)
    _play_on(node, amounts, begun, wait=wait, as_json=as_json)


@command("flip")
@click.argument("whom")
@click.argument("stake")
@click.option("--theirs", help="Their stake; the same as yours if not given.")
@KEY
@YES
@JSON
def flip(
    node: Node, whom: str, stake: str, theirs: str | None, key: str | None, yes: bool, as_json: bool
) -> None:
    """Flip a coin with WHOM for STAKE such as 0.001ether, at fair odds."""
    amounts = Amounts(node)
    units, asset = amounts.read(stake)
    if not as_json:
        consent(yes, f"Flip a coin with {plain(whom)[:14]}… for {stake}.")
    peer_units = amounts.read(theirs, asset)[0]
    begun = node.flip(whom, units or "0", peer_units, asset, idempotency_key=key)
    _end(amounts, _to_the_end(node, begun, None), as_json=as_json)


@command("throw")
@click.argument("hand", type=click.Choice(get_args(Hand)))
@click.argument("whom")
@click.argument("stake", required=False)
@click.option("--theirs", help="Their stake; the same as yours if not given.")
@KEY
@YES
@JSON
def throw(
    node: Node, hand: Hand, whom: str, stake: str | None, theirs: str | None, key: str | None,
    yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Rock, paper, scissors with WHOM for STAKE; or an answer to the invitation with that id.

    Both hands are fixed before either is seen.
    """
    amounts = Amounts(node)
    if stake is None:
        (begun,) = [one for one in node.games() if one.id == _id(node, whom)]
        mine = amounts.show(begun.asset, begun.amount)
        consent(yes, f"Play {begun.title} with {who(begun.peer, begun.name)} for {mine}.")
        node.answer(begun.id, True, hand=hand)
    else:
        units, asset = amounts.read(stake)
        if not as_json:
            consent(yes, f"Play rock, paper, scissors with {plain(whom)[:14]}… for {stake}.")
        peer_units = amounts.read(theirs, asset)[0]
        begun = node.throw(whom, hand, units or "0", peer_units, asset, idempotency_key=key)
    _end(amounts, _to_the_end(node, begun, None), as_json=as_json)


def _simple(name: str, text: str, act: Callable[[Node], Callable[..., Game]]) -> click.Command:
    """A command about one game."""

    def run(node: Node, game: str, key: str | None, as_json: bool, **more: str) -> None:
        done = act(node)(_id(node, game), *more.values(), idempotency_key=key)
        if as_json:
            print_json(done)
        else:
            _Talk(node).show(done)

    run.__doc__ = text
    wrapped: Any = JSON(KEY(run))
    if name == "move":
        wrapped = click.argument("typed", metavar="MOVE")(wrapped)
    return command(name)(click.argument("game")(wrapped))


move = _simple("move", "Make a MOVE in GAME.", lambda node: node.move)
resign = _simple("resign", "Give GAME up: your stake is lost.", lambda node: node.resign)
draw = _simple(
    "draw",
    "Take the draw that they offer in GAME, or offer one; in your turn by your next move.",
    lambda node: node.draw,
)
clock = _simple(
    "clock",
    "Take GAME to the chain: the other side has to move there, in time.",
    lambda node: node.call_clock,
)

COMMANDS: Final = (games, play, rematch, flip, throw, move, resign, draw, clock)


# ------------------------------------------------------------------------------------- helpers


def _id(node: Node, start: str) -> str:
    return by_start([one.id for one in node.games()], start, "game")


def _in_turns(game: Game) -> bool:
    return game.game not in ("flip", "throw", "")


def _is_rematch(game: Game, past: Game) -> bool:
    """Whether it is their invitation to the same, with sides swapped."""
    same = ("peer", "game", "asset", "amount", "peer_amount")
    alike = all(getattr(game, name) == getattr(past, name) for name in same)
    return alike and game.state == "asked" and game.began is not past.began


def _play_on(node: Node, amounts: Amounts, game: Game, *, wait: bool, as_json: bool) -> None:
    if wait:
        _end(amounts, _to_the_end(node, game, _Talk(node, quiet=as_json)), as_json=as_json)
    elif as_json:
        print_json(game)
    else:
        say(console(), f"{game.state}: {game.title}, id {game.id}")


def _signed(amounts: Amounts, game: Game) -> str:
    gain = game.gain or "0"
    return ("+" if int(gain) > 0 else "") + amounts.signed(game.asset, gain)


def _end(amounts: Amounts, game: Game | None, *, as_json: bool) -> None:
    if game is None:
        say(console(stderr=True), "They do not want to, or cannot: nothing is locked.")
        sys.exit(NOT_DONE)
    if as_json:
        print_json(game)
    elif game.gain is None and game.state == "over":
        say(console(stderr=True), why_of(game), "yellow")
    elif game.gain is None:
        if not game.reached:
            say(console(stderr=True), why_of(game), "yellow")
        say(console(), f"It goes on: perun play {game.id[:14]}")
    else:
        gain = int(game.gain)
        words = "You have won" if gain > 0 else "You have lost"
        moved = amounts.show(game.asset, str(abs(gain)))
        say(console(), f"{words} {moved}" if gain else "A draw: nothing moves", "bold")
        if _in_turns(game):
            say(console(), f"Once more, sides swapped: perun rematch {game.id[:14]}")
    if game.gain is None:
        sys.exit(NOT_DONE if game.state == "over" else UNDER_WAY)


class _Talk:
    """A player at this terminal."""

    def __init__(self, node: Node, *, quiet: bool = False) -> None:
        self._node, self._quiet = node, quiet
        self._board = self._why = self._draw = ""

    def show(self, game: Game) -> None:
        """The board and what it waits for, where they have changed."""
        if self._quiet:
            return
        if game.board != self._board:
            for line in ("", *game.board.splitlines()):
                say(console(), line)
        if game.why and game.why != self._why and game.reached:
            say(console(), why_of(game))
        if game.draw == "you" and self._draw != "you":
            when = "by your next move" if game.turn == "you" else "until they move"
            say(console(), f"You offer a draw, {when}.")
        self._board, self._why, self._draw = game.board, game.why, game.draw

    def move(self, game: Game) -> bool:
        """Asks for a move, and makes it; False: nobody is there any more."""
        ask = f"Your move ({game.how}; draw or resign)"
        if game.draw == "them":
            ask = f"They offer a draw: accept it, or your move ({game.how}; or resign)"
        try:
            typed = click.prompt(ask, prompt_suffix=": ", err=self._quiet).strip()
            self._do(game, typed)
        except click.Abort:
            return False
        except CallRefused as error:
            say(console(stderr=True), str(error), "red")
        return True

    def _do(self, game: Game, typed: str) -> None:
        (now,) = self._node.games(game.id)
        offered = now.draw == "them"
        if offered and game.draw != "them" and typed not in ("accept", "draw", "resign"):
            # It has come since we asked, and would lapse unseen.
            say(console(stderr=True), "They have just offered a draw; nothing is moved yet.")
        elif typed == "resign":
            self._node.resign(game.id)
        elif typed == "accept" and not offered:
            say(console(stderr=True), "They offer no draw: type draw to offer one.", "red")
        elif typed in ("accept", "draw"):
            self._node.draw(game.id)
        else:
            self._node.move(game.id, typed)


def _to_the_end(node: Node, game: Game, player: _Talk | None) -> Game | None:
    """The game when it is decided, when nobody types any more, or when nobody could be invited;
    None: it did not begin."""
    since, patience = node.status().event, time.monotonic() + TO_REACH
    while True:
        try:
            (game,) = node.games(game.id)
        except CallRefused as error:
            if error.name != "NoSuch":
                raise
            return None if game.state in ("invited", "opening") else game
        if game.state == "over" and game.gain is None:
            return game
        if player is not None:
            player.show(game)
        if game.gain is not None or (not game.reached and time.monotonic() > patience):
            return game
        if player is not None and game.turn == "you" and not _waits(game):
            if not player.move(game):
                return game
            continue
        since = next_event(node, since)


def _waits(game: Game) -> bool:
    """Whether our move is made already, or cannot be made yet."""
    return game.state == "playing" and bool(game.why)
