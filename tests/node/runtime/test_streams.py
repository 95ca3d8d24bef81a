"""A stream whose payer has gone, or cheats: a tower without a key, and an exit, show its ticks."""

from __future__ import annotations

from pathlib import Path

import pytest

from perun.bindings import hash_chain
from perun.bindings.hash_chain import StoredStream
from perun.core.nanocontracts.hash_chain import (
    HASH_CHAIN,
    STREAMS,
    CommandStream,
    CommandTick,
    StreamView,
    paid_in,
)
from perun.core.state import InstanceView
from perun.demo.character import Character
from perun.node.export import BadExport, write_export
from perun.types import Salt, Seconds, Stream, Wei
from tests.node.runtime.test_exit import gained, store_of
from tests.node.runtime.test_watchtower import acts_at, rows, tower
from tests.support.scene import ETHER, KEYS, Scene

TICK = Wei(ETHER // 1_000)


@pytest.fixture
def streaming(scene: Scene) -> tuple[Scene, Character, Character]:
    """Alice pays Bob in a stream of half an ether, five ticks by now."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    until = scene.later(3_600)
    lock = Wei(ETHER // 2)
    alice.do(CommandStream(channel, lock, TICK, until, Seconds(600), Salt(b"\x05" * 32)))
    scene.until(lambda: bool(bob.books.instances and stream_of(bob).watched))
    scene.settle()
    tick(scene, alice, bob, 5)
    return scene, alice, bob


def stream_of(party: Character) -> InstanceView:
    (instance,) = party.books.instances.values()
    return instance


def terms_of(party: Character) -> Stream:
    terms = stream_of(party).terms
    assert isinstance(terms, Stream)
    return terms


def paid(party: Character) -> int:
    return paid_in(terms_of(party), stream_of(party)) // TICK


def tick(scene: Scene, alice: Character, bob: Character, ticks: int) -> None:
    before = paid(bob)
    alice.do(CommandTick(stream_of(alice).id, ticks))
    scene.until(lambda: paid(bob) == before + ticks)


def submitted(scene: Scene, party: Character, view: StreamView) -> None:
    """Alice shows the chain fewer ticks than she has given out."""
    call = hash_chain.submit_ticks(
        HASH_CHAIN.app(scene.deployment),
        terms_of(party),
        view.base,
        view.root,
        view.ticks,
        view.value,
        view.signature,
    )
    scene.by_hand(KEYS["alice"], call)
    scene.chain.mine()


def stored(scene: Scene, party: Character) -> StoredStream:
    query = hash_chain.record(HASH_CHAIN.app(scene.deployment), stream_of(party).id)
    return scene.endpoint().ask(query, scene.chain.head.number)


def test_tower_shows_the_newest_tick_a_margin_before_the_end(
    streaming: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = streaming
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    acts_at(scene, watching, terms_of(bob).validity - scene.limits.margin)
    assert stored(scene, bob).total == 5 * TICK


def test_tower_answers_fewer_ticks(
    streaming: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = streaming
    few = STREAMS.of(stream_of(bob))
    tick(scene, alice, bob, 40)
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    submitted(scene, bob, few)
    assert stored(scene, bob).total == 5 * TICK
    watching.round()
    scene.chain.mine()
    assert stored(scene, bob).total == 45 * TICK


def test_file_with_fewer_ticks_does_not_take_the_place_of_one_with_more(
    streaming: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = streaming
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    old = path.read_bytes()
    tick(scene, alice, bob, 40)
    watching = tower(scene, bob, path)
    path.write_bytes(old)
    with pytest.raises(BadExport, match="older"):
        watching.round()


@pytest.mark.parametrize("restored", [False, True])
def test_exit_takes_what_was_streamed(
    streaming: tuple[Scene, Character, Character], tmp_path: Path, restored: bool
) -> None:
    scene, alice, bob = streaming
    path = store_of(bob, tmp_path, restored)
    alice.cut_power()
    bob.cut_power()
    assert gained(scene, bob, path, 3) == ETHER + 5 * TICK
