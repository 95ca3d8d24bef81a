"""From an account with some ether to a hub: contracts, keys, settings; again is the same hub.

What is done is in the folder, and what is in the folder is not done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from eth_utils.address import to_checksum_address

from perun.bindings.translation import translated
from perun.chain.rpc import RpcEndpoint
from perun.core.limits import limits_for
from perun.crypto import SecretKey
from perun.crypto.interop import checksum
from perun.daemon.contracts import prove, read_contracts, write_contracts
from perun.daemon.keyring import Keyring, new_phrase, read_keyring, write_keyring
from perun.daemon.settings import (
    FILE_NAME,
    Amount,
    ApiSettings,
    BadSettings,
    ChainSettings,
    HubSettings,
    NodeSettings,
    PolicySettings,
    Settings,
    WireSettings,
    read_settings,
    write_settings,
)
from perun.errors import ChainFault, Misuse
from perun.hub.deploying import PLAN_NAME, Deployer
from perun.store.lock import StoreLock
from perun.types import ChainId, Record
from perun.wallet import KeyAccount, read_keyfile

__all__ = ["NETWORKS", "Network", "OtherNetwork", "Raised", "Wanted", "enrich", "raise_hub"]

T = TypeVar("T")

_ETHER: Final = 10**18
_CONTRACTS: Final = "contracts.json"
_RICH: Final = 2_000 * _ETHER
_GIFT: Final = Amount(10 * _ETHER)
_FREELY: Final = 100_000
"""Gifts a day: as many as anybody asks for."""
_NO_TAG: Final = 64
"""Blocks that count as final where a node has no tag for that: two epochs."""
_LOOKS: Final = 3
_TRIES: Final = 60
_TRIES_OF_TWO: Final = 8
"""Where another node may answer."""
_PAUSE: Final = 0.5
"""Seconds between two tries."""
_PARTS: Final = 10
"""A channel gets at most one in so many parts of the credit."""


class Network(Record, frozen=True):
    """A network that a hub can be put up on, and how it is set up there."""

    name: str
    chain: ChainId
    credit: Amount
    exit_gas: bool
    """Whether whoever opens a channel pays for the gas of one exit."""
    faucet: Amount | None = None
    """What its hub gives whoever asks; None: nothing."""
    free: bool = False
    """Whether ether costs nothing there: its accounts are rich, and channels may cost more to
    enforce than they hold."""


NETWORKS: Final = {
    network.name: network
    for network in (
        Network("sepolia", ChainId(11_155_111), Amount(_ETHER), True),
        Network("hoodi", ChainId(560_048), Amount(_ETHER), True),
        Network("anvil", ChainId(31_337), Amount(1_000 * _ETHER), False, _GIFT, free=True),
        Network("local", ChainId(31_337), Amount(1_000 * _ETHER), False, _GIFT, free=True),
    )
}
"""By name."""


@dataclass(eq=False)
class OtherNetwork(Misuse):
    """The chain is not the one that was named, or not that of the hub in the folder."""

    where: str
    found: int
    wanted: int

    template: ClassVar[str] = "{where} is on chain {found}, not {wanted}"
    hint: ClassVar[str] = "give the right --network and --rpc, or another --home"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What its operator says."""

    network: Network
    rpc: tuple[str, ...]
    password: str
    """Of the keyfile; it encrypts the hub's own keys as well."""
    password_file: str = ""
    keyfile: Path | None = None
    """None: the account of the hub's own words."""
    wire: WireSettings = field(default_factory=lambda: WireSettings("127.0.0.1:7070"))
    api: ApiSettings = field(default_factory=ApiSettings)
    admin: str = HubSettings().admin
    credit: Amount | None = None
    work: int | None = None
    """scrypt's n for the keys."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A hub that can be run."""

    settings: Settings
    keyring: Keyring
    account: SecretKey


