"""What a node that is put together the usual way takes part in."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from perun import deployments
from perun.chain.costs import leaving_gas
from perun.chain.memory import MemoryChain, rich_key
from perun.chain.rpc import RpcEndpoint
from perun.core.books import Row
from perun.core.config import Deployment
from perun.core.faults import ChannelTooSmall
from perun.core.inputs import CommandOffer
from perun.core.limits import limits_for
from perun.crypto import SecretKey, keccak
from perun.crypto.interop import eth_private_key
from perun.node.assembly import Assembly
from perun.node.backup import open_copy
from perun.node.export import read_export, write_export
from perun.node.profile import Profile, read_profile
from perun.node.settings import config_for, deployment_of, peer_id
from perun.store import SqliteStore
from perun.types import ETH, ChainId, Nonce, Seconds, UnixTime, Wei
from perun.wire.local import LocalNetwork

KEY = SecretKey(keccak(b"the node"))
PEER = SecretKey(keccak(b"the peer")).public_key


class _ChainClock:
    """This chain's blocks have times of their own."""

    def __init__(self, endpoint: RpcEndpoint) -> None:
        self._endpoint = endpoint

    def now(self) -> UnixTime:
        head = self._endpoint.block()
        assert head is not None
        return head.time


@pytest.fixture(scope="module")
def chain() -> tuple[RpcEndpoint, Deployment]:
    """A chain with the contracts."""
    endpoint = MemoryChain().endpoint()
    suite = deployments.deploy(endpoint.web3, eth_private_key(rich_key(0)))
    return endpoint, deployment_of(suite.chain_id, suite.places())


def offered(
    folder: Path, chain: tuple[RpcEndpoint, Deployment], amount: int, *, any_price: bool
) -> list[Exception]:
    """What the node has against offering a channel that holds so much."""
    endpoint, deployment = chain
    faults: list[Exception] = []
    node = Assembly(
        folder / "node.perun",
        config_for(deployment, KEY.public_key, keccak(b"seed")),
        KEY,
        endpoint,
        clock=_ChainClock(endpoint),
        any_price=any_price,
        fault=lambda _, error: faults.append(error),
    )
    try:
        node.join(LocalNetwork())
        while node.node.turn():
            pass
        offer = CommandOffer(
            peer_id(PEER),
            PEER.address,
            ETH,
            Seconds(limits_for(endpoint.chain_id).least_challenge),
            Nonce(1),
            Wei(amount),
            Wei(0),
        )
        node.node.post([offer])
        node.node.turn()
    finally:
        node.close()
    return faults


def test_what_a_dispute_would_eat_is_refused(
    tmp_path: Path, chain: tuple[RpcEndpoint, Deployment]
) -> None:
    head = chain[0].block()
    assert head is not None
    # Twice the base fee and a tip; nobody need know the tip to know what is far too little.
    little = leaving_gas(1, 1) * head.base_fee
    (error,) = offered(tmp_path, chain, little, any_price=False)
    assert isinstance(error, ChannelTooSmall)
    assert (error.holds, error.least > 2 * little) == (little, True)
    assert offered(tmp_path, chain, error.least, any_price=False) == []


def test_whoever_wants_it_all_the_same_gets_it(
    tmp_path: Path, chain: tuple[RpcEndpoint, Deployment]
) -> None:
    assert offered(tmp_path, chain, 1, any_price=True) == []


def test_store_remembers_the_limits_of_its_node(
    tmp_path: Path, chain: tuple[RpcEndpoint, Deployment]
) -> None:
    """Whoever leaves or watches with nothing but the store goes by the same."""
    endpoint, deployment = chain
    limits = replace(limits_for(endpoint.chain_id), finality_blocks=7, margin=Seconds(90))
    config = config_for(deployment, KEY.public_key, keccak(b"seed"), limits=limits)
    path = tmp_path / "node.perun"
    Assembly(path, config, KEY, endpoint, clock=_ChainClock(endpoint), any_price=True).close()
    write_export(tmp_path / "export", *_told(path))

    profile, books = open_copy(path)
    assert profile.own_limits == books.config.limits == limits
    assert read_export(tmp_path / "export").profile.own_limits == limits


def _told(path: Path) -> tuple[Profile, list[Row]]:
    profile, _ = open_copy(path)
    return profile, []


_ONCE = ("MSContract", "VPM", "HashTimeLock", "CoinFlip")


def test_store_of_before_goes_by_the_limits_of_its_chain(
    tmp_path: Path, chain: tuple[RpcEndpoint, Deployment]
) -> None:
    endpoint, _ = chain
    profile = _read_from_earlier(tmp_path, endpoint.chain_id, 8)
    assert profile.own_limits == limits_for(endpoint.chain_id)


@pytest.mark.parametrize(("fields", "names"), [(8, _ONCE[:3]), (9, _ONCE[:3]), (10, _ONCE)])
def test_store_that_has_a_field_for_each_contract_is_read(
    tmp_path: Path, fields: int, names: tuple[str, ...]
) -> None:
    profile = _read_from_earlier(tmp_path, ChainId(31337), fields)
    assert profile.contracts == {name: bytes((n,)) * 20 for n, name in enumerate(names, 1)}
    assert (profile.account, profile.since) == (KEY.address, 7)
    kinds = {type(domain).contract_name for domain in profile.deployment.domains}
    assert kinds == set(names)


def _read_from_earlier(folder: Path, chain_id: ChainId, fields: int) -> Profile:
    """What is read of a profile as it was written once, with so many fields."""
    places = [bytes((n,)) * 20 for n in (1, 2, 3)]
    rest = [KEY.address, KEY.public_key.data, bytes(32), 7, limits_for(chain_id), bytes((4,)) * 20]
    with closing(SqliteStore(folder / "earlier")) as store:
        store.put("profile", msgspec.json.encode([chain_id, *places, *rest][:fields]))
        return read_profile(store)


def test_whoever_looks_at_a_running_store_leaves_its_log(
    tmp_path: Path, chain: tuple[RpcEndpoint, Deployment]
) -> None:
    """Else what the node writes afterwards would be gone with its process."""
    endpoint, deployment = chain
    config = config_for(deployment, KEY.public_key, keccak(b"seed"))
    path = tmp_path / "node.perun"
    node = Assembly(path, config, KEY, endpoint, clock=_ChainClock(endpoint), any_price=True)
    log = path.with_name(path.name + "-wal")
    before = log.stat().st_ino
    look = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('SELECT * FROM meta')"
    subprocess.run([sys.executable, "-c", look + "; d.close()", str(path)], check=True)
    assert log.stat().st_ino == before
    node.close()
