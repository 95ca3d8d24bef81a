"""Bad days of daemons and a hub's process: a chain's node that is half there, a full disk, cards
that lie. Each is told in words, nobody loses a wei, and afterwards all goes on."""

from __future__ import annotations

import json
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from msgspec.structs import replace

from perun.app.methods import GetChannels, GetStatus, MakeRequest, Open, Params, Pay
from perun.chain.anvil import Anvil
from perun.chain.reports import Blind, SeesAgain
from perun.daemon.auditing import audit_home
from perun.daemon.settings import FILE_NAME, WireSettings, read_settings, write_settings
from perun.encoding.addresses import NodeAddress, show_node_id
from perun.encoding.cards import Card, signed_card
from perun.errors import PerunError
from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.types import UnixTime
from tests.node.processes.network.homes import ETHER, FREE, HubProcess, Place, User
from tests.node.processes.network.proxy import Proxy
from tests.node.processes.network.wired import eventually

pytestmark = pytest.mark.chain
LIAR = key_of("a host that lies")


class Scene:
    """A chain and a hub; users with a channel to it."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self.anvil = stack.enter_context(Anvil(options=["--block-time", "1"]))
        self.place = Place(self.anvil, folder)
        self.home = self.place.home("hub", WireSettings("127.0.0.1:0"), FREE)
        self.hub = self.run_hub()
        self.hub.wait("Paid", kind="FundCredit")
        self.place.listen_at(self.home, self.hub.link)

    def run_hub(self) -> HubProcess:
        hub = HubProcess(self.home, "run")
        self._stack.callback(lambda: hub.process.poll() is None and hub.kill())
        hub.wait("Running")
        return hub

    def enters(self, name: str, rpc: str = "") -> User:
        """A daemon without a channel yet.

        Args:
            rpc: the chain's node that it asks; the chain itself if not given.
        """
        home = self.place.home(name, WireSettings())
        if rpc:
            settings = read_settings(home / FILE_NAME)
            chain = replace(settings.chain, rpc=(rpc,))
            write_settings(home / FILE_NAME, replace(settings, chain=chain))
        user = User(home, self.hub.link)
        self._stack.callback(user.stop)
        return user

    def user(self, name: str) -> User:
        """With an open channel."""
        return self.opened(self.enters(name))

    def opened(self, user: User) -> User:
        """The same, once it has one."""
        user.ask("open", opening(self.hub.link))
        user.until(lambda: [one.phase for one in user.ask("channels", GetChannels())] == ["open"])
        return user


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(stack, tmp_path)


def opening(link: str) -> Params:
    return Open(
        idempotency_key=f"open {link}",
        peer=link,
        amount=str(ETHER),
        peer_amount=str(ETHER),
        draw=True,
        consent=True,
    )


def pay(payer: User, payee: User, key: str) -> None:
    uri = payee.ask("request", MakeRequest(amount="1000")).uri
    end = time.monotonic() + 60
    # Its channel may be younger than what the hub has seen of it: the same wish again.
    while (paid := payer.ask("pay", Pay(idempotency_key=key, to=uri, wait=60))).step != "done":
        assert paid.step == "failed", paid
        assert time.monotonic() < end, paid.why
        key += "'"


def problems(user: User) -> list[str]:
    return [one.code for one in user.ask("status", GetStatus()).problems]


def adds_up(home: Path) -> None:
    found = audit_home(home)
    assert found.holds, found.wrong


# --------------------------------------------------------------------------------- the chain's node


@pytest.mark.slow
def test_a_chains_node_behind_a_line_that_breaks_and_then_hangs(scene: Scene) -> None:
    """Delayed, split, reset: a channel is opened and paid in all the same. Then it takes what it is
    asked and says nothing: that is told, nothing is paid, and nothing piles up until it is back."""
    with Proxy(5) as proxy:
        proxy.target = int(scene.anvil.url.rpartition(":")[2])
        alice, bob = scene.enters("alice", f"http://{proxy.host}"), scene.user("bob")
        proxy.calm = False
        scene.opened(alice)
        pay(alice, bob, "through a bad line")
        assert proxy.faults > 0
        proxy.calm = True

        proxy.mute = True
        eventually(lambda: any(isinstance(one, Blind) for one in alice.told))
        eventually(lambda: "noFreshBlock" in problems(alice))
        before = threads_and_files()
        refused = alice.ask(
            "pay", Pay(idempotency_key="blind", to=bob.daemon.name, amount="7", wait=60)
        )
        assert refused.step == "failed", refused
        assert refused.why
        for _ in range(5):
            assert "noFreshBlock" in problems(alice)
            time.sleep(1)
        after = threads_and_files()
        pairs = zip(after, before, strict=True)
        assert all(now <= then + 4 for now, then in pairs), (before, after)

        told = len(alice.told)
        proxy.mute = False
        eventually(lambda: any(isinstance(one, SeesAgain) for one in alice.told[told:]))
        eventually(lambda: "noFreshBlock" not in problems(alice))
        pay(alice, bob, "it sees again")
    adds_up(scene.home)


def threads_and_files() -> tuple[int, int]:
    """Of this process."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


