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
from tests.node.chain.conftest import ALICE, BOB, INGRID, Site, Watcher
from tests.node.chain.test_danger_first import found_at_last, hides, watching

EMPTY = bytes(4)
CHALLENGE, BANK = Seconds(600), Seconds(900)


@pytest.fixture
def app(site: Site) -> Address:
    return TURN_GAME.app(site.deployment)


def new_game(site: Site) -> tuple[Game, GameId]:
    rules = site.chain.evm.deploy(artifact("TicTacToe").creation)
    game = Game(
        *(ALICE.address, BOB.address, Wei(50), Wei(40), rules),
        *(keccak(artifact("TicTacToe").runtime), bytes(32), site.later(7_200)),
        *(CHALLENGE, BANK, Seconds(BANK + 1), Salt(bytes(32))),
    )
    return game, GameId(TURN_GAME.id(site.deployment, game))


def signed(
    site: Site, id: GameId, version: int, position: bytes, turn: int = 1
) -> tuple[Position, Signature, Signature]:
    said = Position(id, Version(version), turn, Wei(0), keccak(position))
    hashed = digest(site.deployment, said)
    return said, sign(hashed, ALICE), sign(hashed, BOB)


def moved(
    site: Site, id: GameId, version: int, position: bytes, move: bytes, key: SecretKey
) -> Signature:
    said = Move(id, Version(version), keccak(position), keccak(move))
    return sign(digest(site.deployment, said), key)


def head(watcher: Watcher, id: GameId) -> GameRecord | None:
    """What the newest round brought of it."""
    seen = watcher.seen_instance(id)
    assert seen is not None
    assert seen.head is None or isinstance(seen.head, GameRecord)
    return seen.head


def test_position_and_moves_are_followed_to_the_end(site: Site, app: Address) -> None:
    game, id = new_game(site)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    assert head(watcher, id) is None

    site.act(INGRID, turn_game.submit_position(app, game, *signed(site, id, 4, EMPTY)))
    start = UnixTime(site.chain.now + CHALLENGE)
    watcher.poll()
    assert head(watcher, id) == GameRecord(Version(4), 1, Wei(0), False, start, *[Seconds(0)] * 2)

    site.chain.mine(at=start + 5)
    resigns = b"\xff"
    signature = moved(site, id, 4, EMPTY, resigns, ALICE)
    site.act(INGRID, turn_game.submit_move(app, game, EMPTY, resigns, signature))
    watcher.poll()
    last = head(watcher, id)
    assert last is not None
    assert (last.version, last.turn, last.shift, last.live) == (5, 0, 50, True)
    assert last.board == EMPTY
    assert TURN_GAME.outcome(game, last, site.chain.now) == 50


def test_our_position_and_our_move_are_brought_to_the_chain(site: Site, app: Address) -> None:
    game, id = new_game(site)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    evidence = position_evidence(game, *signed(site, id, 4, EMPTY))
    watcher.port.submit(Submit(b"e1" + id, SubmitEvidence(app, id, evidence), game.validity))
    watcher.poll()
    site.chain.mine()
    start = UnixTime(site.chain.now + CHALLENGE)
    watcher.poll()
    site.chain.mine(at=start + 5)
    watcher.poll()
    signature = moved(site, id, 4, EMPTY, b"\0", ALICE)
    evidence = move_evidence(game, EMPTY, b"\0", signature)
    due = UnixTime(start + BANK)
    watcher.port.submit(Submit(b"e2" + id, SubmitEvidence(app, id, evidence), due))
    watcher.poll()
    site.chain.mine()
    watcher.poll()
    found = head(watcher, id)
    assert found is not None
    assert (found.version, found.turn, found.board) == (5, 2, bytes([0, 1, 0, 0]))
    used = site.chain.now - start
    assert (found.alice_left, found.bob_left) == (BANK - used, BANK + 1)
    stored = watcher.endpoint.ask(turn_game.record(app, id), site.chain.head.number)
    assert turn_game.GameReader().differs(found, stored) == ""


def test_position_whose_log_is_kept_back_is_told_by_storage(site: Site, app: Address) -> None:
    """An old position runs a clock: who holds a newer one must hear of it."""
    game, id = new_game(site)
    watcher = watching(site)
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    hides(watcher, lambda log: log.address == app)
    site.act(INGRID, turn_game.submit_position(app, game, *signed(site, id, 4, EMPTY)))
    start = UnixTime(site.chain.now + CHALLENGE)
    found_at_last(site, watcher, id)
    found = head(watcher, id)
    assert found is not None
    assert (found.version, found.turn, found.live, found.start) == (4, 1, False, start)
