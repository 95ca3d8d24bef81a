"""One nanocontract on a chain and its model beside it, called alike and compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from perun.spec import Host
from perun.spec.reverts import MalformedEvidence, Refused
from perun.types import Address, ChainId
from tests.games.stateful.cast import CROOKS
from tests.games.stateful.codec import Codec, artifacts, plain
from tests.games.stateful.evm import CHAIN_ID, GENESIS, Revm

P = TypeVar("P")

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


# Any: terms, ids and records are of a type for each kind.
class AtRandom(ABC, Generic[P]):
    """A few instances of one kind at once, called at random, and compared after every call."""

    contract: ClassVar[str]
    kind: ClassVar[Callable[..., Any]]
    """Of the model."""
    domain: ClassVar[Callable[[ChainId, Address], Any]]
    rounds: ClassVar[int] = 16

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Beside(self.contract)
        domain = type(self).domain(ChainId(CHAIN_ID), self.both.address)
        self.model = type(self).kind(self.both.host, domain)
        self.decided: dict[Any, tuple[bool, int]] = {}

    @abstractmethod
    def new(self) -> P:
        """The terms of another one."""

    @abstractmethod
    def act(self, terms: P) -> None:
        """Calls something of it, both alike."""

    @abstractmethod
    def compare(self, terms: P) -> None:
        """Holds what both say of it now against each other."""

    def play(self) -> None:
        known = [self.new() for _ in range(3)]
        for _ in range(self.rounds):
            self.both.wait(self.rng.choice((0, 0, 1, 2, 5)))
            self.act(self.rng.choice(known))
            for one in known:
                self.compare(one)
        self.both.wait(200)
        for one in known:
            self.compare(one)


class Several(AtRandom[P]):
    """Those of which the contract stores one word, and answers whatever is asked."""

    id_view: ClassVar[str]
    """The contract's own answer."""

    @abstractmethod
    def id_of(self, terms: P) -> Any:
        """As our own code computes it."""

    @abstractmethod
    def word_of(self, terms: P, record: Any) -> int:
        """What the contract stores where the model has a record."""

    @abstractmethod
    def final_time(self, terms: P) -> int:
        """What is not done then never will be."""

    def check_shift(self, terms: Any, shift: int) -> None:
        assert -terms.bob_lock <= shift <= terms.alice_lock

    def compare(self, terms: P) -> None:
        identity = self.id_of(terms)
        assert self.both.view(self.id_view, terms) == (identity,)
        outcome = self.model.outcome(identity)
        assert self.both.view("outcome", identity) == outcome
        (word,) = self.both.view("record", identity)
        record = self.model.records.get(identity)
        assert word == (0 if record is None else self.word_of(terms, record))
        if outcome[0]:  # once done it never changes, and never later than the final time
            assert self.decided.setdefault(identity, outcome) == outcome
            self.check_shift(terms, outcome[1])
        else:
            assert record is None or self.both.now <= self.final_time(terms)


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
