"""A bet whose loser has gone: a tower without a key, and an exit, show the chain its price."""

from __future__ import annotations

from pathlib import Path

import pytest

from perun.bindings import price_bet
from perun.bindings.price_bet import StoredBet
from perun.core.config import Policy
from perun.core.inputs import CommandConsent
from perun.core.nanocontracts.price_bet import BETS, PRICE_BET, CommandBet, CommandPrice
from perun.core.state import InstanceView
from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.demo.character import Character
from perun.encoding.messages import ShowPrice
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.testing.network import ScriptedNetwork
from perun.types import Bet, Price, Salt, Seconds, UnixTime, Wei
from tests.node.runtime.test_exit import gained, store_of
from tests.node.runtime.test_watchtower import acts_at, tower
from tests.support.scene import ETHER, Scene

REPORTER = SecretKey(b"\x6b" * 32)
GAMBLER = Policy(
    greatest_fee=Wei(ETHER), greatest_deposit=Wei(10 * ETHER), greatest_loss=Wei(10 * ETHER)
)
LOCK = ETHER // 10


@pytest.fixture
def betting(scene: Scene) -> tuple[Scene, Character, Character]:
    """Bob has won all that Alice has locked, by a price that he alone has heard."""
    scene.network = network = ScriptedNetwork()
    alice, bob = scene.enter("alice", GAMBLER), scene.enter("bob", GAMBLER)
    channel = scene.open(alice, bob)
    network.lose(ShowPrice)
    times = UnixTime(scene.chain.now + 60), scene.later(3_600)
    alice.do(
        CommandBet(
            *(channel, REPORTER.address, b"ETH in USD".ljust(32, b"\0"), times[0]),
            *(Wei(2_000), Wei(ETHER), Wei(1), Wei(LOCK), Wei(LOCK), times[1]),
            *(Seconds(600), Salt(b"\x05" * 32)),
        )
    )
    scene.until(lambda: bool(bob.books.invitations))
    bob.do(CommandConsent(*bob.books.invitations, True))
    scene.until(lambda: bool(bob.books.instances and bet_of(bob).watched))
    scene.settle()
    scene.chain.mine(at=UnixTime(times[0] + 1))
    scene.settle()
    said = Price(terms_of(bob).feed, times[0], Wei(3_000))
    signature = sign(price_digest(PRICE_DOMAIN, said), REPORTER)
    bob.do(CommandPrice(bet_of(bob).id, Wei(3_000), signature))
    scene.until(lambda: bool(BETS.of(bet_of(bob)).prices))
    return scene, alice, bob


def bet_of(party: Character) -> InstanceView:
    (instance,) = party.books.instances.values()
    return instance


def terms_of(party: Character) -> Bet:
    terms = bet_of(party).terms
    assert isinstance(terms, Bet)
    return terms


def stored(scene: Scene, party: Character) -> StoredBet:
    query = price_bet.record(PRICE_BET.app(scene.deployment), bet_of(party).id)
    return scene.endpoint().ask(query, scene.chain.head.number)


def test_tower_shows_the_price_a_margin_before_the_end(
    betting: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = betting
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    acts_at(scene, watching, terms_of(bob).validity - scene.limits.margin)
    assert (stored(scene, bob).shift, stored(scene, bob).void) == (LOCK, False)


def test_tower_of_whoever_has_lost_shows_nothing(
    betting: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = betting
    validity = terms_of(bob).validity
    watching = tower(scene, alice, tmp_path / "export")
    bob.cut_power()
    scene.chain.mine(at=validity)
    watching.round()
    assert not scene.chain.pool


@pytest.mark.parametrize("restored", [False, True])
def test_exit_takes_what_was_won(
    betting: tuple[Scene, Character, Character], tmp_path: Path, restored: bool
) -> None:
    scene, alice, bob = betting
    path = store_of(bob, tmp_path, restored)
    alice.cut_power()
    bob.cut_power()
    assert gained(scene, bob, path, 3) == ETHER + LOCK
