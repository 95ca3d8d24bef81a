"""Carries out the effects of a batch, in order, after its rows are on disk."""

from __future__ import annotations

from collections.abc import Callable

from perun.core.effects import Effect, Notify, Send, Submit, Watch
from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.encoding.messages import Relay, encode
from perun.ports import Chain, Sealer, Wire

__all__ = ["Executor"]


class Executor:
    """Hands each peer all that a batch has for it at once."""

    def __init__(
        self,
        own: PeerId,
        wire: Wire,
        chain: Chain,
        sealer: Sealer | None,
        notify: Callable[[Notice], None],
    ) -> None:
        self._own = own
        self._wire = wire
        self._chain = chain
        self._sealer = sealer
        self._notify = notify

    def carry_out(self, effects: list[Effect]) -> None:
        """Sends, submits, watches, notifies; `Sign` was dealt with before the rows were stored."""
        frames: dict[PeerId, list[bytes]] = {}
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                self._frame(effect, frames)  # type: ignore[arg-type]
            elif kind is Notify:
                self._notify(effect.notice)  # type: ignore[union-attr]
            elif isinstance(effect, Submit):
                self._chain.submit(effect)
            elif isinstance(effect, Watch):
                self._chain.watch(effect)
        for peer, list_ in frames.items():
            self._wire.send(peer, list_)

    def _frame(self, send: Send, frames: dict[PeerId, list[bytes]]) -> None:
        data = encode(send.message)
        to = send.to
        if send.via:
            if self._sealer is None:
                return
            data = encode(Relay(self._own, to, self._sealer.seal(to, data)))
            to = send.via
        known = frames.get(to)
        if known is None:
            frames[to] = [data]
        else:
            known.append(data)
