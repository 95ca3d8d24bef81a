"""A daemon's hub as its operator sees it: `perun.hub.admin` asks here."""

from __future__ import annotations

import os
import queue
import signal
from collections.abc import Callable
from typing import Any, Final, Protocol

from perun.api.tokens import OWNER, Tokens
from perun.core.books import Books
from perun.core.state import PeerId
from perun.hub import views
from perun.hub.guest import HubGuest, InTurn
from perun.hub.metrics import Machinery
from perun.hub.shown import Status
from perun.node.assembly import Assembly
from perun.node.guest import Desk
from perun.node.stalls import LONG
from perun.wire.listener import Listener
from perun.wire.web import NotJoined, WebWire

__all__ = ["Operator"]

_SECONDS: Final = 5.0


class Run(Protocol):
    """The daemon, as far as its operator sees it."""

    assembly: Assembly
    wire: WebWire
    listener: Listener | None


class Operator:
    """See `perun.hub.admin.Operated`."""

    def __init__(self, daemon: Run, guest: HubGuest, tokens: Tokens) -> None:
        self._daemon, self._guest, self._tokens = daemon, guest, tokens

    def status(self) -> Status:
        """See `Operated`."""
        online = self._online()
        found: Status = self._in_turn(lambda b: views.status(b, self._guest, online))
        return found

    def look(self, what: str) -> Any:
        """See `Operated`."""
        online = self._online()
        looks: dict[str, Callable[[Books], Any]] = {
            "channels": lambda books: views.channels(books, online),
            "peers": lambda books: views.peers(books, online),
            "fees": lambda books: views.fees(books, self._guest),
        }
        return self._in_turn(looks[what])

    def machinery(self) -> Machinery:
        """See `Operated`."""
        node, chain = self._daemon.assembly.node, self._daemon.assembly.chain
        health, listener = chain.health, self._daemon.listener
        lives = node.failed is None and chain.failed is None and node.turning_for < LONG
        healthy = lives and health.blind_since is None
        hub = node.books.config.policy.hub
        taking = hub is not None and not hub.paused and not node.books.exit_only
        return Machinery(
            healthy,
            healthy and taking and node.books.chain.head_number > 0,
            -1.0 if health.age is None else float(health.age),
            0 if listener is None else listener.door.links,
            0 if listener is None else listener.door.turned_away,
            0 if listener is None else listener.relay.passed,
            0 if listener is None else listener.relay.undelivered,
            node.waiting,
            self._guest.gas_spent,
        )

    def pause(self, paused: bool) -> None:
        """See `Operated`."""

        def act(desk: Desk) -> None:
            self._guest.pause(desk, paused)

        self._in_turn_do(act)

    def end(self) -> None:
        """See `Operated`."""
        os.kill(os.getpid(), signal.SIGTERM)

    def knows(self, token: str) -> bool:
        """See `Operated`."""
        caller = self._tokens.caller(token)
        return caller is not None and caller.token == OWNER

    def _online(self) -> frozenset[PeerId]:
        try:
            return frozenset(self._daemon.wire.peers())
        except NotJoined:
            return frozenset()

    def _in_turn(self, question: Callable[[Books], Any]) -> Any:
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        node = self._daemon.assembly.node
        node.ask(InTurn(lambda desk: answers.put(question(desk.books))))
        return _taken(answers)

    def _in_turn_do(self, act: Callable[[Desk], None]) -> None:
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def work(desk: Desk) -> None:
            act(desk)
            desk.after(lambda: answers.put(None))

        self._daemon.assembly.node.ask(InTurn(work))
        _taken(answers)


def _taken(answers: queue.SimpleQueue[Any]) -> Any:
    try:
        return answers.get(timeout=_SECONDS)
    except queue.Empty:
        raise TimeoutError from None
