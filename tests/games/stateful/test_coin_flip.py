"""`CoinFlip` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from perun.encoding import coin_flip_domain, flip_commit, flip_evidence, flip_id
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.spec.nanocontracts.two_secrets import Decided
from perun.types import ChainId, Flip, FlipId, Salt, Seconds, UnixTime, Wei
from tests.games.stateful.beside import Beside, played
from tests.games.stateful.evm import CHAIN_ID


class Flips:
    """A few flips at once, revealed by either side, in time and late."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Beside("CoinFlip")
        domain = coin_flip_domain(ChainId(CHAIN_ID), self.both.address)
        self.model = CoinFlip(self.both.host, domain)
        self.decided: dict[FlipId, tuple[bool, int]] = {}

    def play(self) -> None:
        flips = [self._new() for _ in range(3)]
        for _ in range(14):
            self.both.wait(self.rng.choice((0, 0, 1, 2, 5)))
            flip, secrets = self.rng.choice(flips)
            self._reveal(flip, self.rng.random() < 0.5, secrets)
            for known, _ in flips:
                self._compare(known)
        self.both.wait(200)
        for known, _ in flips:
            self._compare(known)

    def _new(self) -> tuple[Flip, tuple[bytes, bytes]]:
        rng = self.rng
        secrets = (rng.randbytes(32), rng.randbytes(32))
        commits = [flip_commit(bob, secrets[bob]) for bob in (False, True)]
        far = rng.random() < 0.1
        return Flip(
            Wei(rng.choice((0, 1, 10**18, 2**111 - 1))),
            Wei(rng.randint(0, 100)),
            *commits,
            rng.choice((0, 1, 2**15, 2**16 - 1, rng.randint(0, 2**16 - 1))),
            UnixTime(2**34 - 5 if far else self.both.now + rng.randint(0, 9)),
            Seconds(rng.choice((0, 3, 10))),
            Salt(rng.randbytes(32)),
        ), secrets

    def _reveal(self, flip: Flip, bob: bool, secrets: tuple[bytes, bytes]) -> None:
        """Now and then the secret of the other side, or of nobody."""
        rng = self.rng
        secret = secrets[bob] if rng.random() < 0.9 else rng.choice((secrets[not bob], bytes(32)))
        args: tuple[object, ...] = (flip, bob, secret)
        function = "reveal"
        if rng.random() < 0.5:
            function, args = "submit", (flip_evidence(flip, bob, secret),)
        self.both.perform(function, args, lambda: self.model.reveal(flip, bob, secret))

    def _compare(self, flip: Flip) -> None:
        identity = flip_id(self.model.domain, flip)
        assert self.both.view("flipId", flip) == (identity,)
        outcome = self.model.outcome(identity)
        assert self.both.view("outcome", identity) == outcome
        (word,) = self.both.view("record", identity)
        record = self.model.records.get(identity)
        if record is None:
            assert word == 0
        elif isinstance(record, Decided):
            assert word == 1 << 255 | record.shift % 2**112
        else:
            share = int.from_bytes(record.secret[-2:], "big")
            head = record.bob << 254 | record.deadline << 220
            assert word == head | share << 112 | record.forfeit
        if outcome[0]:  # once done it never changes, and never later than the final time
            assert self.decided.setdefault(identity, outcome) == outcome
            assert -flip.bob_lock <= outcome[1] <= flip.alice_lock
        else:
            assert record is None or self.both.now <= flip.validity + flip.window


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return played(Flips)


@pytest.mark.parametrize(
    "what",
    [
        "reveal", "submit", "changed nothing", "done",
        "TooLate", "WrongSecret", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
