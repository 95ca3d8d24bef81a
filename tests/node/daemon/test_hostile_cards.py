"""What a host's card says is held to the form of what our user says, and to what was shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from perun.app import cards
from perun.app.cards import PriceRaised
from perun.app.methods import Open, Pay
from perun.app.routes import Paths
from perun.app.shelf import Shelf
from perun.app.work import Ask, Caller
from perun.crypto import SecretKey
from perun.daemon import lookups
from perun.daemon.cards import Unreachable
from perun.daemon.lookups import Lookups
from perun.daemon.purse import Purse
from perun.encoding.addresses import show_node_id
from perun.encoding.cards import Card, CardAsset, CardMalformed, read_card, signed_card
from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.types import UnixTime

KEY: SecretKey = key_of("hub")
HOST = "127.0.0.1:7"
ETH = "0x" + 40 * "0"
HUB = f"{show_node_id(peer_id(KEY.public_key))}@{HOST}"


def card(fee: str = "0", account: str = "", share_ppm: int = 0, asset: str = ETH) -> Card:
    return Card(
        network="eip155:31337",
        genesis="0x" + 64 * "0",
        contracts={},
        node=show_node_id(peer_id(KEY.public_key)),
        host=HOST,
        serial=1,
        until=int(time.time()) + 1_000,
        account=account,
        assets=(CardAsset(asset, "ETH", 18, "1", "1", "1", fee, share_ppm),),
    )


class Desk:
    """Lookups before a node that remembers what it is asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.card = card()
        self.asked: list[Any] = []
        self.answers: list[Any] = []
        monkeypatch.setattr(lookups, "fetch_card", lambda *_, **__: self.card)
        monkeypatch.setattr(lookups, "require_same", lambda *_: None)
        indexes = SimpleNamespace(of_peer={b"ours": ()}, with_peer=lambda *_: [b"id"])
        node = SimpleNamespace(
            failed=None,
            books=SimpleNamespace(indexes=indexes),
            ask=lambda item: self.asked.append(item.params),
        )
        purse = SimpleNamespace(look=lambda: None)
        self.lookups = Lookups(
            cast("Any", node),
            cast("Any", None),
            b"",
            cast("Purse", purse),
            folder / "cards.json",
            Shelf(),
            Paths(),
        )

    def open(self, *, consent: bool, fee: str = "0", token: str = "") -> Any:
        params = Open(
            idempotency_key="k", peer=HUB, amount="1000", peer_amount="500", draw=True,
            fee=fee, consent=consent,
        )  # fmt: skip
        before = len(self.asked)
        item = Ask("open", params, self.answers.append, Caller(token))
        self.lookups._complete(item, params)
        return self.asked[-1] if len(self.asked) > before else self.answers[-1]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "made",
    [
        lambda: card(account="0xzz"),
        lambda: card(account="0x12"),
        lambda: card(fee="9" * 40),
        lambda: card(share_ppm=-(10**6)),
        lambda: card(share_ppm=2**53 - 1, fee="9" * 36),
    ],
)
def test_card_of_another_form_never_reaches_the_node(desk: Desk, made: Callable[[], Card]) -> None:
    """Attack: the node's thread stumbled over an account that is no hex, and the node ended."""
    desk.card = made()
    assert isinstance(desk.open(consent=False), CardMalformed)
    assert desk.asked == []


@pytest.mark.parametrize(
    "bad",
    [card(account="0xzz"), card(share_ppm=-1), card(asset="0x12"), card(asset=ETH + " ")],
)
def test_such_a_card_is_none(bad: Card) -> None:
    with pytest.raises(CardMalformed):
        read_card(signed_card(bad, KEY), UnixTime(int(time.time())))


def test_price_that_rose_after_it_was_shown_is_not_paid(desk: Desk) -> None:
    """Attack: the card names a small price to whoever looks, and all he has to who consents."""
    desk.card = card(fee="7")
    assert desk.open(consent=False).fee == "7"
    desk.card = card(fee="900")
    raised = desk.open(consent=True)
    assert isinstance(raised, PriceRaised)
    assert (raised.shown, raised.asked) == (7, 900)
    assert len(desk.asked) == 1
    desk.card = card(fee="5")
    assert desk.open(consent=True).fee == "5"
    desk.card = card(fee="900")
    assert desk.open(consent=False).fee == "900"
    assert desk.open(consent=True).fee == "900"
    # Of another token, or a named price, nothing was shown.
    assert desk.open(consent=True, fee="3").fee == "3"
    assert desk.open(consent=True, token="till").fee == "900"


def test_prices_that_are_remembered_are_so_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "_MOST_SHOWN", 3)
    for number in range(10):
        desk.open(consent=False, token=f"t{number}")
    assert len(desk.lookups._prices._shown) == 3
    assert msgspec.structs.asdict(desk.asked[-1])["fee"] == "0"


@pytest.mark.parametrize(
    "made",
    [
        lambda: replace(card(), neighbours=("nonsense", HUB, "perun1@", "\u0000")),
        lambda: replace(card(), assets=(CardAsset(ETH, "ETH", 18, "1", "1", base_fee="²"),)),
        lambda: replace(card(), neighbours=(HUB,) * 10_000),
    ],
)
def test_payment_is_begun_whatever_the_cards_on_its_way_say(
    desk: Desk, made: Callable[[], Card]
) -> None:
    desk.card = made()
    to = f"{show_node_id(peer_id(key_of('payee').public_key))}@{HOST}"
    pay = Pay(idempotency_key="k", to=to, amount="1")
    desk.lookups.ask(Ask("pay", pay, desk.answers.append))
    desk.lookups._pool.shutdown(wait=True)
    assert desk.asked == [pay]


def test_payment_is_begun_when_its_host_serves_no_card(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(host: str, **_: object) -> Card:
        raise Unreachable(host, "silence")

    monkeypatch.setattr(lookups, "fetch_card", silent)
    to = f"{show_node_id(peer_id(key_of('payee').public_key))}@{HOST}"
    pay = Pay(idempotency_key="k", to=to, amount="1")
    desk.lookups.ask(Ask("pay", pay, desk.answers.append))
    desk.lookups._pool.shutdown(wait=True)
    assert desk.asked == [pay]