# -------------------------------------------------------------------------------------- a full disk


def test_a_hub_whose_disk_is_full_says_so_and_loses_nothing(scene: Scene) -> None:
    """From one moment on no file of its may grow. It ends, loudly, and no word was sent that is on
    no disk; with room again it goes on, and every payment is there or is not, at both ends."""
    alice, bob = scene.user("alice"), scene.user("bob")
    pay(alice, bob, "before")
    hub = scene.hub
    resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    # To open a virtual channel over it, the hub must write: a payment larger than there is room.
    wish = Pay(idempotency_key="full", to=bob.daemon.name, amount=str(ETHER // 4), wait=30)
    first = threading.Thread(target=lambda: alice.ask("pay", wish))
    first.start()
    assert hub.ended() != 0
    first.join()
    said = "".join(hub.raw)
    assert "disk" in said or "File too large" in said, said[-2_000:]
    assert "Traceback" not in said

    scene.hub = scene.run_hub()
    assert alice.ask("pay", wish).step in ("failed", "done")
    pay(alice, bob, "after")
    adds_up(scene.home)


# ----------------------------------------------------------------------------------- cards that lie


def test_cards_that_lie_open_nothing(scene: Scene) -> None:
    """Other contracts, another chain, an older card than was seen, one that has ended, one that is
    signed by somebody else: each is refused with both values, and no transaction is sent."""
    alice = scene.user("alice")
    true = card_at(NodeAddress.parse(scene.hub.link).host)
    mine = show_node_id(peer_id(LIAR.public_key))
    fair = msgspec.structs.replace(true, node=mine)
    now = int(time.time())
    lies = {
        "VPM": replace(fair, contracts={**fair.contracts, "vpm": "0x" + "22" * 20}),
        "eip155:1": replace(fair, network="eip155:1"),
        "genesis": replace(fair, genesis="0x" + "11" * 32),
        "below": replace(fair, serial=fair.serial - 1),
        "ends at": replace(fair, until=UnixTime(now - 10)),
    }
    with served(fair) as (host, shown):
        seen = alice.ask("open", replace(opening(f"{mine}@{host}"), consent=False))
        assert seen.peer.startswith(mine)
        for word, card in lies.items():
            shown[0] = signed_card(card, LIAR)
            with pytest.raises(PerunError) as refused:
                alice.ask("open", opening(f"{mine}@{host}"))
            assert word in str(refused.value), (word, str(refused.value))
        shown[0] = signed_card(fair, LIAR).replace(fair.software, "perun 9.9.9")
        with pytest.raises(PerunError, match="not signed"):
            alice.ask("open", opening(f"{mine}@{host}"))
    assert len(alice.ask("channels", GetChannels())) == 1


def card_at(host: str) -> Card:
    with urlopen(f"http://{host}/.well-known/perun.json", timeout=10) as page:
        return msgspec.convert(json.load(page)["card"], Card)


@contextmanager
def served(card: Card) -> Iterator[tuple[str, list[str]]]:
    """A host that shows a card, and whatever is put in its place."""
    shown = [signed_card(card, LIAR)]

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = shown[0].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", shown
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
