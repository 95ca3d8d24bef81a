"""A chain process and daemons on it, as people run them."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from web3 import Web3

import perun
from perun.api.client import Node, connect
from perun.chain.anvil import Anvil
from perun.daemon.contracts import write_contracts
from perun.daemon.daemon import Daemon
from perun.daemon.keyring import Keyring, new_phrase
from perun.daemon.settings import (
    Amount,
    ApiSettings,
    ChainSettings,
    HubSettings,
    PolicySettings,
    Settings,
    WireSettings,
)

ETHER = 10**18
PATIENCE = 60.0


def until(what: Callable[[], bool]) -> None:
    """Waits until something is so."""
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@dataclass
class Town:
    """Everybody on one chain."""

    folder: Path
    anvil: Anvil
    daemons: list[Daemon] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    told: list[tuple[str, object]] = field(default_factory=list)
    """Who said what."""
    hears: Callable[[object], None] | None = None
    """Hears it instead."""

    def __post_init__(self) -> None:
        self.web3 = self.anvil.endpoint().web3
        suite = perun.deploy(self.web3)
        self.contracts = {
            name: suite.addresses()[name] for name in ("MSContract", "VPM", "HashTimeLock")
        }

    def settle(
        self,
        name: str,
        at: str = "",
        *,
        rpc: tuple[str, ...] = (),
        words: str = "",
        **settings: object,
    ) -> tuple[Daemon, Node]:
        """A daemon with money, and a client of it; it listens at a free port.

        Args:
            at: the address of the hub where it is attached.
            rpc: nodes that it asks; the chain's one if not given.
            words: its phrase; fresh ones if not given.
        """
        home = self.folder / name
        home.mkdir()
        write_contracts(home / "contracts.json", self.contracts)
        keyring = Keyring.of(words or new_phrase())
        self.give(keyring.account.address)
        daemon = Daemon(
            home,
            Settings(
                ChainSettings(rpc or (self.anvil.url,)),
                wire=WireSettings("127.0.0.1:0", hubs=(at,) if at else ()),
                api=ApiSettings("127.0.0.1:0"),
                **settings,  # type: ignore[arg-type]
            ),
            keyring,
            password="x",
            tell=self.hears or (lambda told: self.told.append((name, told))),
        )
        self.daemons.append(daemon)
        daemon.start()
        node = connect(home=home)
        self.nodes.append(node)
        return daemon, node

    def hub(self) -> tuple[Daemon, Node]:
        """A hub that puts as much into a channel as whoever opens it."""
        return self.settle(
            "hub",
            policy=PolicySettings(greatest_deposit=Amount(10 * ETHER)),
            hub=HubSettings(base_fee=Amount(10), admin="127.0.0.1:0"),
        )

    def give(self, account: bytes) -> None:
        """Ten ether."""
        rich = self.web3.eth.accounts[0]
        to = Web3.to_checksum_address(account)
        sent = self.web3.eth.send_transaction({"from": rich, "to": to, "value": 10 * ETHER})  # type: ignore[typeddict-item]
        self.web3.eth.wait_for_transaction_receipt(sent)

    def close(self) -> None:
        """Stops everybody."""
        for node in self.nodes:
            node.hang_up()
        for daemon in self.daemons:
            daemon.stop()
        # Connections to the chain's node are let go with a process, and here it lives on.
        self.daemons.clear()
        self.nodes.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def address_of(daemon: Daemon) -> str:
    """As people type it."""
    assert daemon.listener is not None
    return f"{daemon.name}@{daemon.listener.host}"
