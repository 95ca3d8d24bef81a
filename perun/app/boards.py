"""Games and flips as the interface shows them: invitations, boards, and what came of them."""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from perun.app import values as v
from perun.app.locked import Locked, Sort
from perun.app.methods import GetGames
from perun.app.settings import KnownGame
from perun.app.texts import hexed, show_account
from perun.app.work import Work
from perun.core.game_view import GameView
from perun.core.nanocontracts import plays
from perun.core.nanocontracts.instances import last_time, locks
from perun.core.state import InstanceView, Role
from perun.games import Grid, View, view_of
from perun.types import Flip, Game, GameRecord, Hands, Terms, Wei

__all__ = [
    "GAMES",
    "board_of",
    "games",
    "rules",
    "title",
]

_SECRET: Final[dict[type, str]] = {Flip: "flip", Hands: "throw"}
"""What has no board: two secrets decide."""


def games(work: Work, params: GetGames) -> tuple[v.Game, ...]:
    """Invitations, what is played, and what has ended lately; the newest last."""
    return GAMES.all(work, params.id)


def rules(work: Work, games: tuple[KnownGame, ...] | None) -> tuple[v.Rules, ...]:
    """What can be played; from now on by these, if some are given."""
    if games is not None:
        work.settings = replace(work.settings, games=games)
    return tuple(_rules(work, one) for one in work.settings.games)


def _rules(work: Work, known: KnownGame) -> v.Rules:
    book = work.books.rules
    code, view = book.code_hash(known.rules), known.view or view_of(known.name)
    moves = 0 if code is None else book.most_moves(code)
    return v.Rules(known.name, view.title, show_account(known.rules), view.how, moves)


def board_of(work: Work, terms: Terms) -> View:
    """How a game by these rules looks."""
    rules = terms.rules if isinstance(terms, Game) else None
    for known in work.settings.games:
        if known.rules == rules:
            return known.view or view_of(known.name)
    return view_of("")


def title(work: Work, terms: Terms) -> str:
    """What people call it."""
    if isinstance(terms, Flip):
        return "a coin flip"
    return "rock, paper, scissors" if isinstance(terms, Hands) else board_of(work, terms).title


_State = Literal["invited", "asked", "opening", "playing", "onChain", "finished", "over"]


def _state(work: Work, one: Locked) -> tuple[_State, str]:
    """How far it is, and why it waits."""
    instance, far = one.view, one.far
    if instance is None or far == "over":
        return far, ""  # type: ignore[return-value]  # invitations are asked or invited
    if far == "ruled":
        return "finished", "the chain has decided it, and pays once that is final"
    if far == "opening":
        return far, "the stakes are being locked"
    if far == "onChain":
        return far, _on_chain(work, instance)
    if far == "known":
        return "finished", "the stakes are being paid"
    game = instance.game
    if isinstance(one.terms, Game) and (game is None or game.agreed is None):
        return "opening", f"{work.name(instance.end)} has not begun yet"
    return "playing", "" if game is None else _unanswered(game, work.name(instance.end))


def _unanswered(game: GameView, name: str) -> str:
    """What our move, or our word for a draw, waits for; an offer of ours waits for nothing."""
    agreed, own, held = game.agreed, game.own, game.held
    if agreed is not None and held is not None and plays.is_draw(agreed, held):
        return "the draw is being signed"
    moved = own is not None and (agreed is None or not plays.is_draw(agreed, own))
    if moved or plays.chosen(game) is not None:
        return f"{name} has not answered your move yet"
    return ""


def _on_chain(work: Work, instance: InstanceView) -> str:
    on, now = instance.head, work.books.chain.head_time
    if not isinstance(on, GameRecord):
        return "secrets are said on chain"
    if not on.live and now <= on.start:
        return f"it is on chain; the clock of the side to move runs from {on.start}"
    return "it is played on chain: each has the time of its bank"


def _game(work: Work, one: Locked) -> v.Game:
    terms, role, shift = one.terms, one.role, one.shift
    own, theirs = locks(terms)[role], locks(terms)[role.other]
    view, at = board_of(work, terms), None if one.view is None else plays.base(one.view)
    turn = "nobody" if at is None or not at.turn or shift is not None else "them"
    if turn == "them" and at is not None and at.turn == role + 1:
        turn = "you"
    state, why = _state(work, one)
    return v.Game(
        id=one.id,
        instance=one.instance,
        game=_SECRET.get(type(terms), view.name),
        title=title(work, terms),
        peer=one.peer,
        name=one.name,
        asset=one.asset,
        state=state,
        why=why,
        amount=str(own),
        peer_amount=str(theirs),
        invited=role is Role.ALICE,
        turn=turn,  # type: ignore[arg-type]
        moves=0 if at is None else at.version,
        position="0x" if at is None else hexed(at.position),
        board="" if at is None else view.draw(at.position),
        grid=None if at is None else _grid(view.grid(at.position), role),
        how=view.how,
        until=_until(one.view, terms),
        gain=None if shift is None else str(_gain(terms, role, shift)),
        began=isinstance(terms, Game) and (terms.setup == view.setup(True)) is (role is Role.ALICE),
        draw=_draw(one.view) if state == "playing" else "nobody",
    )


def _draw(instance: InstanceView | None) -> Literal["you", "them", "nobody"]:
    """Who offers one."""
    game = None if instance is None else instance.game
    if game is None:
        return "nobody"
    return "you" if game.draws else "nobody" if plays.standing(game) is None else "them"


def _grid(grid: Grid | None, role: Role) -> v.Grid | None:
    if grid is None:
        return None
    owner: dict[int, Literal["you", "them"]] = {role + 1: "you", role.other + 1: "them"}
    cells = tuple(
        v.Cell(one.name, one.text, owner.get(one.owner, "nobody"), one.types, one.ends)
        for one in grid.cells
    )
    return v.Grid(grid.columns, cells, grid.clicks, grid.checkered)


def _until(instance: InstanceView | None, terms: Terms) -> int:
    """Last second for what is to be done next: on chain, or before it has to go there."""
    on = None if instance is None else instance.head
    if isinstance(on, GameRecord) and isinstance(terms, Game) and on.turn:
        return plays.time_limit(terms, on)
    return last_time(terms)


def _gain(terms: Terms, role: Role, shift: Wei) -> int:
    alice, bob = locks(terms)
    moved = max(-bob, min(alice, shift))
    return -moved if role is Role.ALICE else moved


GAMES: Final = Sort("game", (Game, Flip, Hands), ("play", "flip", "throw"), v.Game, _game)
