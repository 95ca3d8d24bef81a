"""The coin flip, two hands, and a game in turns by the rules of tic-tac-toe."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene
from perun import encoding
from perun.core.nanocontracts.rock_paper_scissors import with_hand
from perun.crypto import keccak
from perun.crypto.signatures import sign
from perun.encoding import TurnGameDomain
from perun.games import VIEWS
from perun.referee import Referee
from perun.referee.here import run
from perun.types import (
    Flip,
    Game,
    Hands,
    Move,
    Position,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)

FLIP, HANDS, GAME = "CoinFlip", "RockPaperScissors", "TurnGame"
EMPTY = bytes(4)
ALICE, BOB = 1, 2
DAY, HOUR = 86_400, 3_600


@row("flip", FLIP, "reveal", "An even coin for 0.5 each.")
def flip(scene: Scene) -> None:
    bench = scene.bench
    bench.deploy("CoinFlip")

    def new() -> tuple[Flip, bytes, bytes]:
        secrets = scene.draw(), scene.draw()
        commits = [encoding.flip_commit(bob, secrets[bob]) for bob in (False, True)]
        half, until = Wei(ETHER // 2), UnixTime(bench.now + DAY)
        terms = Flip(half, half, *commits, 2**15, until, Seconds(HOUR), Salt(scene.draw()))
        return terms, *secrets

    terms, by_alice, by_bob = new()
    first = bench.call("CoinFlip", "reveal", terms, False, by_alice)
    scene.measure("first", first, bench.alice)
    scene.measure("the same again, changes nothing", first, bench.alice)
    scene.measure("second", bench.call("CoinFlip", "reveal", terms, True, by_bob), bench.bob)
    terms, by_alice, _ = new()
    evidence = encoding.flip_evidence(terms, False, by_alice)
    scene.measure("submit, first", bench.call("CoinFlip", "submit", evidence), bench.bob)
    domain = encoding.coin_flip_domain(bench.chain_id, bench.addresses["CoinFlip"])
    asked = bench.call("CoinFlip", "outcome", encoding.flip_id(domain, terms))
    scene.measure("outcome, as a transaction", asked, bench.bob)


@row("hands", HANDS, "reveal", "Rock, paper, scissors for 0.5 each.")
def hands(scene: Scene) -> None:
    bench = scene.bench
    bench.deploy(HANDS)

    def new() -> tuple[Hands, bytes, bytes]:
        secrets = with_hand(scene.draw(), 0), with_hand(scene.draw(), 1)
        commits = [encoding.flip_commit(bob, secrets[bob]) for bob in (False, True)]
        half, until = Wei(ETHER // 2), UnixTime(bench.now + DAY)
        terms = Hands(half, half, *commits, until, Seconds(HOUR), Salt(scene.draw()))
        return terms, *secrets

    terms, by_alice, by_bob = new()
    first = bench.call(HANDS, "reveal", terms, False, by_alice)
    scene.measure("first", first, bench.alice)
    scene.measure("the same again, changes nothing", first, bench.alice)
    scene.measure("second", bench.call(HANDS, "reveal", terms, True, by_bob), bench.bob)
    terms, by_alice, _ = new()
    evidence = encoding.hands_evidence(terms, False, by_alice)
    scene.measure("submit, first", bench.call(HANDS, "submit", evidence), bench.bob)
    domain = encoding.rock_paper_scissors_domain(bench.chain_id, bench.addresses[HANDS])
    asked = bench.call(HANDS, "outcome", encoding.hands_id(domain, terms))
    scene.measure("outcome, as a transaction", asked, bench.bob)


@dataclass(frozen=True, slots=True)
class Table:
    """A game of the bench's Alice and Bob."""

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
        bench = self.scene.bench
        return position, [sign(digest, party.key) for party in (bench.alice, bench.bob)]

    def submit(self, label: str, version: int, turn: int, content: bytes = EMPTY) -> None:
        position, signatures = self.signed(version, turn, content)
        words = (position.version, position.turn, position.shift, position.position)
        bench = self.scene.bench
        call = bench.call(GAME, "submitPosition", self.game, words, *signatures)
        self.scene.measure(label, call, bench.alice)

    def move(self, label: str, version: int, turn: int, content: bytes, move: bytes) -> None:
        bench = self.scene.bench
        party = bench.alice if turn == ALICE else bench.bob
        id = encoding.game_id(self.domain, self.game)
        signed = Move(id, Version(version), keccak(content), keccak(move))
        signature = sign(encoding.move_digest(self.domain, signed), party.key)
        call = bench.call(GAME, "submitMove", self.game, content, move, signature)
        self.scene.measure(label, call, party)


def new_table(scene: Scene, rules: str = "TicTacToe") -> Table:
    """For 0.5 each, valid for a day, an hour's challenge, banks of an hour."""
    bench = scene.bench
    for name in (GAME, rules):
        bench.deploy(name)
    half, hour = Wei(ETHER // 2), Seconds(HOUR)
    game = Game(
        bench.alice.key.address,
        bench.bob.key.address,
        half,
        half,
        bench.addresses[rules],
        keccak(bench.runtime_code(rules)),
        bytes(32),
        UnixTime(bench.now + DAY),
        hour,
        hour,
        hour,
        Salt(scene.draw()),
    )
    domain = encoding.turn_game_domain(bench.chain_id, bench.addresses[GAME])
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
    bench, other = scene.bench, new_table(scene)
    content, signatures = other.signed(2, ALICE)
    evidence = encoding.position_evidence(other.game, content, *signatures)
    scene.measure("submit, first", bench.call(GAME, "submit", evidence), bench.bob)


@row("move", GAME, "submitMove", "Tic-tac-toe; the rules' gas is in it.")
def move(scene: Scene) -> None:
    table = new_table(scene)
    bench = scene.bench
    position, signatures = table.signed(4, ALICE, board(0b011, 0b011000))
    words = (position.version, position.turn, position.shift, position.position)
    bench.call(GAME, "submitPosition", table.game, words, *signatures)(bench.alice)
    bench.later(HOUR)
    table.move("first on chain", 4, ALICE, board(0b011, 0b011000), bytes([7]))
    table.move("second", 5, BOB, board(0b10000011, 0b011000), bytes([6]))
    table.move("that wins", 6, ALICE, board(0b10000011, 0b1011000), bytes([2]))
    asked = bench.call(GAME, "outcome", encoding.game_id(table.domain, table.game))
    scene.measure("outcome, as a transaction", asked, bench.bob)


@row("moves", GAME, "submitMove", "The same by other rules, from the beginning.")
def moves(scene: Scene) -> None:
    for name, typed in (("Nim", "4-3"), ("FourInARow", "4"), ("Chess", "e2e4")):
        table = new_table(scene, name)
        bench = scene.bench
        content = Referee(bench.runtime_code(name), run).start(bytes(32)).position
        position, signatures = table.signed(0, ALICE, content)
        words = (position.version, position.turn, position.shift, position.position)
        bench.call(GAME, "submitPosition", table.game, words, *signatures)(bench.alice)
        bench.later(HOUR)
        table.move(name, 0, ALICE, content, VIEWS[name].read(typed))
