"""A coin flip whose other end has gone: a tower without a key, and an exit, say it in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from perun.bindings import coin_flip
from perun.bindings.coin_flip import StoredFlip
from perun.core.config import Policy
from perun.core.nanocontracts.coin_flip import (
    COIN_FLIP,
    CommandFlip,
)
from perun.core.state import InstanceView, Role
from perun.demo.character import Character
from perun.encoding.messages import RevealSecret
from perun.testing.network import ScriptedNetwork
from perun.types import Flip, Preimage, Salt, Seconds, Wei
from tests.node.runtime.test_exit import gained, store_of
from tests.node.runtime.test_watchtower import acts_at, tower
from tests.support.scene import ETHER, KEYS, Scene

GAMBLER = Policy(
    greatest_fee=Wei(ETHER), greatest_deposit=Wei(10 * ETHER), greatest_loss=Wei(10 * ETHER)
)


@pytest.fixture
def flipping(scene: Scene) -> tuple[Scene, Character, Character]:
    """Alice and Bob have locked a flip for 0.1 and 0.2 each, and nobody has heard a secret."""
    scene.network = network = ScriptedNetwork()
    alice, bob = scene.enter("alice", GAMBLER), scene.enter("bob", GAMBLER)
    channel = scene.open(alice, bob)
    network.lose(RevealSecret)
    command = CommandFlip(
        *(channel, Wei(ETHER // 5), Wei(ETHER // 10), 2**15, scene.later(3_600), Seconds(600)),
        *(Salt(b"\x05" * 32), Preimage(b"\x06" * 32)),
    )
    alice.do(command)
    scene.until(lambda: bool(flip_of(bob).watched and alice.channel(channel).agreed))
    return scene, alice, bob


def flip_of(party: Character) -> InstanceView:
    (instance,) = party.books.instances.values()
    return instance


def terms_of(instance: InstanceView) -> Flip:
    assert isinstance(instance.terms, Flip)
    return instance.terms


def stored(scene: Scene, instance: InstanceView) -> StoredFlip:
    query = coin_flip.record(COIN_FLIP.app(scene.deployment), instance.id)
    return scene.endpoint().ask(query, scene.chain.head.number)


def test_tower_says_the_secret_a_margin_before_the_end(
    flipping: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = flipping
    flip = flip_of(bob)
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    acts_at(scene, watching, terms_of(flip).validity - scene.limits.margin)
    assert (stored(scene, flip).alice, stored(scene, flip).bob) == (False, True)


def test_tower_answers_what_the_other_end_has_revealed(
    flipping: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    """If Bob is paid; else he need not speak, since silence costs the same."""
    scene, alice, bob = flipping
    flip = flip_of(bob)
    secrets = (flip_of(alice).secrets[Role.ALICE], flip.secrets[Role.BOB])
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    app = COIN_FLIP.app(scene.deployment)
    call = coin_flip.reveal(app, terms_of(flip), False, Preimage(secrets[Role.ALICE]))
    scene.by_hand(KEYS["alice"], call)
    scene.chain.mine()
    watching.round()
    scene.chain.mine()
    share = sum(int.from_bytes(secret[-2:], "big") for secret in secrets) % 2**16
    assert stored(scene, flip).decided is (share < 2**15)


@pytest.mark.parametrize("restored", [False, True])
def test_exit_says_the_secret_and_wins_by_silence(
    flipping: tuple[Scene, Character, Character], tmp_path: Path, restored: bool
) -> None:
    scene, alice, bob = flipping
    path = store_of(alice, tmp_path, restored)
    alice.cut_power()
    bob.cut_power()
    assert gained(scene, alice, path, 2) == ETHER + ETHER // 10