def raise_hub(
    home: Path,
    wanted: Wanted,
    connect: Callable[[str], RpcEndpoint],
    say: Callable[[str], None],
    rich: Callable[[RpcEndpoint, str], None] = lambda _endpoint, _account: None,
) -> Raised:
    """Makes the folder a hub, or finds that it is one.

    Args:
        say: told of each step.
        rich: gives an account ether where the chain gives it away.

    Raises:
        OtherNetwork, BadSettings, BadPlan: the folder, or the chain, is not the one meant.
        TooLittleEther: the account cannot pay for the contracts.
        StoreInUse: another process is at it.
        ChainFault: the chain has failed for long; run it again.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two at once would both find nothing, and both pay.
    lock = StoreLock(home / "raising")
    try:
        return _raise(home, wanted, connect, say, rich)
    finally:
        lock.release()


def _raise(
    home: Path,
    wanted: Wanted,
    connect: Callable[[str], RpcEndpoint],
    say: Callable[[str], None],
    rich: Callable[[RpcEndpoint, str], None],
) -> Raised:
    endpoint, genesis = _reached(wanted, connect, say)
    keyring = _keyring(home, wanted)
    account = keyring.account
    if wanted.keyfile is not None:
        account = read_keyfile(wanted.keyfile, wanted.password)
    _patiently(lambda: rich(endpoint, checksum(account.address)), say)
    since = _contracts(home, endpoint, genesis, account, say)
    if not (home / FILE_NAME).exists():
        write_settings(home / FILE_NAME, _settings(wanted, endpoint, since, say))
    settings = read_settings(home / FILE_NAME)
    return Raised(settings, keyring, account)


def _reached(
    wanted: Wanted, connect: Callable[[str], RpcEndpoint], say: Callable[[str], None]
) -> tuple[RpcEndpoint, bytes]:
    """The first node that answers, and the chain's first block, about which all that answer agree:
    contracts are paid for on one chain, and the hub that runs compares both."""
    found: dict[bytes, RpcEndpoint] = {}
    faults: list[ChainFault] = []
    tries = _TRIES if len(wanted.rpc) == 1 else _TRIES_OF_TWO
    for url in wanted.rpc:
        try:
            endpoint = _patiently(partial(connect, url), say, tries)
            _require(wanted.network, _patiently(endpoint.chain_now, say, tries))
            found.setdefault(_patiently(partial(_genesis, endpoint), say, tries), endpoint)
        except ChainFault as fault:
            faults.append(fault)
    if not found:
        raise faults[0]
    if len(found) > 1:
        raise BadSettings("--rpc", "names nodes of two chains")
    for silent in faults:
        say(f"one of two nodes does not answer, and is compared once it does: {silent}")
    ((genesis, endpoint),) = found.items()
    return endpoint, genesis


def _require(network: Network, chain: int) -> None:
    if chain != network.chain:
        raise OtherNetwork(f"the node of {network.name}", chain, network.chain)


def _genesis(endpoint: RpcEndpoint) -> bytes:
    with translated():
        return bytes(endpoint.web3.eth.get_block(0)["hash"])


def _patiently(ask: Callable[[], T], say: Callable[[str], None], tries: int = _TRIES) -> T:
    """An answer of a node that turns some questions away, or is behind another one of its name."""
    for left in range(tries, 0, -1):
        try:
            return ask()
        except ChainFault as fault:
            if left == 1:
                raise
            if left == tries - 2:
                say(f"the chain's node fails, it is asked again: {fault}")
            time.sleep(_PAUSE)
    raise AssertionError


def _keyring(home: Path, wanted: Wanted) -> Keyring:
    file = home / NodeSettings().keys
    if not file.exists():
        more = {} if wanted.work is None else {"work": wanted.work}
        write_keyring(file, Keyring.of(new_phrase()), wanted.password, **more)
    return read_keyring(file, wanted.password)


def _contracts(
    home: Path,
    endpoint: RpcEndpoint,
    genesis: bytes,
    account: SecretKey,
    say: Callable[[str], None],
) -> int:
    """Has them deployed unless the folder knows some; a block before them."""
    file = home / _CONTRACTS
    plan = home / PLAN_NAME
    if file.exists() and not plan.exists():
        _patiently(lambda: prove(endpoint.web3, read_contracts(file)), say)
        return 0
    key = KeyAccount(account)
    deployer = _patiently(lambda: Deployer(endpoint, genesis, key, plan, say=say), say)
    found = deployer.deploy()
    known = {name: checksum(where) for name, where in found.items()}
    _patiently(lambda: prove(endpoint.web3, known), say)
    if not file.exists():
        write_contracts(file, known)
    return deployer.since


def enrich(endpoint: RpcEndpoint, account: str) -> None:
    """Gives an account ether out of one that the node itself holds, if it has little.

    Raises:
        ChainFault: the node holds none, or does not answer.
    """
    with translated():
        eth = endpoint.web3.eth
        if eth.get_balance(to_checksum_address(account)) >= _RICH:
            return
        holders = eth.accounts
        if holders:
            sent = {"from": holders[0], "to": to_checksum_address(account), "value": _RICH}
            eth.wait_for_transaction_receipt(eth.send_transaction(sent))  # type: ignore[arg-type]


def _has_tag(endpoint: RpcEndpoint, say: Callable[[str], None]) -> bool:
    """Whether the node knows final blocks; several say so before it is believed that it does not:
    a chain has none in its first minutes, and replicas differ."""
    return any(_patiently(endpoint.finalized, say) is not None for _ in range(_LOOKS))


def _settings(
    wanted: Wanted, endpoint: RpcEndpoint, since: int, say: Callable[[str], None]
) -> Settings:
    network, finality = wanted.network, None
    if limits_for(network.chain).finality_blocks is None and not _has_tag(endpoint, say):
        finality = _NO_TAG
        say(f"the node has no tag for final blocks: those {finality} blocks old count as final")
    credit = network.credit if wanted.credit is None else wanted.credit
    return Settings(
        ChainSettings(wanted.rpc, since=since, finality_blocks=finality),
        NodeSettings(
            password_file=wanted.password_file,
            account_keyfile="" if wanted.keyfile is None else str(wanted.keyfile.absolute()),
        ),
        wanted.wire,
        wanted.api,
        PolicySettings(small_channels=network.free),
        hub=HubSettings(
            credit=credit,
            greatest_share=Amount(credit // _PARTS),
            exit_gas=network.exit_gas,
            admin=wanted.admin,
            faucet=network.faucet,
            faucet_each_address=_FREELY,
            faucet_each_day=_FREELY,
        ),
    )
