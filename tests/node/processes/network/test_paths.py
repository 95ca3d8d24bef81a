"""Two hubs in processes of their own, joined by a channel: payments and games cross both, and
either may die and come back."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from perun.api.client import connect
from perun.app.methods import (
    AddContact,
    Answer,
    Close,
    GetChannels,
    GetGames,
    GetLocks,
    GetOffers,
    GetStatus,
    LockMoney,
    MakeRequest,
    Move,
    Pay,
    Play,
    ShowSecret,
)
from perun.app.values import Game
from perun.chain.anvil import Anvil
from perun.crypto import keccak
from perun.daemon.auditing import audit_home
from perun.daemon.cards import fetch_card
from perun.daemon.settings import FILE_NAME, WireSettings, read_settings, write_settings
from perun.encoding.addresses import NodeAddress
from perun.types import ETH
from tests.node.processes.network.homes import (
    ETHER,
    FREE,
    HubProcess,
    Place,
    User,
    entered,
    is_open,
    open_with,
    running,
)
from tests.node.processes.network.wired import eventually

pytestmark = pytest.mark.chain

SECRET = b"\x07" * 32
LOCKED = 10**15
HUB = WireSettings(listen="127.0.0.1:0")


def joined(one: HubProcess, other: HubProcess) -> None:
    """The first hub opens a channel with the second, as its operator would."""
    with connect(home=one.home) as node:
        node.open(other.link, ETHER, peer_amount=ETHER, draw=True, consent=True)
        eventually(lambda: [channel.phase for channel in node.channels()] == ["open"])


def name_each_other(first: Path, second: Path, links: tuple[str, str]) -> None:
    for home, link in ((first, links[1]), (second, links[0])):
        settings = read_settings(home / FILE_NAME)
        assert settings.hub is not None
        hub = replace(settings.hub, neighbours=(link,))
        write_settings(home / FILE_NAME, replace(settings, hub=hub))


@dataclass(frozen=True)
class Row:
    """Alice at one hub, Bob at the other, and a channel between the hubs."""

    homes: list[Path]
    hubs: list[HubProcess]
    links: tuple[str, str]
    alice: User
    bob: User


def row_of_two(tmp_path: Path, stack: ExitStack) -> Row:
    anvil = stack.enter_context(Anvil(options=["--block-time", "1"]))
    place = Place(anvil, tmp_path)
    homes = [place.home(name, HUB, FREE) for name in ("ingrid", "ida")]
    hubs = [running(stack, home) for home in homes]
    for hub in hubs:
        hub.wait("Paid", kind="FundCredit")  # A share out of no credit is refused.
    links = (hubs[0].link, hubs[1].link)
    for home, link in zip(homes, links, strict=True):
        place.listen_at(home, link)
    name_each_other(*homes, links)
    hubs = [(hub.stop(), running(stack, hub.home))[1] for hub in hubs]
    for hub in hubs:
        hub.wait("Running")
    joined(*hubs)
    alice = entered(stack, place, "alice", hubs[0])
    bob = entered(stack, place, "bob", hubs[1])
    for user, hub in ((alice, hubs[0]), (bob, hubs[1])):
        open_with(user, hub)
    for user in (alice, bob):
        user.until(lambda user=user: is_open(user))  # type: ignore[misc]
    second = NodeAddress.parse(links[1])
    eventually(lambda: fetch_card(second.host).neighbours == (links[0],))
    return Row(homes, hubs, links, alice, bob)


def test_a_payment_crosses_two_hubs_of_which_either_may_die(
    tmp_path: Path, stack: ExitStack
) -> None:
    row = row_of_two(tmp_path, stack)
    alice, bob, homes, hubs = row.alice, row.bob, row.homes, row.hubs
    request = bob.ask("request", MakeRequest(amount=str(10**16)))
    host = NodeAddress.parse(row.links[1]).host
    taken_by_its_secret(alice, bob, f"{bob.daemon.name}@{host}", request.id)
    paid = alice.ask("pay", Pay(idempotency_key="one", to=request.uri, wait=60))
    assert paid.step == "done", paid.why

    # Neither hub is needed for the next one; and both may go away in the middle of all.
    for hub in hubs:
        hub.kill()
    hubs = [running(stack, hub.home) for hub in hubs]
    for hub in hubs:
        hub.wait("Running")
    request = bob.ask("request", MakeRequest(amount=str(10**15)))
    paid = alice.ask("pay", Pay(idempotency_key="two", to=request.uri, wait=60))
    assert paid.step == "done", paid.why

    (channel,) = alice.ask("channels", GetChannels())
    alice.ask("close", Close(idempotency_key="close", channel=channel.id))
    alice.until(lambda: [one.phase for one in alice.ask("channels", GetChannels())] == ["ended"])
    (channel,) = bob.ask("channels", GetChannels())
    assert int(channel.free) == ETHER + LOCKED + 10**16 + 10**15
    # What the chain has paid into its credit a hub knows once that is final.
    eventually(lambda: _has_its_credit(homes[0]))
    for hub in hubs:
        assert hub.stop() == 0
    for home in homes:
        found = audit_home(home)
        assert found.holds, found.wrong


def test_a_game_crosses_two_hubs_and_both_are_where_they_were(
    tmp_path: Path, stack: ExitStack
) -> None:
    row = row_of_two(tmp_path, stack)
    alice, bob, stake = row.alice, row.bob, 10**16
    hosts = [NodeAddress.parse(link).host for link in row.links]
    names = [str(one.ask("status", GetStatus()).node) for one in (alice, bob)]
    alice.ask("addContact", AddContact(name="bob", node=f"{names[1]}@{hosts[1]}"))
    bob.ask("addContact", AddContact(name="alice", node=f"{names[0]}@{hosts[0]}"))
    wish = Play(idempotency_key="play", to="bob", game="TicTacToe", amount=str(stake))
    game = alice.ask("play", wish)

    def seen(one: User) -> Game:
        (found,) = one.ask("games", GetGames(id=game.id))
        assert isinstance(found, Game)
        return found

    bob.until(lambda: [one.id for one in bob.ask("offers", GetOffers())] == [game.id])
    bob.ask("answer", Answer(offer=game.id, accept=True))
    for index, cell in enumerate("14253"):
        mover = (alice, bob)[index % 2]
        mover.until(lambda mover=mover: seen(mover).turn == "you" and not seen(mover).why)  # type: ignore[misc]
        mover.ask("move", Move(idempotency_key=cell, id=game.id, move=cell))
    for one, gain in ((alice, stake), (bob, -stake)):
        one.until(lambda one=one: seen(one).state == "over")  # type: ignore[misc]
        assert int(seen(one).gain or 0) == gain
    (channel,) = bob.ask("channels", GetChannels())
    assert int(channel.free) == ETHER - stake
    for hub in row.hubs:
        assert hub.stop() == 0
    for home in row.homes:
        found = audit_home(home)
        assert found.holds, found.wrong


def taken_by_its_secret(alice: User, bob: User, to: str, invitation: str) -> None:
    """A lock finds its way as a payment does, and needs no machine."""
    until = alice.daemon.assembly.node.books.chain.head_time + 7_200
    wish = LockMoney(
        idempotency_key="lock",
        to=to,
        amount=str(LOCKED),
        hash="0x" + keccak(SECRET).hex(),
        until=until,
        invitation=invitation,
    )
    lock = alice.ask("lock", wish)
    bob.until(lambda: [one.state for one in bob.ask("locks", GetLocks())] == ["open"])
    show = ShowSecret(idempotency_key="show", id=lock.id, secret="0x" + SECRET.hex())
    bob.ask("showSecret", show)
    for user in (alice, bob):
        user.until(lambda user=user: user.ask("locks", GetLocks())[0].state == "over")  # type: ignore[misc]


def _has_its_credit(home: Path) -> bool:
    found = audit_home(home)
    return found.holds and found.totals[ETH].credit > 100 * ETHER
