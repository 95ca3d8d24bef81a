"""`HashChain` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import chain_digest, hash_chain_domain, stream_id, tick_hash, ticks_evidence
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.types import (
    ZERO_ADDRESS,
    Chain,
    ChainId,
    Salt,
    Seconds,
    Signature,
    Stream,
    StreamId,
    UnixTime,
    Wei,
)
from tests.games.stateful.beside import Beside, played
from tests.games.stateful.evm import CHAIN_ID

PAYER, OTHER = (SecretKey(bytes((n,)) * 32) for n in (1, 2))
LENGTH = 6
"""Of every chain of hashes, but for some that say more."""


class Streams:
    """A few streams at once; ticks are shown in any order, of any chain, in time and late."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Beside("HashChain")
        domain = hash_chain_domain(ChainId(CHAIN_ID), self.both.address)
        self.model = HashChain(self.both.host, domain)
        self.decided: dict[StreamId, tuple[bool, int]] = {}
        self.totals: dict[StreamId, int] = {}

    def play(self) -> None:
        streams = [self._new() for _ in range(3)]
        for _ in range(16):
            self.both.wait(self.rng.choice((0, 0, 1, 2, 5)))
            self._show(self.rng.choice(streams))
            for stream in streams:
                self._compare(stream)
        self.both.wait(200)
        for stream in streams:
            self._compare(stream)

    def _new(self) -> Stream:
        rng = self.rng
        far = rng.random() < 0.1
        return Stream(
            PAYER.address if rng.random() < 0.95 else ZERO_ADDRESS,
            Wei(rng.choice((5, 10, 2**111 - 1))),
            Wei(rng.choice((0, 1, 2, 2**111 - 1))),
            rng.random() < 0.5,
            UnixTime(2**34 - 5 if far else self.both.now + rng.randint(0, 12)),
            Seconds(rng.choice((0, 5, 12))),
            Salt(rng.randbytes(32)),
        )

    def _show(self, stream: Stream) -> None:
        rng, identity = self.rng, stream_id(self.model.domain, stream)
        values = [rng.randbytes(32)]
        for _ in range(LENGTH):
            values.insert(0, tick_hash(identity, values[0]))
        root, base = values[0], Wei(rng.choice((0, 0, 1, 4, 9)))
        ticks = rng.randint(0, LENGTH)
        value = values[ticks] if rng.random() < 0.9 else rng.randbytes(32)
        ticks = ticks if rng.random() < 0.95 else 1_025
        key = PAYER if rng.random() < 0.95 else OTHER
        signed = sign(chain_digest(self.model.domain, Chain(identity, base, root)), key)
        signed = signed if rng.random() < 0.95 else Signature(b"")
        arguments = (stream, base, root, ticks, value, signed)
        way, args = "submitTicks", arguments
        if rng.random() < 0.5:
            way, args = "submit", (ticks_evidence(*arguments),)
        self.both.perform(way, args, lambda: self.model.submit_ticks(*arguments))

    def _compare(self, stream: Stream) -> None:
        identity = stream_id(self.model.domain, stream)
        assert self.both.view("streamId", stream) == (identity,)
        outcome = self.model.outcome(identity)
        assert self.both.view("outcome", identity) == outcome
        (word,) = self.both.view("record", identity)
        record = self.model.records.get(identity)
        if record is None:
            assert word == 0
        else:
            assert word == record.bob_pays << 145 | record.deadline << 111 | record.total
            assert self.totals.get(identity, 0) <= record.total <= stream.lock  # only rises
            self.totals[identity] = record.total
        if outcome[0]:  # once done it never changes, and never later than the final time
            assert self.decided.setdefault(identity, outcome) == outcome
            assert (outcome[1] < 0) is stream.bob_pays
        else:
            assert record is None or self.both.now <= stream.validity + stream.challenge


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    return played(Streams)


@pytest.mark.parametrize(
    "what",
    [
        "submitTicks", "submit", "changed nothing", "done",
        "TooLate", "TooManyTicks", "WrongRoot", "WrongSigner", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
