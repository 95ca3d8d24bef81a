"""A hub in a process of its own, two daemons, an anvil: payments cross it, and it may die."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from msgspec.structs import replace

from perun.api.place import read_place
from perun.api.tokens import read_token
from perun.app.methods import GetChannels, MakeRequest, Pay
from perun.chain.anvil import Anvil
from perun.cli.main import cli
from perun.crypto import SecretKey
from perun.crypto.interop import checksum
from perun.daemon.auditing import Kept, audit_home, audit_kept, read_kept
from perun.daemon.faucet import ask_faucet
from perun.daemon.keyring import read_keyring
from perun.daemon.settings import FILE_NAME, WireSettings, read_settings, write_settings
from perun.deployments import WrongCode
from perun.encoding.addresses import NodeAddress
from perun.hub.shown import ADMIN_PLACE
from perun.types import Wei
from tests.node.processes.network.homes import (
    FREE,
    HubProcess,
    Place,
    User,
    entered,
    is_open,
    open_with,
    running,
)

pytestmark = pytest.mark.chain


def pay(alice: User, bob: User, key: str) -> None:
    request = bob.ask("request", MakeRequest(amount="1000"))
    paid = alice.ask("pay", Pay(idempotency_key=key, to=request.uri, wait=60))
    assert paid.step == "done", paid.why


def channel_of(user: User) -> str:
    (channel,) = user.ask("channels", GetChannels())
    return str(channel.id)


def hub_says(home: Path, *arguments: str) -> str:
    result = CliRunner(env={"PERUN_HOME": str(home), "COLUMNS": "200"}).invoke(
        cli, ("hub", *arguments)
    )
    assert result.exit_code == 0, result.output
    return result.output


def look_at(home: Path) -> None:
    """All that its operator can ask, and its monitoring."""
    status = json.loads(hub_says(home, "status", "--json"))
    assert (status["channels"], status["online"], status["paused"]) == ({"idle": 2}, 2, False)
    assert status["instances"] == {"open": 1}
    assert "takes new channels" in hub_says(home, "status")
    assert hub_says(home, "channels").count("idle") == 2
    assert hub_says(home, "peers").count("yes") == 2
    assert "earned" in hub_says(home, "fees")
    place = read_place(home, ADMIN_PLACE)
    pages = {
        path: requests.get(f"{place.url}/{path}", timeout=10)
        for path in ("health", "ready", "metrics", "status")
    }
    codes = {path: page.status_code for path, page in pages.items()}
    assert codes == {"health": 200, "ready": 200, "metrics": 200, "status": 401}
    assert 'perun_hub_channels{phase="idle"} 2\n' in pages["metrics"].text
    foreign = {"Origin": "https://evil.example", "Authorization": f"Bearer {place.token}"}
    assert requests.post(f"{place.url}/drain", headers=foreign, timeout=10).status_code == 403
    assert json.loads(hub_says(home, "pause", "--json")) == {"done": "pause"}
    assert requests.get(f"{place.url}/ready", timeout=10).status_code == 503
    hub_says(home, "resume")
    assert requests.get(f"{place.url}/ready", timeout=10).status_code == 200


def adds_up(home: Path) -> None:
    found = audit_home(home)
    assert found.holds, found.wrong
    assert found.notes == []


def audited_by_two(home: Path) -> None:
    """An audit asks all nodes of the settings; one may be down, and two must agree."""
    settings = read_settings(home / FILE_NAME)
    (url,) = settings.chain.rpc
    try:
        for other in (url.replace("http", "ws"), "http://127.0.0.1:1"):
            chain = replace(settings.chain, rpc=(other, url))
            write_settings(home / FILE_NAME, replace(settings, chain=chain))
            adds_up(home)
        with Anvil(options=["--timestamp", "1"]) as elsewhere:
            chain = replace(settings.chain, rpc=(url, elsewhere.url))
            write_settings(home / FILE_NAME, replace(settings, chain=chain))
            with pytest.raises(WrongCode):
                audit_home(home)
    finally:
        write_settings(home / FILE_NAME, settings)


def test_payments_cross_a_hub_that_dies_and_comes_back(tmp_path: Path, stack: ExitStack) -> None:
    anvil = stack.enter_context(Anvil(options=["--block-time", "1"]))
    place = Place(anvil, tmp_path)
    home = place.home("hub", WireSettings("127.0.0.1:0"), FREE)
    hub = running(stack, home)
    hub.wait("Paid", kind="FundCredit")
    newcomer = SecretKey(b"\x07" * 32).address
    host = NodeAddress.parse(hub.link).host
    assert ask_faucet(host, checksum(newcomer)) == FREE.faucet
    alice, bob = (entered(stack, place, name, hub) for name in ("alice", "bob"))
    for user in (alice, bob):
        open_with(user, hub)
    for user in (alice, bob):
        user.until(lambda user=user: is_open(user))  # type: ignore[misc]
        hub.wait("ChannelFunded", channel=channel_of(user))
    pay(alice, bob, "1")

    hub.kill()
    place.listen_at(home, hub.link)
    hub = running(stack, home)
    hub.wait("Running")
    pay(alice, bob, "2")
    look_at(home)
    adds_up(home)
    hub_says(home, "drain")
    assert hub.ended() == 0
    adds_up(home)
    audited_by_two(home)
    find_each_wei(home)
    assert not (home / ADMIN_PLACE).exists()
    keep_secrets(home, hub)


def keep_secrets(home: Path, hub: HubProcess) -> None:
    """No key, phrase, preimage, signature or token is in what it has said."""
    said = "".join(hub.raw)
    keyring = read_keyring(home / "keys.json", "open")
    token = read_token(home / "tokens" / "owner.json")
    for secret in (keyring.phrase, token, keyring.account.secret.hex(), keyring.node.secret.hex()):
        assert secret not in said
    assert not re.search(r"[0-9a-f]{96}", said), "something as long as a signature"
    assert "Traceback" not in said


def finds(home: Path, kept: Kept, change: Callable[[Kept], Kept]) -> list[str]:
    """What an audit says of a hub whose folder would say something else."""
    return [check.what for check in audit_kept(home, change(kept)).wrong]


def find_each_wei(home: Path) -> None:
    """Each thing that a hub keeps, one wei off: the audit names it."""
    kept = read_kept(home)
    assert audit_kept(home, kept).holds

    def entry(kept: Kept) -> Kept:
        *rest, fee = (entry for entry in kept.entries if entry.channel)
        return dataclasses.replace(kept, entries=[replace(fee, amount=Wei(fee.amount + 1)), *rest])

    def holdings(kept: Kept) -> Kept:
        books = copy.deepcopy(kept.books)
        id, view = next(iter(books.channels.items()))
        final = replace(view.final, bob=Wei(view.final.bob - 1))
        books.channels[id] = replace(view, final=final)
        return dataclasses.replace(kept, books=books)

    def credit(kept: Kept) -> Kept:
        books = copy.deepcopy(kept.books)
        key, row = next(iter(books.credits.items()))
        books.credits[key] = replace(row, amount=Wei(row.amount + 1))
        return dataclasses.replace(kept, books=books)

    def cost(kept: Kept) -> Kept:
        return dataclasses.replace(kept, costs=replace(kept.costs, paid=kept.costs.paid[:-1]))

    assert any("moved by states" in what for what in finds(home, kept, entry))
    assert any("in store and logs" in what for what in finds(home, kept, holdings))
    assert finds(home, kept, credit) == ["credit, in store and logs"]
    assert "transactions, with known costs and sent" in finds(home, kept, cost)
