"""The chain's nodes that a page asks: one, or two that are compared.

Our user types both as one line. Of two one may be down; what they say differently is not believed
(`perun.chain.compared`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from perun.bindings.proving import WrongCode
from perun.chain.compared import Compared
from perun.chain.endpoint import Endpoint
from perun.errors import ChainFault, Misuse
from perun.page.endpoint import Act, Acted, PageEndpoint
from perun.page.lent import Lent
from perun.page.rpc import Rpc

__all__ = ["ManyNodes", "Nodes"]

T = TypeVar("T")

_RPC_SECONDS: Final = 10.0
_MOST: Final = 2


@dataclass(eq=False)
class ManyNodes(Misuse):
    """Another number of addresses than one or two."""

    found: int

    template: ClassVar[str] = "{found} addresses of nodes of the chain, not one or two"
    hint: ClassVar[str] = "give one, or two with a space between them, which are compared then"


class Nodes:
    """One or two."""

    def __init__(self, lent: Lent, urls: str) -> None:
        """Asks nothing yet.

        Args:
            urls: one, or two with a space between.

        Raises:
            ManyNodes: there are others.
        """
        found = urls.split()
        if not 1 <= len(found) <= _MOST:
            raise ManyNodes(len(found))
        self._each = [_node(lent, url) for url in found]
        report = lent.report
        first, last = self._each[0], self._each[-1]
        self.endpoint: Endpoint = (
            first if first is last else Compared(first, last, lambda told: report(repr(told)))
        )
        """All of them, as one."""

    def play(self, acts: Sequence[Act]) -> tuple[Acted, ...]:
        """See `PageEndpoint.play`; by the first that can: it is only a play."""
        for node in self._each[:-1]:
            with suppress(ChainFault):
                return node.play(acts)
        return self._each[-1].play(acts)

    def proved(self, prove: Callable[[PageEndpoint], T]) -> T:
        """What is proved by every node that answers; of the first.

        Raises:
            ChainFault: none answers; the first one's.
            Misuse: one is of another chain, or has other contracts there (`WrongCode`).
        """
        found: list[T] = []
        faults: list[ChainFault] = []
        for node in self._each:
            try:
                found.append(prove(node))
            except WrongCode:
                raise
            except ChainFault as fault:
                faults.append(fault)
        if not found:
            raise faults[0]
        return found[0]


def _node(lent: Lent, url: str) -> PageEndpoint:
    return PageEndpoint(Rpc(lambda body: lent.post(url, body, _RPC_SECONDS)))
