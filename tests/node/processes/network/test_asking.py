"""Who asks daemons for money: requests that are late, altered, or of two payees under one id; and
ten fresh keys that all want a hub's credit. Each is told in words, and no wei is paid twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.structs import replace

from perun.api.place import read_place
from perun.app.errors import BadRequest, RequestAltered, RequestExpired
from perun.app.methods import AddContact, GetPayments, MakeRequest, Open, Pay
from perun.app.values import Payment
from perun.core.signing import digest
from perun.crypto import sign
from perun.encoding.links import Link, parse_link, show_link
from perun.encoding.requests import PaymentRequest
from perun.hub.shown import ADMIN_PLACE
from perun.types import Wei
from tests.node.processes.network.homes import ETHER, User
from tests.node.processes.network.test_bad_days import Scene, adds_up, opening
from tests.node.processes.network.wired import eventually

pytestmark = pytest.mark.chain

KEYS = 10


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(stack, tmp_path)


def test_requests_late_altered_and_of_two_payees(scene: Scene) -> None:
    alice, bob, carol = (scene.user(name) for name in ("alice", "bob", "carol"))
    carol.ask("addContact", AddContact(name="alice", node=alice.daemon.name))

    late = asked(bob, "3", seconds=1)
    eventually(lambda: parsed(late).until < alice.daemon.assembly.node.books.chain.wall)
    with pytest.raises(RequestExpired, match="ask the payee for a new one"):
        pay(alice, late, "late")

    link = asked(bob, "5", seconds=3_600)
    with pytest.raises(BadRequest, match="do not pay what was changed"):
        pay(alice, link.replace("amount=5", "amount=6"), "changed on its way")
    first = pay(alice, link, "true")
    with pytest.raises(RequestAltered, match="amount 5 before, and says 6 now"):
        pay(alice, signed_by(bob, link, amount=Wei(6)), "altered by its payee")
    assert pay(alice, link, "again").id == first.id
    second = pay(alice, signed_by(carol, link), "of another payee")
    assert second.id != first.id
    assert "no such request" in second.why
    assert [one.amount for one in alice.ask("payments", GetPayments())] == ["5", "5"]
    adds_up(scene.home)


def asked(payee: User, amount: str, seconds: int) -> str:
    return str(payee.ask("request", MakeRequest(amount=amount, seconds=seconds)).uri)


def parsed(text: str) -> PaymentRequest:
    found = parse_link(text).request
    assert found is not None
    return found


def pay(payer: User, link: str, key: str) -> Payment:
    """Done; raises the refusal."""
    tries = 0
    while True:
        wish = Pay(idempotency_key=f"{key} {tries}", to=link, wait=60)
        paid: Payment = payer.ask("pay", wish)
        if paid.step == "done":
            return paid
        tries += 1
        assert paid.step == "failed", paid
        assert tries < 20, paid


def signed_by(payee: User, text: str, **changes: object) -> str:
    """The link with other content, and a signature that fits it."""
    link = parse_link(text)
    assert link.request is not None
    other = replace(link.request, payee=payee.daemon.peer, **changes)
    key = payee.daemon.keyring.node
    signature = sign(digest(payee.daemon.config.deployment, other), key)
    fields = (other, link.chain_id, link.memo, link.relay_host, signature)
    return show_link(Link(payee.daemon.peer, link.host, *fields))


def test_ten_fresh_keys_that_want_all_credit_get_one_share_at_a_time(scene: Scene) -> None:
    """None of them sends its transaction: the hub has signed one `Open`, for the tenth of its
    credit that all such have together, and whoever else comes from that address waits."""
    before = int(status(scene)["deposits"])
    crooks = [scene.enters(f"crook {number}") for number in range(KEYS)]
    for crook in crooks:
        crook.daemon.assembly.chain.want = lambda _: None  # type: ignore[method-assign]
        wish: Open = opening(scene.hub.link)  # type: ignore[assignment]
        crook.ask("open", replace(wish, peer_amount=str(10 * ETHER)))
        seen = status(scene)
        assert seen["opens"] <= 1
        assert int(seen["deposits"]) - before in (0, 10 * ETHER)

    def one_is_served() -> bool:
        now = status(scene)
        given = int(now["deposits"]) - before
        return (now["opens"], given) == (1, 10 * ETHER) and now["waiting"] > 0

    eventually(one_is_served)
    adds_up(scene.home)


def status(scene: Scene) -> dict[str, Any]:
    place = read_place(scene.home, ADMIN_PLACE)
    headers = {"Authorization": f"Bearer {place.token}"}
    found: dict[str, Any] = json.loads(
        requests.get(f"{place.url}/status", headers=headers, timeout=30).text
    )
    return found
