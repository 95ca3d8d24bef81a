"""Makes the hub and the robots of a town: keys, money out of the chain's own accounts, settings.

What is in the folder already is found, not made again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from eth_utils.address import to_checksum_address
from msgspec.structs import replace

from perun.bindings.translation import translated
from perun.chain.rpc import RpcEndpoint, connect
from perun.crypto.interop import checksum
from perun.daemon.contracts import read_contracts, write_contracts
from perun.daemon.keyring import Keyring, new_phrase, read_keyring, write_keyring
from perun.daemon.raising import NETWORKS, Wanted, raise_hub
from perun.daemon.settings import (
    FILE_NAME,
    Amount,
    ApiSettings,
    ChainSettings,
    NodeSettings,
    PolicySettings,
    Settings,
    TowerSettings,
    WireSettings,
    read_settings,
    write_settings,
)
from perun.encoding.addresses import show_node_id
from perun.node.settings import peer_id
from perun.town.place import HOST, Town
from perun.town.player import MOST_STAKE

__all__ = ["ROBOTS", "address_of", "hub_link", "settle", "tower_place"]

ROBOTS: Final = ("shop", "patron")
_PASSWORD: Final = "password"  # noqa: S105  # a file's name
_LIGHT_WORK: Final = 2**13
"""scrypt's n: the password lies beside the keys, and they are worth nothing."""
_ETHER: Final = 10**18
_POOR: Final = 500 * _ETHER
_GIVEN: Final = 2_000 * _ETHER
_FAUCET: Final = Amount(_ETHER)
_NOTHING: Final = PolicySettings()
_PLAYS: Final = PolicySettings(greatest_loss=Amount(10 * _ETHER), greatest_lock=Amount(MOST_STAKE))
"""Coins are flipped for small stakes, some thousand times."""
_OFTEN: Final = 1_000
"""Gifts a day: all come from this machine, and the money is worth nothing."""


def settle(town: Town, say: Callable[[str], None]) -> None:
    """Everybody has a home, and money; the chain has the contracts.

    Raises:
        PerunError: the folder is about another chain, or the chain fails.
    """
    endpoint = connect(town.rpc)
    accounts = [_keyring(town.home / name).account for name in ("hub", *ROBOTS)]
    accounts.append(_keyring(town.home / "tower").tower)
    _give(endpoint, [checksum(account.address) for account in accounts])
    _settle_hub(town, say)
    robot = WireSettings(hubs=(hub_link(town),), strangers=True)
    for name in ROBOTS:
        policy = _PLAYS if name == "patron" else _NOTHING
        _settle_node(town, name, robot, TowerSettings((tower_place(town),)), policy)
    listening = WireSettings(tower_place(town))
    _settle_node(town, "tower", listening, TowerSettings(serve=True))


def hub_link(town: Town) -> str:
    """The hub's address, as people type it."""
    return address_of(town, "hub")


def tower_place(town: Town) -> str:
    """Where the tower listens: it is another node than the hub, which it watches for others."""
    return f"{HOST}:{town.ports.tower}"


def address_of(town: Town, name: str) -> str:
    """Somebody's address: all are reached where the hub listens."""
    keyring = _keyring(town.home / name)
    return f"{show_node_id(peer_id(keyring.node.public_key))}@{HOST}:{town.ports.hub}"


def _keyring(home: Path) -> Keyring:
    """Its keys; new ones, and a password, where there are none."""
    file, password_file = home / NodeSettings().keys, home / _PASSWORD
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not password_file.exists():
        _write_secret(password_file, secrets.token_urlsafe(24))
    password = password_file.read_text(encoding="utf-8").strip()
    if not file.exists():
        write_keyring(file, Keyring.of(new_phrase()), password, work=_LIGHT_WORK)
    return read_keyring(file, password)


def _write_secret(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text + "\n")
    fresh.replace(file)


def _give(endpoint: RpcEndpoint, accounts: Sequence[str]) -> None:
    """Whoever is poor is rich again, in one block."""
    with translated():
        eth = endpoint.web3.eth
        holder = eth.accounts[0]
        sent = []
        for account in accounts:
            to = to_checksum_address(account)
            if eth.get_balance(to) < _POOR:
                sent.append(eth.send_transaction({"from": holder, "to": to, "value": _GIVEN}))  # type: ignore[typeddict-item]
        for hash in sent:
            eth.wait_for_transaction_receipt(hash)


def _settle_hub(town: Town, say: Callable[[str], None]) -> None:
    home = town.hub
    settled = (home / FILE_NAME).exists()
    wanted = Wanted(
        NETWORKS["local"],
        (town.rpc,),
        (home / _PASSWORD).read_text(encoding="utf-8").strip(),
        _PASSWORD,
        wire=WireSettings(f"{HOST}:{town.ports.hub}"),
        api=ApiSettings(f"{HOST}:{town.ports.hub_api}"),
        work=_LIGHT_WORK,
    )
    raised = raise_hub(home, wanted, connect, say)
    if not settled and raised.settings.hub is not None:
        hub = replace(
            raised.settings.hub,
            faucet=_FAUCET,
            faucet_each_address=_OFTEN,
            faucet_each_day=_OFTEN,
            admin=f"{HOST}:{town.ports.hub_admin}",
        )
        write_settings(home / FILE_NAME, replace(raised.settings, hub=hub))


def _settle_node(
    town: Town,
    name: str,
    wire: WireSettings,
    tower: TowerSettings,
    policy: PolicySettings = _NOTHING,
) -> None:
    home = town.home / name
    if (home / FILE_NAME).exists():
        return
    write_contracts(home / "contracts.json", read_contracts(town.hub / "contracts.json"))
    port: Any = getattr(town.ports, f"{name}_api")
    settings = Settings(
        ChainSettings((town.rpc,), since=read_settings(town.hub / FILE_NAME).chain.since),
        NodeSettings(password_file=_PASSWORD),
        wire,
        ApiSettings(f"{HOST}:{port}"),
        policy=policy,
        tower=tower,
    )
    write_settings(home / FILE_NAME, settings)
