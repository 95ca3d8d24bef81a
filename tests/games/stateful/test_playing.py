"""Two honest players, between two and over a hub, while letters are lost, doubled and reordered,
nodes lose power, somebody shows the chain an old position, and channels are left in the middle."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import pytest

from perun.core.effects import Sign, SubmitEvidence
from perun.core.faults import PeerNotAllowed
from perun.core.game_view import GameView, Ply
from perun.core.inputs import (
    Command,
    CommandDispute,
)
from perun.core.nanocontracts.plays import (
    CommandClock,
    CommandDraw,
    CommandMove,
    CommandResign,
    signed_position,
    standing,
)
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.state import InstanceView, LegStatus
from perun.encoding.turn_game import (
    position_evidence,
)
from perun.errors import Misuse
from perun.testing.ledger import DEPLOYMENT
from perun.testing.network import Letter
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, consent, hub_policy, invite_to_game, open_channel
from perun.types import ChannelId, Game, GameRecord, Move, Position, Signature

STAKES = (70, 60)
STEPS = 90


class Table:
    """A game under way, and all that its players have ever signed in it."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.world = World()
        self.players = [self.world.party(name, OPEN_HANDED) for name in ("alice", "bob")]
        self.cast = list(self.players)
        self.virtual = seed % 2 == 1
        if self.virtual:
            self.cast.append(self.world.party("ingrid", hub_policy()))
        self.world.advance()
        self.channels = self._open()
        self.positions: dict[tuple[str, int], set[Position]] = defaultdict(set)
        self.moves: dict[tuple[str, int, bytes], set[Move]] = defaultdict(set)
        self.agreed: list[Ply] = []
        self.last: dict[str, InstanceView] = {}
        for player in self.players:
            self._watch(player)
        end = self.players[1] if self.virtual else None
        setup = self.rng.randrange(2)
        invite_to_game(self.world, self.players[0], self.channels[0], *STAKES, end, 3_000, setup)
        self.world.settle()
        consent(self.players[1])
        self.world.settle()

    def _open(self) -> list[ChannelId]:
        alice, bob = self.players
        if not self.virtual:
            return [open_channel(self.world, alice, bob, 1_000, 1_000)] * 2
        return [open_channel(self.world, one, self.cast[2], 1_000, 1_000) for one in (alice, bob)]

    def _watch(self, player: Party) -> None:
        signs = player.signer.sign

        def sign(wish: Sign) -> tuple[Signature, ...] | None:
            for item in wish.items:
                if isinstance(item.message, Position):
                    self.positions[player.name, item.message.version].add(item.message)
                elif isinstance(item.message, Move):
                    at = (player.name, item.message.version, item.message.position)
                    self.moves[at].add(item.message)
            return signs(wish)

        player.signer.sign = sign  # type: ignore[method-assign]

    # ----------------------------------------------------------------------------------- reading

    def instance(self, player: Party) -> InstanceView:
        """As it is, or was when the node forgot it."""
        for found in player.node.books.instances.values():
            self.last[player.name] = found
        return self.last[player.name]

    def game(self, player: Party) -> GameView:
        return self.instance(player).game or GameView()

    @property
    def terms(self) -> Game:
        terms = self.instance(self.players[0]).terms
        assert isinstance(terms, Game)
        return terms

    # ------------------------------------------------------------------------------------ doings

    def storm(self) -> None:
        """Everything that may happen, some of it often."""
        rng = self.rng
        for _ in range(STEPS):
            often = {
                self._move: 60,
                self._weather: 12,
                self._block: 16,
                self._restart: 6,
                self._draw: 6,
                self._old: 1,
                self._rare: 1,
            }
            happens = rng.choices([*often], [*often.values()])[0]
            happens()
            self.world.settle()
            for player in self.players:
                agreed = self.game(player).agreed
                if agreed is not None and agreed not in self.agreed:
                    self.agreed.append(agreed)
            self._newest_counts()

    def _do(self, player: Party, command: Command) -> None:
        try:
            player.do(command)
        except Misuse:
            return

    def _move(self) -> None:
        player = self.rng.choice(self.players)
        self._do(player, CommandMove(self.instance(player).id, bytes([self.rng.randrange(9)])))

    def _draw(self) -> None:
        """Somebody offers one; what is offered is taken now and then."""
        player = self.rng.choice(self.players)
        if standing(self.game(player)) is None or self.rng.random() < 0.3:
            self._do(player, CommandDraw(self.instance(player).id))

    def _rare(self) -> None:
        player = self.rng.choice(self.players)
        place = self.channels[self.players.index(player)]
        id = self.instance(player).id
        self._do(
            player,
            self.rng.choice((CommandResign(id), CommandClock(id), CommandDispute(place))),
        )

    def _weather(self) -> None:
        lost, doubled = self.rng.choice(((0.0, 0.0), (0.3, 0.3), (0.0, 0.5), (1.0, 0.0)))

        def rule(letter: Letter) -> tuple[Letter, ...]:
            if self.rng.random() < lost:
                return ()
            return (letter, letter) if self.rng.random() < doubled else (letter,)

        self.world.network.rule = rule if lost or doubled else None

    def _block(self) -> None:
        self.world.advance(self.rng.choice((12, 24, 48)))

    def _restart(self) -> None:
        self.rng.choice(self.cast).restart()

    def _old(self) -> None:
        """Anybody brings a position that both have signed, whichever he has kept."""
        if not self.agreed:
            return
        ply, id = self.rng.choice(self.agreed), self.instance(self.players[0]).id
        evidence = position_evidence(self.terms, signed_position(id, ply), ply.alice, ply.bob)
        submission = SubmitEvidence(TURN_GAME.app(DEPLOYMENT), id, evidence)
        self.world.ledger.apply(submission, self.cast[-1].account.address)

    def end(self) -> None:
        """Whoever still has it in a channel leaves that; all clocks run out."""
        self.world.network.rule = None
        for _ in range(4):
            self.world.advance(24)
            self.world.settle()
            self.instance(self.players[0])
        self.world.network.rule = lambda _letter: ()
        for player, place in zip(self.players, self.channels, strict=True):
            self._do(player, CommandDispute(place))
        while self.world.ledger.time <= TURN_GAME.end_time(self.terms) + 1_500:
            self.world.advance(24)
            self._newest_counts()
            self.instance(self.players[0])

    # ------------------------------------------------------------------------------------- claims

    def check(self) -> None:
        for (name, version), signed in self.positions.items():
            assert len(signed) == 1, f"{name} has signed two positions under {version}"
        for at, moves in self.moves.items():
            assert len(moves) == 1, f"two moves on chain from one position: {at}"
        for party in self.cast:
            allowed = (Misuse, PeerNotAllowed)
            strange = [error for _, error in party.faults if not isinstance(error, allowed)]
            assert strange == []
        paid = [self.world.ledger.paid[party.account.address] for party in self.cast]
        shift = 1_000 - paid[0]
        assert -STAKES[1] <= shift <= STAKES[0]
        assert paid[1] == 1_000 + shift
        if self.virtual:
            assert paid[2] == 2_000, "a hub neither wins nor loses by a game"
        self._decided(shift)

    def _newest_counts(self) -> None:
        """Whatever old position somebody brings: the newest stands when the clocks begin."""
        on = self.world.ledger.instances.get(self.instance(self.players[0]).id)
        if not isinstance(on, GameRecord) or on.live or self.world.ledger.time <= on.start:
            return
        if all(self.instance(one).legs[0].status is LegStatus.REMOVED for one in self.players):
            return  # no channel asks for it any more
        for player, loss in zip(self.players, (STAKES[0], -STAKES[1]), strict=True):
            agreed = self.game(player).agreed
            if agreed is None or (agreed.turn == 0 and agreed.shift == loss):
                continue  # nothing is worse for it; the other side moves on chain, and wins there
            assert on.version >= agreed.version, "an old position stands"

    def _decided(self, shift: int) -> None:
        """What both have signed as the end, or the chain has recorded, is what was paid."""
        id = self.instance(self.players[0]).id
        on = self.world.ledger.instances.get(id)
        removed = self.instance(self.players[0]).legs[0]
        if removed.status is LegStatus.REMOVED:
            assert shift == removed.removed_shift
        elif isinstance(on, GameRecord):
            found = TURN_GAME.outcome(self.terms, on, self.world.ledger.time) or 0
            assert shift == max(-STAKES[1], min(STAKES[0], found))
        else:
            assert shift == 0
        finals = [ply for ply in self.agreed if ply.turn == 0]
        newest = max(self.agreed, key=lambda ply: ply.version, default=None)
        if finals and newest == finals[-1] and not (isinstance(on, GameRecord) and on.live):
            assert shift == newest.shift


@pytest.mark.parametrize("seed", range(16))
def test_storm_over_a_game_moves_what_was_signed_or_forfeited(seed: int) -> None:
    table = Table(seed)
    table.storm()
    table.end()
    table.check()
