"""A node's configuration from what its user knows: chain, contracts, account and key."""

from __future__ import annotations

from collections.abc import Mapping

from perun.core.config import Config, Deployment, Identity, Policy
from perun.core.limits import Limits, limits_for
from perun.core.state import PeerId
from perun.crypto.keys import PublicKey
from perun.encoding.domains import (
    MSContractDomain,
    domain_of,
)
from perun.encoding.kinds import (
    DOMAINS,
    NEEDED,
)
from perun.encoding.machine import (
    VPMDomain,
)
from perun.errors import UnknownDeployment
from perun.types import Address, ChainId
from perun.wire.parcels import Hello

__all__ = ["config_for", "contracts_of", "deployment_of", "hello_for", "peer_id"]


def deployment_of(chain: ChainId, contracts: Mapping[str, Address]) -> Deployment:
    """The contracts of one chain.

    Args:
        contracts: addresses by the contracts' names. Names that are no domain of ours say nothing;
            of nanocontracts beside VPM any may be missing.

    Raises:
        UnknownDeployment: MSContract or VPM is missing.
    """
    for name in NEEDED:
        if name not in contracts:
            raise UnknownDeployment(chain, name)
    money = domain_of(MSContractDomain, chain, contracts[MSContractDomain.contract_name])
    vpm = domain_of(VPMDomain, chain, contracts[VPMDomain.contract_name])
    others = [name for name in DOMAINS if name in contracts and name not in NEEDED]
    return Deployment(
        money, vpm, tuple(domain_of(DOMAINS[name], chain, contracts[name]) for name in others)
    )


def contracts_of(deployment: Deployment) -> dict[str, Address]:
    """Its addresses by the contracts' names, as `deployment_of` takes them."""
    return {domain.contract_name: domain.contract for domain in deployment.domains}


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
    deployment = config.deployment
    return Hello(
        (1,),
        f"eip155:{deployment.contract.chain_id}",
        genesis,
        tuple(contracts_of(deployment).items()),
        features,
        software,
    )
