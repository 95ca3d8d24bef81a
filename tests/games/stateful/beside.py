"""One nanocontract on a chain and its model beside it, called alike and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from perun.spec import Host
from perun.spec.reverts import MalformedEvidence, Refused
from perun.types import Address
from tests.games.stateful.cast import CROOKS
from tests.games.stateful.codec import Codec, artifacts, plain
from tests.games.stateful.evm import GENESIS, Revm

SENDER = CROOKS[0].address
GAS = 16_000_000


class Beside:
    """A fresh chain with one contract of ours on it."""

    def __init__(self, name: str) -> None:
        self.chain = Revm([SENDER])
        self.host = Host(now=GENESIS)
        self.address = self.deploy(name)
        self.codec = Codec(artifacts()[name]["abi"])
        self.seen: Counter[str] = Counter()
        """How often each function succeeded, and each error was raised."""

    def deploy(self, name: str) -> Address:
        return Address(
            self.chain.deploy(bytes.fromhex(artifacts()[name]["bytecode"].removeprefix("0x")))
        )

    @property
    def now(self) -> int:
        return self.host.now

    def wait(self, seconds: int) -> None:
        self.host.now += seconds
        self.chain.set_time(self.host.now)

    def perform(self, function: str, args: tuple[Any, ...], model: Callable[[], None]) -> bool:
        """Both alike: the same error with its arguments, or the same events. True: it succeeded."""
        start = len(self.host.log)
        expected: Any = None
        try:
            model()
        except MalformedEvidence:
            expected = ("", ())
        except Refused as refused:
            expected = (type(refused).__name__, plain(refused.args))
        told = tuple((event.name, plain(event.args)) for event in self.host.log[start:])
        data = self.codec.call(function, args)
        result = self.chain.call(SENDER, self.address, data, 0, GAS)
        if not result.success:
            found = self.codec.error(result.output)
            assert found == expected, f"{function}{args}: {found} on the chain, model {expected}"
            self.seen[found[0] or "unnamed"] += 1
            return False
        events = tuple(self.codec.event(log) for log in result.logs)
        assert expected is None, f"{function}{args}: succeeded on the chain, model {expected}"
        assert events == told, f"{function}{args}"
        self.seen[function] += 1
        self.seen["changed nothing"] += not events
        return True

    def view(self, function: str, *args: object) -> tuple[Any, ...]:
        output = self.chain.view(self.address, self.codec.call(function, args))
        return self.codec.returned(function, output)


class Deciding(Protocol):
    """Random calls at a nanocontract and its model, from a seed."""

    both: Beside
    decided: dict[Any, tuple[bool, int]]

    def play(self) -> None: ...


D = TypeVar("D", bound=Deciding)


def played(
    kind: Callable[[int], D], look: Callable[[D], Counter[str]] = lambda _: Counter()
) -> Counter[str]:
    """What happened in sixty games, and in how many instances something was decided."""
    total: Counter[str] = Counter()
    for seed in range(60):
        game = kind(seed)
        game.play()
        total += game.both.seen
        total["done"] += len(game.decided)
        total += look(game)
    return total
