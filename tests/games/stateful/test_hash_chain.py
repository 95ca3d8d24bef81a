"""`HashChain` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import chain_digest, hash_chain_domain, stream_id, tick_hash, ticks_evidence
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.types import (
    ZERO_ADDRESS,
    Chain,
    Salt,
    Seconds,
    Signature,
    Stream,
    StreamId,
    UnixTime,
    Wei,
)
from tests.games.stateful.beside import Several, played

PAYER, OTHER = (SecretKey(bytes((n,)) * 32) for n in (1, 2))
LENGTH = 6
"""Of every chain of hashes, but for some that say more."""


class Streams(Several[Stream]):
    """A few streams at once; ticks are shown in any order, of any chain, in time and late."""

    contract = "HashChain"
    kind = HashChain
    domain = hash_chain_domain
    id_view = "streamId"

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.totals: dict[StreamId, int] = {}

    def new(self) -> Stream:
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

    def act(self, stream: Stream) -> None:
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

    def id_of(self, terms: Stream) -> StreamId:
        return stream_id(self.model.domain, terms)

    def word_of(self, terms: Stream, record: Any) -> int:
        identity = self.id_of(terms)
        assert self.totals.get(identity, 0) <= record.total <= terms.lock  # only rises
        self.totals[identity] = record.total
        return int(record.bob_pays << 145 | record.deadline << 111 | record.total)

    def final_time(self, terms: Stream) -> int:
        return terms.validity + terms.challenge

    def check_shift(self, terms: Stream, shift: int) -> None:
        assert (shift < 0) is terms.bob_pays


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
