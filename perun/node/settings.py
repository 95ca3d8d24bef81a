"""A node's configuration from what its user knows: chain, contracts, account and key."""

from __future__ import annotations

from perun.core.config import Config, Deployment, Identity, Policy
from perun.core.limits import Limits, limits_for
from perun.core.state import PeerId
from perun.crypto.keys import PublicKey
from perun.encoding.domains import (
    coin_flip_domain,
    hash_time_lock_domain,
    ms_contract_domain,
    vpm_domain,
)
from perun.types import Address, ChainId
from perun.wire.parcels import Hello

__all__ = ["config_for", "deployment_of", "hello_for", "peer_id"]


def deployment_of(
    chain: ChainId,
    ms_contract: Address,
    vpm: Address,
    hash_time_lock: Address,
    coin_flip: Address | None = None,
) -> Deployment:
    """The contracts of one chain; older deployments have no coin flip."""
    return Deployment(
        ms_contract_domain(chain, ms_contract),
        vpm_domain(chain, vpm),
        hash_time_lock_domain(chain, hash_time_lock),
        None if coin_flip is None else coin_flip_domain(chain, coin_flip),
    )


def peer_id(key: PublicKey) -> PeerId:
    """33 bytes: how a key is known on the wire."""
    x, y = key.data[:32], key.data[32:]
    return bytes((2 + (y[31] & 1),)) + x


def config_for(
    deployment: Deployment,
    key: PublicKey,
    seed: bytes,
    account: Address | None = None,
    policy: Policy | None = None,
    limits: Limits | None = None,
) -> Config:
    """Everything the core is told; the account defaults to the key's own address."""
    identity = Identity(account or key.address, key.address, peer_id(key))
    chosen = limits or limits_for(deployment.contract.chain_id)
    return Config(deployment, identity, chosen, seed, policy or Policy())


def hello_for(
    config: Config, genesis: bytes, features: tuple[int, ...] = (), software: str = ""
) -> Hello:
    """What a node says first in each session (protocol, section 10).

    Args:
        genesis: hash of the chain's first block.
    """
    contracts = config.deployment
    return Hello(
        (1,),
        f"eip155:{contracts.contract.chain_id}",
        genesis,
        (contracts.contract.contract, contracts.vpm.contract, contracts.hash_time_lock.contract),
        features,
        software,
    )
