"""A wallet loses its store, or seems to, and comes back from twelve words: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from perun.api.client import CallRefused, Node, connect
from perun.backup.entries import seal_entry
from perun.backup.keys import BackupKeys
from perun.backup.places import place_of
from perun.chain.anvil import Anvil
from perun.cli.main import cli
from perun.daemon.daemon import Daemon
from perun.daemon.keyring import new_phrase, read_keyring
from perun.daemon.settings import ApiSettings, BackupSettings, read_settings
from tests.node.processes.daemon.town import ETHER, Town, address_of, until

pytestmark = pytest.mark.chain

ENVIRONMENT = {"PERUN_PASSWORD": "twelve words are a secret", "COLUMNS": "200"}
PASSWORD = "twelve words are a secret"

SHOP = "perun1q2fa78z225fj87ja88tjmlzmax6dgnk8rvad6vukw9ujh6krrrszkf73ey4@127.0.0.1:9"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Anvil(options=["--block-time", "1"]) as anvil:
        town = Town(tmp_path, anvil)
        try:
            yield town
        finally:
            town.close()


def with_channel(town: Town, words: str) -> tuple[Daemon, Node, Daemon, Node]:
    """A hub that keeps backups, and Alice, who has 0.1 ether in a channel with it."""
    hub, hub_node = town.hub()
    at = address_of(hub)
    alice, node = town.settle("alice", at, words=words, backup=BackupSettings((at,)))
    node.open(at, "0.1 ether", peer_amount="0.1 ether", consent=True)
    until(lambda: [c.peer_free for c in node.channels()] == [str(ETHER // 10)])
    until(lambda: [c.free for c in hub_node.channels()] == [str(ETHER // 10)])
    return hub, hub_node, alice, node


def until_kept(alice: Daemon) -> None:
    def is_kept() -> bool:
        (state,) = alice.backups.states
        return state.kept == alice.assembly.store.count

    until(is_kept)


def perun(*arguments: str, typed: str | None = None) -> str:
    """The command line."""
    done = CliRunner().invoke(cli, arguments, env=ENVIRONMENT, input=typed)
    assert done.exit_code == 0, done.output
    return done.output


def restored(town: Town, words: str, *places: str) -> tuple[str, Path]:
    """What it said, and the one store that came back."""
    file = town.folder / "words"
    file.write_text(words)
    home = town.folder / "again"
    froms = [part for place in places for part in ("--from", place)]
    said = perun(
        "restore", *froms, "--home", str(home), "--words-file", str(file), "--rpc", town.anvil.url
    )
    (store,) = home.glob("restored/*/store.sqlite")
    return said, store


def leave_with(town: Town, store: Path, alive: Callable[[], bool] = lambda: True) -> None:
    """Registers, lets a challenge pass, and gets everything out.

    Args:
        alive: whether whoever else is there has answered what was registered and submitted.
    """
    leave = ("exit", str(store), "--rpc", town.anvil.url, "--no-wait", "--at-a-loss")
    perun(*leave)
    for _ in range(4):
        until(alive)
        town.anvil.request("evm_increaseTime", 700)
        town.anvil.mine(4)
        if "Everything is out" in perun(*leave):
            return
    assert "Nothing is owed" in perun(*leave)


def signs_nothing(town: Town, home: Path, hub: str) -> None:
    """A node on a restored store, as long as the other one is alive."""
    settings = replace(read_settings(home / "perun.toml"), api=ApiSettings("127.0.0.1:0"))
    copy = Daemon(home, settings, read_keyring(home / "keys.json", PASSWORD), password=PASSWORD)
    try:
        copy.start()
        node = connect(home=home)
        assert node.status().exit_only
        (channel,) = node.channels()
        assert "shop" in [one.name for one in node.contacts()]
        with pytest.raises(CallRefused, match=r"was alive \d+ s ago"):
            node.close(channel.id)
        with pytest.raises(CallRefused, match="signs nothing new"):
            node.pay(hub, "0.001 ether")
        node.hang_up()
    finally:
        copy.stop()


def names_come_along(town: Town, words: str, hub: str) -> None:
    """A new node for new business, with the same words."""
    home = town.folder / "new"
    options = ("--home", str(home), "--rpc", town.anvil.url, "--hub", hub, "--yes")
    assert "out of your backups" in perun("init", *options, "--restore", typed=words)
    settings = replace(read_settings(home / "perun.toml"), api=ApiSettings("127.0.0.1:0"))
    new = Daemon(home, settings, read_keyring(home / "keys.json", PASSWORD), password=PASSWORD)
    try:
        new.start()
        node = connect(home=home)
        assert not node.status().exit_only
        assert "shop" in [one.name for one in node.contacts()]
        node.hang_up()
    finally:
        new.stop()


def balance(town: Town, daemon: Daemon) -> int:
    account = town.web3.to_checksum_address(daemon.config.identity.account)
    return town.web3.eth.get_balance(account)


def test_twelve_words_alone_bring_the_money_back(town: Town) -> None:
    words = new_phrase()
    hub, hub_node, alice, node = with_channel(town, words)
    assert hub_node.pay(alice.name, "0.01 ether", wait=300).step == "done"
    until_kept(alice)
    before = balance(town, alice)
    alice.stop()
    node.hang_up()

    said, store = restored(town, words, address_of(hub))
    assert "0.110000 ETH" in said
    assert str(alice.keyring.number) in said
    leave_with(town, store)
    assert 0.1095 * ETHER < balance(town, alice) - before <= 0.11 * ETHER


def test_restoring_while_the_old_one_is_online_loses_nothing(town: Town) -> None:
    """Attack by mistake: the store was never lost, and goes on while the copy of it leaves."""
    words = new_phrase()
    hub, hub_node, alice, node = with_channel(town, words)
    assert hub_node.pay(alice.name, "0.01 ether", wait=300).step == "done"
    node.add_contact("shop", SHOP)
    until_kept(alice)
    before = balance(town, alice)

    said, store = restored(town, words, address_of(hub))
    assert "go on there" in said
    signs_nothing(town, store.parent, address_of(hub))
    assert node.status().exit_only is False
    assert hub_node.pay(alice.name, "0.02 ether", wait=300).step == "done"

    def has_answered() -> bool:
        books = alice.assembly.node.books
        recorded = [one.head for one in books.instances.values() if one.head is not None]
        paid = [max(on.paid_by_alice, on.paid_by_bob) for on in recorded]  # type: ignore[union-attr]
        # What was registered in the newest block is not answered before that is seen.
        return books.chain.head_number >= town.web3.eth.block_number and paid in (
            [],
            [3 * ETHER // 100],
        )

    names_come_along(town, words, address_of(hub))
    leave_with(town, store, has_answered)
    until(lambda: balance(town, alice) - before > 0.129 * ETHER)
    assert balance(town, alice) - before <= 0.13 * ETHER


def test_a_store_that_a_place_knows_a_later_entry_of_signs_nothing(town: Town) -> None:
    """Attack: yesterday's disk, put back whole, while the hub is not asked for its state yet."""
    words = new_phrase()
    hub, _ = town.hub()
    alice, node = town.settle("alice", words=words, backup=BackupSettings((address_of(hub),)))
    alice.stop()
    node.hang_up()
    keys = BackupKeys(alice.keyring.backup)
    slot = keys.slot(alice.keyring.number)
    later = alice.assembly.store.count + 5
    place = place_of(address_of(hub), keys)
    place.put(slot, seal_entry(keys, slot, later, None, b"later"))
    place.close()

    again = Daemon(alice.home, alice.settings, alice.keyring, password="x")
    town.daemons.append(again)
    assert not again.assembly.store.exit_only
    again.start()
    until(lambda: again.assembly.node.books.exit_only)
    node = connect(home=again.home)
    town.nodes.append(node)
    (problem,) = [p for p in node.status().problems if p.code == "exitOnly"]
    assert problem
