"""Games and flips as the interface shows them: invitations, boards, and what came of them."""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from perun.app import locked
from perun.app import values as v
from perun.app.methods import GetGames
from perun.app.settings import KnownGame
from perun.app.texts import hexed, show_account, show_node
from perun.app.work import Work
from perun.core.nanocontracts import plays
from perun.core.nanocontracts.instances import last_time, locks
from perun.core.state import InstanceView, Invitation, Role
from perun.games import Grid, View, view_of
from perun.types import Flip, Game, GameRecord, Hands, Terms, Wei

__all__ = [
    "board_of",
    "games",
    "instance_of",
    "rules",
    "show",
    "show_invitation",
    "title",
]

_PLAYED: Final = (Game, Flip, Hands)
_INVITES: Final = ("play", "flip", "throw")
"""Methods that invite to these."""
_SECRET: Final[dict[type, str]] = {Flip: "flip", Hands: "throw"}
"""What has no board: two secrets decide."""


def games(work: Work, params: GetGames) -> tuple[v.Game, ...]:
    """Invitations, what is played, and what has ended lately; the newest last."""
    found = [show_invitation(work, one) for one in locked.invitations(work, _PLAYED)]
    found += [show(work, one) for one in locked.instances(work, _PLAYED)]
    found += locked.refused(work, v.Game, _INVITES, found)
    return locked.chosen(found, params.id, "game")


def instance_of(work: Work, text: str) -> InstanceView:
    """A game by what it is known by, or its instance's id. Raises `NoSuch`."""
    return locked.instance_of(work, _PLAYED, text, "game")


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


def show_invitation(work: Work, held: Invitation) -> v.Game:
    """One that nobody has agreed to yet: by us, or by whoever was asked."""
    role = Role.BOB if held.theirs else Role.ALICE
    state: _State = "asked" if held.theirs else "invited"
    why = locked.why_invited(work, held)
    asset = work.books.channels[held.channel].channel.asset
    there = locked.reached(work, held)
    game = _game(work, held.id, None, held.terms, role, held.end, asset, state, why)
    return replace(game, reached=there)


def show(work: Work, instance: InstanceView) -> v.Game:
    """One that both have agreed to."""
    assert instance.role is not None
    state, shift, why = _state(work, instance)
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    known = instance.invitation or instance.id
    return _game(
        *(work, known, instance, instance.terms, instance.role, instance.end, asset),
        *(state, why, shift),
    )


_State = Literal["invited", "asked", "opening", "playing", "onChain", "finished", "over"]


def _state(work: Work, instance: InstanceView) -> tuple[_State, Wei | None, str]:
    """How far it is, what moves from its Alice to its Bob if that is known, and why it waits."""
    far, shift = locked.how_far(work, instance)
    if far == "over":
        return far, shift, ""
    if far == "ruled":
        return "finished", shift, "the chain has decided it, and pays once that is final"
    if far == "opening":
        return far, None, "the stakes are being locked"
    if far == "onChain":
        return far, shift, _on_chain(work, instance)
    if far == "known":
        return "finished", shift, "the stakes are being paid"
    game = instance.game
    if isinstance(instance.terms, Game) and (game is None or game.agreed is None):
        return "opening", None, f"{work.name(instance.end)} has not begun yet"
    if game is not None and (game.own is not None or plays.chosen(game) is not None):
        return "playing", None, f"{work.name(instance.end)} has not answered your move yet"
    return "playing", None, ""


def _on_chain(work: Work, instance: InstanceView) -> str:
    on, now = instance.head, work.books.chain.head_time
    if not isinstance(on, GameRecord):
        return "secrets are said on chain"
    if not on.live and now <= on.start:
        return f"it is on chain; the clock of the side to move runs from {on.start}"
    return "it is played on chain: each has the time of its bank"


def _game(
    work: Work,
    known: bytes,
    instance: InstanceView | None,
    terms: Terms,
    role: Role,
    end: bytes,
    asset: bytes,
    state: _State,
    why: str,
    shift: Wei | None = None,
) -> v.Game:
    own, theirs = locks(terms)[role], locks(terms)[role.other]
    view, at = board_of(work, terms), None if instance is None else plays.base(instance)
    turn = "nobody" if at is None or not at.turn or shift is not None else "them"
    if turn == "them" and at is not None and at.turn == role + 1:
        turn = "you"
    contact = work.shelf.names.get(end)
    return v.Game(
        id=hexed(known),
        instance=None if instance is None else hexed(instance.id),
        game=_SECRET.get(type(terms), view.name),
        title=title(work, terms),
        peer=show_node(end),
        name="" if contact is None else contact.name,
        asset=show_account(asset),
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
        until=_until(instance, terms),
        gain=None if shift is None else str(_gain(terms, role, shift)),
    )


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
