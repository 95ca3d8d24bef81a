"""Games on the bytecode: followed, ours submitted, and lost logs told by storage."""

from __future__ import annotations

import pytest

from perun.bindings import turn_game
from perun.bindings.artifacts import artifact
from perun.core.effects import Submit, SubmitEvidence, Watch
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.signing import digest
from perun.crypto import SecretKey, keccak
from perun.crypto.signatures import sign
from perun.encoding import move_evidence, position_evidence
from perun.types import (
    Address,
    Game,
    GameId,
    GameRecord,
    Move,
    Position,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)
from tests.node.chain.conftest import ALICE, BOB, INGRID, Party, World
from tests.node.chain.test_danger_first import hides, round_of, watching

EMPTY = bytes(4)
CHALLENGE, BANK = Seconds(600), Seconds(900)


@pytest.fixture
def app(world: World) -> Address:
    return TURN_GAME.app(world.deployment)


def new_game(world: World) -> tuple[Game, GameId]:
    rules = world.chain.evm.deploy(artifact("TicTacToe").creation)
    game = Game(
        *(ALICE.address, BOB.address, Wei(50), Wei(40), rules),
        *(keccak(artifact("TicTacToe").runtime), bytes(32), world.later(7_200)),
        *(CHALLENGE, BANK, Seconds(BANK + 1), Salt(bytes(32))),
    )
    return game, GameId(TURN_GAME.id(world.deployment, game))


def signed(
    world: World, id: GameId, version: int, position: bytes, turn: int = 1
) -> tuple[Position, Signature, Signature]:
    said = Position(id, Version(version), turn, Wei(0), keccak(position))
    hashed = digest(world.deployment, said)
    return said, sign(hashed, ALICE), sign(hashed, BOB)


def moved(
    world: World, id: GameId, version: int, position: bytes, move: bytes, key: SecretKey
) -> Signature:
    said = Move(id, Version(version), keccak(position), keccak(move))
    return sign(digest(world.deployment, said), key)


def head(party: Party, id: GameId) -> GameRecord | None:
    """What the newest round brought of it."""
    seen = party.seen_instance(id)
    assert seen is not None
    assert seen.head is None or isinstance(seen.head, GameRecord)
    return seen.head


def test_position_and_moves_are_followed_to_the_end(world: World, app: Address) -> None:
    game, id = new_game(world)
    party = world.party()
    party.port.watch(Watch(app=app, instance=id))
    party.poll()
    assert head(party, id) is None

    world.act(INGRID, turn_game.submit_position(app, game, *signed(world, id, 4, EMPTY)))
    start = UnixTime(world.chain.now + CHALLENGE)
    party.poll()
    assert head(party, id) == GameRecord(Version(4), 1, Wei(0), False, start, *[Seconds(0)] * 2)

    world.chain.mine(at=start + 5)
    resigns = b"\xff"
    signature = moved(world, id, 4, EMPTY, resigns, ALICE)
    world.act(INGRID, turn_game.submit_move(app, game, EMPTY, resigns, signature))
    party.poll()
    last = head(party, id)
    assert last is not None
    assert (last.version, last.turn, last.shift, last.live) == (5, 0, 50, True)
    assert last.board == EMPTY
    assert TURN_GAME.outcome(game, last, world.chain.now) == 50


def test_our_position_and_our_move_are_brought_to_the_chain(world: World, app: Address) -> None:
    game, id = new_game(world)
    party = world.party()
    party.port.watch(Watch(app=app, instance=id))
    party.poll()
    evidence = position_evidence(game, *signed(world, id, 4, EMPTY))
    party.port.submit(Submit(b"e1" + id, SubmitEvidence(app, id, evidence), game.validity))
    party.poll()
    world.chain.mine()
    start = UnixTime(world.chain.now + CHALLENGE)
    party.poll()
    world.chain.mine(at=start + 5)
    party.poll()
    signature = moved(world, id, 4, EMPTY, b"\0", ALICE)
    evidence = move_evidence(game, EMPTY, b"\0", signature)
    due = UnixTime(start + BANK)
    party.port.submit(Submit(b"e2" + id, SubmitEvidence(app, id, evidence), due))
    party.poll()
    world.chain.mine()
    party.poll()
    found = head(party, id)
    assert found is not None
    assert (found.version, found.turn, found.board) == (5, 2, bytes([0, 1, 0, 0]))
    used = world.chain.now - start
    assert (found.alice_left, found.bob_left) == (BANK - used, BANK + 1)
    stored = party.endpoint.ask(turn_game.record(app, id), world.chain.head.number)
    assert turn_game.GameReader().differs(found, stored) == ""


def test_position_whose_log_is_kept_back_is_told_by_storage(world: World, app: Address) -> None:
    """An old position runs a clock: who holds a newer one must hear of it."""
    game, id = new_game(world)
    party = watching(world)
    party.port.watch(Watch(app=app, instance=id))
    party.poll()
    hides(party, lambda log: log.address == app)
    world.act(INGRID, turn_game.submit_position(app, game, *signed(world, id, 4, EMPTY)))
    start = UnixTime(world.chain.now + CHALLENGE)
    for _ in range(5):
        round_of(party)
        if party.seen_instance(id) is not None:
            break
        world.chain.mine()
    found = head(party, id)
    assert found is not None
    assert (found.version, found.turn, found.live, found.start) == (4, 1, False, start)
