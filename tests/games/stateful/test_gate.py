"""`Gate` and its model after random calls: the same refusals, events, records, outcomes.

The inner instances are hash locks, which are done at once: before the end of the path, or never.
"""

from __future__ import annotations

from collections import Counter

import pytest

from perun.crypto import SecretKey
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.encoding import (
    final_digest,
    fix_evidence,
    gate_domain,
    hash_time_lock_domain,
    lock_id,
    open_evidence,
    opening_digest,
    path_id,
    reveal_evidence,
)
from perun.spec.nanocontracts.gate import Fixed, Gate, Opened
from perun.spec.nanocontracts.hash_time_lock import HashTimeLock
from perun.types import (
    ZERO_ADDRESS,
    ChainId,
    Final,
    InstanceId,
    Lock,
    Opening,
    Path,
    PathId,
    Preimage,
    Salt,
    Signature,
    UnixTime,
    Wei,
)
from tests.games.stateful.beside import GAS, SENDER, AtRandom, played
from tests.games.stateful.codec import Codec, artifacts
from tests.games.stateful.evm import CHAIN_ID

KEYS = tuple(SecretKey(bytes((n,)) * 32) for n in range(1, 5))
SECRET = Preimage(b"\x07" * 32)


class Paths(AtRandom[Path]):
    """A few paths at once; signatures are missing, forged, of another path, early or late."""

    contract, kind, domain = "Gate", Gate, gate_domain

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        place = self.both.deploy("HashTimeLock")
        self.locks = HashTimeLock(self.both.host, hash_time_lock_domain(ChainId(CHAIN_ID), place))
        self.both.host.apps[place] = self.locks
        self.inner: dict[InstanceId, Lock] = {}
        self.asked = 0

    def new(self) -> Path:
        rng = self.rng
        end = UnixTime(2**34 if rng.random() < 0.05 else self.both.now + rng.randint(0, 12))
        until = UnixTime(min(end, 2**34 - 1))
        lock = Lock(Wei(7), rng.random() < 0.5, keccak(SECRET), until, Salt(rng.randbytes(32)))
        instance = InstanceId(lock_id(self.locks.domain, lock))
        self.inner[instance] = lock
        keys = rng.sample(KEYS, rng.choice((3, 4)))
        parties = tuple(key.address for key in keys)
        app = self.locks.domain.contract if rng.random() < 0.9 else ZERO_ADDRESS
        return Path(app, instance, parties, end, Salt(rng.randbytes(32)))

    def signed(self, path: Path, shift: Wei | None) -> list[Signature]:
        """By every party, unless chance has it otherwise."""
        rng, identity = self.rng, path_id(self.model.domain, path)
        if rng.random() < 0.03:
            identity = PathId(InstanceId(rng.randbytes(32)))
        domain = self.model.domain
        digest = (
            opening_digest(domain, Opening(identity))
            if shift is None
            else final_digest(domain, Final(identity, shift))
        )
        keys = {key.address: key for key in KEYS}
        made = [sign(digest, keys[party]) for party in path.parties]
        if rng.random() < 0.1:
            rng.choice((made.pop, made.reverse, lambda: made.append(Signature(b""))))()
        return made

    def act(self, path: Path) -> None:
        rng = self.rng
        chosen = rng.random()
        if chosen < 0.2:
            self.reveal(self.inner[path.instance])
        elif chosen < 0.6:
            signatures = self.signed(path, None)
            self.either(
                ("open", (path, signatures)),
                open_evidence(path, signatures),
                lambda: self.model.open(path, signatures),
            )
        else:
            shift = Wei(rng.choice((0, 3, -3, 2**111 - 1)))
            signatures = self.signed(path, shift)
            self.either(
                ("fix", (path, shift, signatures)),
                fix_evidence(path, shift, signatures),
                lambda: self.model.fix(path, shift, signatures),
            )

    # Any: arguments as the contract takes them.
    def either(self, direct, evidence, model) -> None:  # type: ignore[no-untyped-def]
        """By its own function, or as evidence."""
        way = direct if self.rng.random() < 0.5 else ("submit", (evidence,))
        self.both.perform(*way, model)

    def reveal(self, lock: Lock) -> None:
        """The inner instance is done, in both tellings."""
        place, evidence = self.locks.domain.contract, reveal_evidence(lock, SECRET)
        data = Codec(artifacts()["HashTimeLock"]["abi"]).call("submit", (evidence,))
        took = self.both.chain.call(SENDER, place, data, 0, GAS).success
        assert took == self.locks.submit(evidence)

    def compare(self, path: Path) -> None:
        identity = path_id(self.model.domain, path)
        assert self.both.view("pathId", path) == (identity,)
        record = self.model.records.get(identity)
        word, instance = self.both.view("record", identity)
        end = path.end << 220
        if isinstance(record, Opened):
            assert word == 1 << 255 | end | int.from_bytes(path.app, "big")
            assert instance == path.instance
        elif isinstance(record, Fixed):
            assert word == 1 << 254 | end | record.shift % 2**112
        else:
            assert (word, instance) == (0, bytes(32))
        outcome = self.model.outcome(identity)
        if isinstance(record, Opened) and path.app == ZERO_ADDRESS and self.both.now > path.end:
            self.asked += 1
            return  # The chain's answer is a failure, which counts as "not done".
        assert self.both.view("outcome", identity) == outcome
        if outcome[0]:
            assert self.decided.setdefault(identity, outcome) == outcome
        else:
            assert identity not in self.decided


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    def look(game: Paths) -> Counter[str]:
        by_inner = sum(abs(shift) == 7 for _, shift in game.decided.values())
        return Counter(inner=by_inner, nobody=game.asked)

    return played(Paths, look)


@pytest.mark.parametrize(
    "what",
    [
        "open", "fix", "submit", "changed nothing", "done", "inner", "nobody",
        "TooLate", "WrongSigner", "WrongPartyCount", "FinalTimeTooFar",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0
