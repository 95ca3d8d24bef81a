"""The way to a chain, for commands that are about one store or export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

import click

from perun.chain import Endpoint
from perun.chain.reach import reach as connect_each
from perun.chain.rpc import RpcEndpoint
from perun.errors import Misuse
from perun.node.profile import Profile

__all__ = ["RPC_OPTION", "WrongChain", "reach"]

_MOST: Final = 2


def _one_or_two(_: click.Context, __: click.Parameter, urls: tuple[str, ...]) -> tuple[str, ...]:
    if len(urls) > _MOST:
        raise click.BadParameter("give one node, or two that are compared")
    return urls


@dataclass(eq=False)
class WrongChain(Misuse):
    """The node is of another chain than the store."""

    found: int
    wanted: int

    template: ClassVar[str] = "the node is on chain {found}, the store belongs to chain {wanted}"
    hint: ClassVar[str] = "give the address of a node of that chain"


RPC_OPTION = click.option(
    "--rpc",
    multiple=True,
    required=True,
    callback=_one_or_two,
    help="Address of any Ethereum node: http://… Give it twice to have two nodes compared.",
)


def reach(urls: Sequence[str], profile: Profile) -> Endpoint:
    """The node at `urls`, or two that are compared, shown to be of our chain with our contracts.

    Of two one may be down.

    Raises:
        WrongChain: one is of another chain.
        ChainFault: none answers; or one has no such contracts (`WrongCode`).
    """
    return connect_each(urls, partial(_prove, profile))


def _prove(profile: Profile, endpoint: RpcEndpoint) -> None:
    if endpoint.chain_id != profile.chain_id:
        raise WrongChain(endpoint.chain_id, profile.chain_id)
    endpoint.require(profile.deployment)
