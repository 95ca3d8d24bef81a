"""Carries out the effects of a batch, in order, after its rows are on disk."""

from __future__ import annotations

from collections.abc import Callable

from perun.core.effects import Effect, Notify, Send, Submit, Watch
from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.encoding.messages import Over, Paid, encode
from perun.ports import Chain, Wire
from perun.types import MachineId

__all__ = ["Executor"]


class Executor:
    """Hands each peer all that a batch has for it at once."""

    def __init__(
        self,
        wire: Wire,
        chain: Chain,
        notify: Callable[[Notice], None],
    ) -> None:
        self._wire = wire
        self._chain = chain
        self._notify = notify

    def carry_out(self, effects: list[Effect]) -> None:
        """Sends, submits, watches, notifies; `Sign` was dealt with before the rows were stored."""
        frames: dict[PeerId, tuple[list[bytes], PeerId]] = {}
        # Of a machine's totals the last one says it all.
        newest: dict[MachineId, Effect] = {
            effect.message.machine: effect
            for effect in effects
            if type(effect) is Send and type(effect.message) is Paid
        }
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                message = effect.message  # type: ignore[union-attr]
                if type(message) is not Paid or newest[message.machine] is effect:
                    self._frame(effect, frames)  # type: ignore[arg-type]
            elif kind is Notify:
                self._notify(effect.notice)  # type: ignore[union-attr]
            elif isinstance(effect, Submit):
                self._chain.submit(effect)
            elif isinstance(effect, Watch):
                self._chain.watch(effect)
        for peer, (list_, via) in frames.items():
            self._wire.send(peer, list_, via)

    def _frame(self, send: Send, frames: dict[PeerId, tuple[list[bytes], PeerId]]) -> None:
        data = encode(send.message)
        if send.via:
            data = encode(Over(send.via, data))
        known = frames.get(send.to)
        if known is None:
            frames[send.to] = ([data], send.via)
        else:
            known[0].append(data)
