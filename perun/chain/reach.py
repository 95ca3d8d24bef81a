"""The way to a chain: by one node, or by two that are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from perun.chain.compared import Compared
from perun.chain.endpoint import Endpoint
from perun.chain.reports import Report
from perun.chain.rpc import RpcEndpoint, connect, unasked
from perun.deployments import WrongCode
from perun.errors import ChainFault

__all__ = ["reach"]


def reach(
    urls: Sequence[str],
    prove: Callable[[RpcEndpoint], object],
    report: Callable[[Report], None] = lambda _: None,
) -> Endpoint:
    """The node at `urls`, or two that are compared; of two one may be down.

    Args:
        prove: makes sure that a node is of the right chain; raises if it is not.
        report: told when one of two stops to answer.

    Raises:
        ChainFault: none answers; or one has other contracts (`WrongCode`).
    """
    found: list[RpcEndpoint] = []
    faults: list[ChainFault] = []
    for url in urls:
        try:
            endpoint = connect(url)
            prove(endpoint)
        except WrongCode:
            raise
        except ChainFault as fault:
            faults.append(fault)
            # What it says once it is back is held against what the other says.
            endpoint = unasked(url)
        found.append(endpoint)
    if len(faults) == len(urls):
        raise faults[0]
    return found[0] if len(found) == 1 else Compared(found[0], found[1], report)
