"""Games between ends behind different hubs: whoever stops or cheats, nobody loses more."""

from __future__ import annotations

from contextlib import suppress

import pytest

from perun.core.nanocontracts.plays import CommandMove
from perun.core.nanocontracts.turn_game import CommandGame
from perun.core.state import InstanceView
from perun.errors import Misuse
from perun.testing.parties import Party
from perun.testing.rules import TIC_TAC_TOE
from perun.testing.stories import consent
from perun.types import Game, Gated, Seconds, UnixTime, Wei

from .test_paths import LIFE, Row, lives_with_a_loss, lives_with_a_stop, new_row

ALICES, BOBS = Wei(70), Wei(60)
ALICE_WINS = (0, 3, 1, 4, 2)
BOB_WINS = (0, 3, 1, 4, 8, 5)
BANK = 600


def invitation(row: Row) -> CommandGame:
    until = UnixTime(row.world.ledger.time + LIFE)
    route = tuple(hub.peer for hub in row.hubs[1:])
    return CommandGame(
        *(row.channels[0], TIC_TAC_TOE, bytes(32), ALICES, BOBS, until, Seconds(600)),
        *(Seconds(BANK), Seconds(BANK), row.alice.random(), row.bob.peer, route),
    )


def begin(row: Row) -> None:
    """As far as what goes wrong lets it."""
    row.alice.do(invitation(row))
    row.world.settle()
    if any(one.theirs for one in row.bob.node.books.invitations.values()):
        consent(row.bob)
        row.world.settle()


def game(party: Party) -> InstanceView | None:
    """What it plays."""
    games = [one for one in party.node.books.instances.values() if isinstance(one.terms, Game)]
    return games[0] if games else None


def path(party: Party) -> InstanceView:
    (found,) = [one for one in party.node.books.instances.values() if isinstance(one.terms, Gated)]
    return found


def play(row: Row, cells: tuple[int, ...]) -> None:
    """Both users make their moves, in order, as far as that goes; on chain, too."""
    for index in range(len(cells)):
        player = (row.alice, row.bob)[index % 2]
        found = game(player)
        for cell in cells[index % 2 :: 2]:
            if found is None:
                break
            with suppress(Misuse):
                player.do(CommandMove(found.id, bytes([cell])))
                break
        row.world.settle()


def said_wrong(row: Row) -> list[object]:
    """What somebody heard that no rule allows."""
    return [
        fault
        for party in row.parties
        for input, fault in party.faults
        if not isinstance(input, CommandMove)
    ]


@pytest.fixture(params=(2, 3))
def row(request: pytest.FixtureRequest) -> Row:
    return new_row(request.param)


def test_a_game_crosses_several_hubs_and_each_is_where_it_was(row: Row) -> None:
    begin(row)
    assert row.listed() == [1] * len(row.channels)
    play(row, ALICE_WINS)
    assert row.listed() == [0] * len(row.channels)
    assert row.gains() == [BOBS, *(0 for _ in row.hubs), -BOBS]
    assert all(not hub.node.books.hub_instances for hub in row.hubs)
    assert not said_wrong(row)
    assert not row.world.ledger.instances


def test_the_other_way_round(row: Row) -> None:
    begin(row)
    play(row, BOB_WINS)
    assert row.gains() == [-ALICES, *(0 for _ in row.hubs), ALICES]


# --------------------------------------------------------------------- whatever stops, at any point


def let_time_pass(row: Row) -> None:
    """Half a margin at a time: whoever must submit something has a block to do it in, and both
    users are there."""
    for _ in range(240):
        row.world.advance(30)
        play(row, ALICE_WINS)
        if not any(row.listed()) and not any(hub.node.books.hub_instances for hub in row.hubs):
            return


def live(row: Row) -> dict[str, int | None]:
    """A whole life, as far as what goes wrong lets it; what each end has it in writing that it
    gets."""
    begin(row)
    play(row, ALICE_WINS)
    return {party.name: agreed(party) for party in (row.alice, row.bob)}


def agreed(party: Party) -> int | None:
    """What both have signed that `party` gets; None: it is not finished for it."""
    found = game(party)
    ply = None if found is None or found.game is None else found.game.agreed
    if found is None or ply is None or ply.turn:
        return None
    return -ply.shift if found.role == 0 else ply.shift


def assert_nobody_lost(row: Row, owed: dict[str, int | None], where: str) -> None:
    """Alice wins what both have begun to play: nobody else can, whoever was away meanwhile."""
    gains = row.gains()
    assert row.listed() == [0] * len(row.channels), where
    assert not any(gains[1:-1]), f"{where}: a hub is not where it was, {gains}"
    assert gains[0] == -gains[-1], where
    assert gains[0] in (0, BOBS), f"{where}: {gains}"
    assert gains[0] >= (owed["alice"] or 0), f"{where}: Alice was owed {owed} and has {gains}"


@pytest.mark.parametrize("hubs", [2, 3])
def test_any_one_lost_message_costs_nobody_anything(hubs: int) -> None:
    for row, owed, where in lives_with_a_loss(hubs, live):
        let_time_pass(row)
        assert_nobody_lost(row, owed, where)


@pytest.mark.parametrize("who", range(4))
def test_any_party_may_stop_at_any_message_and_come_back(who: int) -> None:
    for row, owed, where in lives_with_a_stop(2, who, live):
        let_time_pass(row)
        assert_nobody_lost(row, owed, where)
