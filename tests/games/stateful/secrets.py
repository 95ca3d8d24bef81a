"""Random games of the kinds in which two secrets decide: revealed by either side, in time, late."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from perun.encoding import flip_commit
from perun.spec.nanocontracts.two_secrets import Decided
from perun.types import Flip, Hands, Salt, Seconds, UnixTime, Wei
from tests.games.stateful.beside import Several

S = TypeVar("S", Flip, Hands)


class Secrets(Several[S]):
    """A few at once."""

    rounds = 14
    terms: ClassVar[Callable[..., Any]]
    evidence: ClassVar[Callable[..., bytes]]

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.secrets: dict[S, tuple[bytes, bytes]] = {}

    def own_terms(self) -> tuple[int, ...]:
        """What this kind has between the commitments and the times."""
        return ()

    @abstractmethod
    def shown(self, secret: bytes) -> int:
        """What the record keeps of the first secret."""

    def new(self) -> S:
        rng = self.rng
        secrets = (rng.randbytes(32), rng.randbytes(32))
        commits = [flip_commit(bob, secrets[bob]) for bob in (False, True)]
        far = rng.random() < 0.1
        terms: S = type(self).terms(
            Wei(rng.choice((0, 1, 10**18, 2**111 - 1))),
            Wei(rng.randint(0, 100)),
            *commits,
            *self.own_terms(),
            UnixTime(2**34 - 5 if far else self.both.now + rng.randint(0, 9)),
            Seconds(rng.choice((0, 3, 10))),
            Salt(rng.randbytes(32)),
        )
        self.secrets[terms] = secrets
        return terms

    def act(self, terms: S) -> None:
        """Now and then the secret of the other side, or of nobody."""
        rng, secrets = self.rng, self.secrets[terms]
        bob = rng.random() < 0.5
        secret = secrets[bob] if rng.random() < 0.9 else rng.choice((secrets[not bob], bytes(32)))
        args: tuple[object, ...] = (terms, bob, secret)
        function = "reveal"
        if rng.random() < 0.5:
            function, args = "submit", (type(self).evidence(terms, bob, secret),)
        self.both.perform(function, args, lambda: self.model.reveal(terms, bob, secret))

    def word_of(self, terms: S, record: Any) -> int:
        if isinstance(record, Decided):
            return 1 << 255 | record.shift % 2**112
        head = int(record.bob << 254 | record.deadline << 220)
        return head | self.shown(record.secret) << 112 | record.forfeit

    def final_time(self, terms: S) -> int:
        return terms.validity + terms.window
