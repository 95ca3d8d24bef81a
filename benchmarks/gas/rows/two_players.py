"""The coin flip, and a game in turns by the rules of tic-tac-toe."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene
from benchmarks.gas.world import ETHER
from perun import encoding
from perun.crypto import keccak
from perun.crypto.signatures import sign
from perun.encoding import TurnGameDomain
from perun.types import (
    Flip,
    Game,
    Move,
    Position,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)

FLIP, GAME = "CoinFlip", "TurnGame"
EMPTY = bytes(4)
ALICE, BOB = 1, 2
DAY, HOUR = 86_400, 3_600


@row("flip", FLIP, "reveal", "An even coin for 0.5 each.")
def flip(scene: Scene) -> None:
    world = scene.world
    world.deploy("CoinFlip")

    def new() -> tuple[Flip, bytes, bytes]:
        secrets = scene.draw(), scene.draw()
        commits = [encoding.flip_commit(bob, secrets[bob]) for bob in (False, True)]
        half, until = Wei(ETHER // 2), UnixTime(world.now + DAY)
        terms = Flip(half, half, *commits, 2**15, until, Seconds(HOUR), Salt(scene.draw()))
        return terms, *secrets

    terms, by_alice, by_bob = new()
    first = world.call("CoinFlip", "reveal", terms, False, by_alice)
    scene.measure("first", first, world.alice)
    scene.measure("the same again, changes nothing", first, world.alice)
    scene.measure("second", world.call("CoinFlip", "reveal", terms, True, by_bob), world.bob)
    terms, by_alice, _ = new()
    evidence = encoding.flip_evidence(terms, False, by_alice)
    scene.measure("submit, first", world.call("CoinFlip", "submit", evidence), world.bob)
    domain = encoding.coin_flip_domain(world.chain_id, world.addresses["CoinFlip"])
    asked = world.call("CoinFlip", "outcome", encoding.flip_id(domain, terms))
    scene.measure("outcome, as a transaction", asked, world.bob)


@dataclass(frozen=True, slots=True)
class Table:
    """A game of the world's Alice and Bob."""

    scene: Scene
    domain: TurnGameDomain
    game: Game

    def signed(
        self, version: int, turn: int, content: bytes = EMPTY
    ) -> tuple[Position, list[Signature]]:
        """A position with both signatures."""
        id = encoding.game_id(self.domain, self.game)
        position = Position(id, Version(version), turn, Wei(0), keccak(content))
        digest = encoding.position_digest(self.domain, position)
        world = self.scene.world
        return position, [sign(digest, party.key) for party in (world.alice, world.bob)]

    def submit(self, label: str, version: int, turn: int, content: bytes = EMPTY) -> None:
        position, signatures = self.signed(version, turn, content)
        words = (position.version, position.turn, position.shift, position.position)
        world = self.scene.world
        call = world.call(GAME, "submitPosition", self.game, words, *signatures)
        self.scene.measure(label, call, world.alice)

    def move(self, label: str, version: int, turn: int, content: bytes, cell: int) -> None:
        world = self.scene.world
        party = world.alice if turn == ALICE else world.bob
        move = bytes([cell])
        id = encoding.game_id(self.domain, self.game)
        signed = Move(id, Version(version), keccak(content), keccak(move))
        signature = sign(encoding.move_digest(self.domain, signed), party.key)
        call = world.call(GAME, "submitMove", self.game, content, move, signature)
        self.scene.measure(label, call, party)


def new_table(scene: Scene) -> Table:
    """For 0.5 each, valid for a day, an hour's challenge, banks of an hour."""
    world = scene.world
    for name in (GAME, "TicTacToe"):
        world.deploy(name)
    half, hour = Wei(ETHER // 2), Seconds(HOUR)
    game = Game(
        world.alice.key.address,
        world.bob.key.address,
        half,
        half,
        world.addresses["TicTacToe"],
        keccak(world.runtime_code("TicTacToe")),
        bytes(32),
        UnixTime(world.now + DAY),
        hour,
        hour,
        hour,
        Salt(scene.draw()),
    )
    domain = encoding.turn_game_domain(world.chain_id, world.addresses[GAME])
    return Table(scene, domain, game)


def board(alice: int, bob: int) -> bytes:
    """A position of tic-tac-toe: a bit for each cell."""
    return alice.to_bytes(2, "big") + bob.to_bytes(2, "big")


@row("position", GAME, "submitPosition", "Two signatures over the hash of a position.")
def position(scene: Scene) -> None:
    table = new_table(scene)
    table.submit("first", 2, ALICE)
    table.submit("newer", 4, ALICE, board(1, 2))
    table.submit("old, changes nothing", 3, BOB)
    world, other = scene.world, new_table(scene)
    content, signatures = other.signed(2, ALICE)
    evidence = encoding.position_evidence(other.game, content, *signatures)
    scene.measure("submit, first", world.call(GAME, "submit", evidence), world.bob)


@row("move", GAME, "submitMove", "Tic-tac-toe; the rules' gas is in it.")
def move(scene: Scene) -> None:
    table = new_table(scene)
    world = scene.world
    position, signatures = table.signed(4, ALICE, board(0b011, 0b011000))
    words = (position.version, position.turn, position.shift, position.position)
    world.call(GAME, "submitPosition", table.game, words, *signatures)(world.alice)
    world.later(HOUR)
    table.move("first on chain", 4, ALICE, board(0b011, 0b011000), 7)
    table.move("second", 5, BOB, board(0b10000011, 0b011000), 6)
    table.move("that wins", 6, ALICE, board(0b10000011, 0b1011000), 2)
    asked = world.call(GAME, "outcome", encoding.game_id(table.domain, table.game))
    scene.measure("outcome, as a transaction", asked, world.bob)
