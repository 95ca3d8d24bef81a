"""The three things that are not the same call on every node: time, going back, and the chain id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from populus.chain import AnvilChain, BaseChain, TesterChain
from populus.project import Project

TESTER_CHAIN_ID = 131277322940537
"""eth-tester's. Ids and signatures contain it, so anvil gets the same."""


class Node(Protocol):
    """A running chain whose time can be set and whose state can be put back."""

    @property
    def chain(self) -> BaseChain:
        """What web3 and the contracts hang on."""

    def next_block_at(self, timestamp: int) -> None:
        """Gives the next block this time."""

    def isolated(self) -> Any:
        """A context that undoes all that happens inside."""


class MemoryNode:
    """eth-tester with py-evm."""

    def __init__(self, chain: TesterChain) -> None:
        self.chain = chain

    def next_block_at(self, timestamp: int) -> None:
        # eth-tester's own time travel mines an empty block first, which doubles the run
        pending = self.chain.backend.chain
        pending.header = pending.header.copy(timestamp=timestamp)

    def isolated(self) -> Any:
        return self.chain.isolated()


class AnvilNode:
    """anvil, a process of its own, with revm."""

    def __init__(self, chain: AnvilChain) -> None:
        self.chain = chain

    def _ask(self, method: str, *params: Any) -> Any:
        answer = self.chain.web3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def next_block_at(self, timestamp: int) -> None:
        self._ask("evm_setNextBlockTimestamp", timestamp)

    @contextmanager
    def isolated(self) -> Iterator[None]:
        snapshot = self._ask("evm_snapshot")
        try:
            yield
        finally:
            if self._ask("evm_revert", snapshot) is not True:
                raise RuntimeError("anvil did not go back to the snapshot")


class SameIdAnvil(AnvilChain):
    """The project's anvil under eth-tester's chain id."""

    @property
    def settings(self) -> dict[str, Any]:
        return {**super().settings, "chain_id": TESTER_CHAIN_ID}


def project_with_token(root: str = ".") -> Project:
    """The project and the contracts of its tests: the standard token is one of them."""
    project = Project(root)
    project.use_test_contracts()
    return project


@contextmanager
def tester_node(project: Project) -> Iterator[MemoryNode]:
    """A chain in memory, gone afterwards."""
    with TesterChain(project, "tester") as chain:
        yield MemoryNode(chain)


@contextmanager
def anvil_node(project: Project) -> Iterator[AnvilNode]:
    """An anvil on a free port, ended afterwards."""
    with SameIdAnvil(project, "anvil") as chain:
        yield AnvilNode(chain)
