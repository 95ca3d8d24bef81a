"""From the listener's thread into the node's turns, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from perun.app.methods import Params
from perun.app.values import Event
from perun.app.work import Ask, Caller
from perun.errors import BrokenInvariant, ChainFault, PerunError

__all__ = ["Door", "Hosted", "NodeStopped", "NotAnswered"]

_LOOK: Final = 1.0
"""Seconds after which it is asked whether the node still lives."""

_PATIENCE: Final = 60.0
"""Seconds, beside those that a call says itself, until a living node should have answered."""


class Hosted(Protocol):
    """A node that hosts the program above."""

    @property
    def failed(self) -> Exception | None:
        """Why it has ended by itself, if it has."""

    def ask(self, item: object) -> None:
        """Posts an `Ask`."""


@dataclass(eq=False)
class NodeStopped(BrokenInvariant):
    """The node has stopped for good; what it had stored is safe."""

    template: ClassVar[str] = "the node has stopped: {what}"
    hint: ClassVar[str] = "start it again; ask for anything that moves money with the same key"


@dataclass(eq=False)
class NotAnswered(ChainFault):
    """The node is busy, or its thread does not run."""

    method: str
    seconds: int

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{method} was not answered within {seconds} s"
    hint: ClassVar[str] = "ask again, with the same idempotency key if it moves money"


class Door:
    """Asks one node."""

    def __init__(self, node: Hosted) -> None:
        self._node = node

    async def call(
        self,
        caller: Caller,
        method: str,
        params: Params,
        push: Callable[[list[Event]], None] | None = None,
    ) -> Any:
        """The result, once all that it rests on is on disk.

        Args:
            push: takes events, in the node's thread.

        Raises:
            PerunError: the refusal.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(said: Any) -> None:
            if not answer.done():
                answer.set_result(said)

        def reply(said: Any) -> None:
            # Nobody waits any more if the listener was stopped.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, said)

        self._node.ask(Ask(method, params, reply, caller, push))
        patience = _PATIENCE + getattr(params, "wait", 0)
        waited = 0.0
        while True:
            done, _ = await asyncio.wait({answer}, timeout=_LOOK)
            if done:
                break
            waited += _LOOK
            if self._node.failed is not None:
                raise NodeStopped(f"{type(self._node.failed).__name__}: {self._node.failed}")
            if waited >= patience:
                raise NotAnswered(method, int(waited))
        said = answer.result()
        if isinstance(said, PerunError):
            raise said
        return said
