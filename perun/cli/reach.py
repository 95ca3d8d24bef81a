"""The way to a chain, for commands that are about one store or export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from perun.chain import connect
from perun.chain.rpc import RpcEndpoint
from perun.errors import Misuse
from perun.node.profile import Profile

__all__ = ["WrongChain", "reach"]


@dataclass(eq=False)
class WrongChain(Misuse):
    """The node is of another chain than the store."""

    found: int
    wanted: int

    template: ClassVar[str] = "the node is on chain {found}, the store belongs to chain {wanted}"
    hint: ClassVar[str] = "give the address of a node of that chain"


def reach(url: str, profile: Profile) -> RpcEndpoint:
    """The node at `url`, which has shown that it is of our chain and knows our contracts.

    Raises:
        WrongChain: it is of another.
        ChainFault: it failed, or has no such contracts (`WrongCode`).
    """
    endpoint = connect(url)
    if endpoint.chain_id != profile.chain_id:
        raise WrongChain(endpoint.chain_id, profile.chain_id)
    endpoint.require(profile.deployment)
    return endpoint
