"""CoinFlip: two secrets decide who pays (protocol, section 4)."""

from __future__ import annotations

from functools import cached_property

from perun import checks, encoding
from perun.bindings import abi
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.instances import InstanceReader
from perun.bindings.logs import Event, Table, kind
from perun.bindings.nanocontract import Nanocontract
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike
from perun.encoding import CoinFlipDomain
from perun.types import (
    Address,
    Flip,
    FlipId,
    FlipRecord,
    InstanceId,
    Nano,
    Preimage,
    Record,
    UnixTime,
)

FLIP = "(uint112,uint112,bytes32,bytes32,uint16,uint40,uint32,bytes32)"
REVEAL = f"reveal({FLIP},bool,bytes32)"
FLIP_ID = f"flipId({FLIP})"
RECORD = "record(bytes32)"


class FlipRevealed(Event, frozen=True, gc=False):
    """A side's secret of a coin flip is public, or its hand. Solidity's name is `Revealed`, too."""

    id: InstanceId
    bob: bool
    """Whether it is Bob's, else Alice's."""
    secret: Preimage
    deadline: UnixTime
    """Last second at which the other side may follow."""


_LOGS: Table[FlipRevealed] = Table(
    kind("Revealed", ("bytes32",), ("bool", "bytes32", "uint40"), FlipRevealed)
)


class StoredFlip(Record, frozen=True, gc=False):
    """A flip's word: which secrets were revealed, and of one alone what it adds to the sum."""

    decided: bool
    """Both were revealed."""
    alice: bool
    """Only Alice's was."""
    bob: bool
    """Only Bob's was."""
    deadline: UnixTime
    """Last second for the second one; 0 if it has come, or none has."""
    share: int
    """The last 16 bits of the only one."""


def reveal(contract: Address, flip: Flip, bob: bool, secret: Preimage) -> Call:
    """Reveals a side's secret; again, it changes nothing.

    Raises:
        WrongType, WrongLength: the secret is not 32 bytes.
    """
    checks.length("secret", secret, 32)
    return Call(contract, abi.encode_call(REVEAL, flip, bob, secret))


def flip_id(contract: Address, flip: Flip) -> Query[FlipId]:
    """Asks for a flip's id; `perun.encoding.flip_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(FLIP_ID, flip),
        lambda data: FlipId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def record(contract: Address, id: InstanceId) -> Query[StoredFlip]:
    """Asks what is stored of a flip."""
    return Query(
        contract,
        abi.encode_call(RECORD, id),
        lambda data: _unpacked(abi.decode(("uint256",), data)[0]),
    )


def _unpacked(word: int) -> StoredFlip:
    decided, by_bob, begun = word >> 255 == 1, word >> 254 & 1 == 1, word != 0
    if decided or not begun:
        return StoredFlip(decided, False, False, UnixTime(0), 0)
    deadline = UnixTime(word >> 220 & 2**34 - 1)
    return StoredFlip(False, not by_bob, by_bob, deadline, word >> 112 & 2**16 - 1)


class FlipReader(InstanceReader[FlipRecord, StoredFlip]):
    """Storage says who revealed and until when the other may follow, but not what."""

    table = _LOGS
    direct = REVEAL

    def announced(self, event: Event) -> FlipRecord:
        """See `InstanceReader`: an event says one of the secrets."""
        assert isinstance(event, FlipRevealed)
        by_bob = event.bob
        return FlipRecord(
            b"" if by_bob else event.secret, event.secret if by_bob else b"", event.deadline
        )

    def ask(self, contract: Address, id: InstanceId) -> Query[StoredFlip]:
        """See `InstanceReader`."""
        return record(contract, id)

    def differs(self, on: FlipRecord | None, stored: StoredFlip) -> str:
        """See `InstanceReader`."""
        alice, bob = (False, False) if on is None else (bool(on.alice), bool(on.bob))
        if stored.decided != (alice and bob):
            return "whether both secrets were revealed"
        if not stored.decided and (stored.alice, stored.bob) != (alice, bob):
            return "who has revealed"
        return ""

    def worse(self, on: FlipRecord | None, stored: StoredFlip) -> FlipRecord | None:
        """See `InstanceReader`. Of a secret that only storage has, the bits that count stand for
        it: they do not open the commitment, but they say whom the clock runs against."""
        if on is not None or not (stored.alice or stored.bob):
            return on
        secret = stored.share.to_bytes(32, "big")
        alice, bob = (secret, b"") if stored.alice else (b"", secret)
        return FlipRecord(alice, bob, stored.deadline)

    def dangerous(self, stored: StoredFlip) -> bool:
        """See `InstanceReader`."""
        return stored.alice or stored.bob


class CoinFlip(Nanocontract):
    """The contract that decides coin flips: `Flip`, two secrets.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`.
    """

    table = _LOGS
    reader = FlipReader()

    @cached_property
    def domain(self) -> CoinFlipDomain:
        """What ids are made in."""
        return encoding.coin_flip_domain(self.chain_id, self.address)

    def nano(self, flip: Flip, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the flip, until its final time.

        Args:
            swapped: whether the flip's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        id = encoding.flip_id(self.domain, flip)
        final_time = flip.validity + flip.window
        return self._listed(id, (flip.alice_lock, flip.bob_lock), final_time, swapped)

    def reveal(
        self,
        flip: Flip,
        bob: bool,
        secret: Preimage,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Reveals the secret of Alice, or Bob's; whoever calls. Announces `FlipRevealed`."""
        return self._send(reveal(self.address, flip, bob, secret), sender, gas, fees)

    def flip_id(self, flip: Flip) -> FlipId:
        """The contract's own answer; `perun.encoding.flip_id` needs no node."""
        return self._ask(flip_id(self.address, flip))

    def record(self, id: InstanceId) -> StoredFlip:
        """What is stored of a flip."""
        return self._ask(record(self.address, id))
