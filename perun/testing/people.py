"""Parties whose nodes host the program above, and whom a test asks as their user would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from perun.app.app import App
from perun.app.beside import Beside
from perun.app.methods import Params
from perun.app.routes import Paths
from perun.app.settings import KnownGame, Settings
from perun.app.values import Event
from perun.app.work import Ask, Caller, Reach
from perun.core.config import Policy
from perun.encoding.addresses import show_node_id
from perun.errors import PerunError
from perun.ports import Store
from perun.testing.parties import Party, World
from perun.testing.rules import TIC_TAC_TOE
from perun.types import Seconds

__all__ = ["SETTINGS", "Answer", "Person", "Town"]

P = TypeVar("P", bound=Params)

SETTINGS = Settings(
    genesis=b"\x0c" * 32,
    life=Seconds(20_000),
    life_over_hub=Seconds(10_000),
    games=(KnownGame("TicTacToe", TIC_TAC_TOE),),
)


class Answer:
    """What a method has answered, once it has."""

    def __init__(self) -> None:
        self.came = False
        self._said: Any = None

    def take(self, said: Any) -> None:
        """The reply."""
        assert not self.came, "answered twice"
        self.came, self._said = True, said

    @property
    def value(self) -> Any:
        """The result; raises the refusal."""
        assert self.came, "not answered yet"
        if isinstance(self._said, PerunError):
            raise self._said
        return self._said


class Person:
    """Somebody with a node, and the program above it."""

    def __init__(
        self,
        town: Town,
        name: str,
        policy: Policy,
        settings: Settings,
        store: Store | None,
    ) -> None:
        self._town = town
        self._settings = settings
        self.events: list[Event] = []
        self.reached: list[tuple[bytes, str, bytes, bool]] = []
        self.paths = Paths()
        """Over several hubs, as if cards had said them."""
        self.reach: Reach | None = None
        """A wire's, if it has one."""
        self.party = town.world.party(name, policy, store=store, guest=self._guest)

    def _guest(self, party: Party) -> App:
        beside = Beside(path=self.paths.to)
        self.app = App(self._settings, party.random, self._reach, beside=beside)
        return self.app

    def _reach(self, peer: bytes, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        self.reached.append((peer, host, token, stay))
        if self.reach is not None:
            self.reach(peer, host, token, stay=stay)

    @property
    def id(self) -> str:
        """`perun1…`."""
        return show_node_id(self.party.peer)

    def begin(self, method: str, params: Params, caller: Caller | None = None) -> Answer:
        """Asks, and lets nobody work yet."""
        answer = Answer()
        ask = Ask(method, params, answer.take, caller or Caller(), self.events.extend)
        self.party.node.ask(ask)
        return answer

    def ask(self, method: str, params: Params, caller: Caller | None = None) -> Any:
        """Asks, lets everybody work until all is quiet, and returns the answer or raises it."""
        answer = self.begin(method, params, caller)
        self._town.world.settle()
        return answer.value


class Town:
    """Persons in a world."""

    def __init__(self, lag: int = 0) -> None:
        self.world = World(lag=lag)

    def person(
        self,
        name: str,
        policy: Policy,
        settings: Settings | None = None,
        store: Store | None = None,
    ) -> Person:
        """Another one."""
        return Person(self, name, policy, settings or SETTINGS, store)

    def until(self, done: Callable[[], bool], step: int = 1, most: int = 1_000) -> None:
        """Time passes until something is so."""
        self.world.until(done, step, most)
