"""HashChain: streams of payments of one hash each (protocol, section 4)."""

from __future__ import annotations

from functools import cached_property

from perun import encoding
from perun.bindings import abi
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.instances import InstanceReader
from perun.bindings.logs import Event, Table, kind
from perun.bindings.nanocontract import Nanocontract
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike
from perun.encoding import HashChainDomain
from perun.types import (
    Address,
    InstanceId,
    Nano,
    Record,
    Signature,
    Stream,
    StreamId,
    StreamRecord,
    UnixTime,
    Wei,
)

STREAM = "(address,uint112,uint112,bool,uint40,uint32,bytes32)"
SUBMIT_TICKS = f"submitTicks({STREAM},uint112,bytes32,uint256,bytes32,bytes)"
STREAM_ID = f"streamId({STREAM})"
RECORD = "record(bytes32)"
MOST_TICKS = "MOST_TICKS()"


class TicksSubmitted(Event, frozen=True, gc=False):
    """So much of a stream was shown; more may be, by its deadline."""

    id: StreamId
    total: Wei
    deadline: UnixTime


_LOGS: Table[TicksSubmitted] = Table(
    kind("TicksSubmitted", ("bytes32",), ("uint112", "uint40"), TicksSubmitted)
)


class StoredStream(Record, frozen=True, gc=False):
    """A stream's word; all zero before anything was shown."""

    total: Wei
    """What moves when it is done."""
    bob_pays: bool
    """Whether it moves from Bob to Alice."""
    deadline: UnixTime
    """Last second for a higher total."""


def submit_ticks(
    contract: Address,
    stream: Stream,
    base: Wei,
    root: bytes,
    ticks: int,
    value: bytes,
    signature: Signature,
) -> Call:
    """Shows that `base` and `ticks` more ticks were paid."""
    arguments = (stream, base, root, ticks, value, signature)
    return Call(contract, abi.encode_call(SUBMIT_TICKS, *arguments))


def stream_id(contract: Address, stream: Stream) -> Query[StreamId]:
    """Asks for a stream's id; `perun.encoding.stream_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(STREAM_ID, stream),
        lambda data: StreamId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def record(contract: Address, id: InstanceId) -> Query[StoredStream]:
    """Asks what is stored of a stream."""
    return Query(
        contract,
        abi.encode_call(RECORD, id),
        lambda data: _unpacked(abi.decode(("uint256",), data)[0]),
    )


def most_ticks(contract: Address) -> Query[int]:
    """Asks how many ticks a chain of hashes has at most."""
    return Query(
        contract,
        abi.encode_call(MOST_TICKS),
        lambda data: int(abi.decode(("uint256",), data)[0]),
    )


def _unpacked(word: int) -> StoredStream:
    deadline = UnixTime(word >> 111 & 2**34 - 1)
    return StoredStream(Wei(word & 2**111 - 1), bool(word >> 145), deadline)


class StreamReader(InstanceReader[StreamRecord, StoredStream]):
    """Storage says all that events do."""

    table = _LOGS
    direct = SUBMIT_TICKS

    def announced(self, event: Event) -> StreamRecord:
        """See `InstanceReader`."""
        assert isinstance(event, TicksSubmitted)
        return StreamRecord(event.total, event.deadline)

    def ask(self, contract: Address, id: InstanceId) -> Query[StoredStream]:
        """See `InstanceReader`."""
        return record(contract, id)

    def differs(self, on: StreamRecord | None, stored: StoredStream) -> str:
        """See `InstanceReader`."""
        if (on is not None) != bool(stored.deadline):
            return "whether anything was shown"
        if on is not None and (on.total, on.deadline) != (stored.total, stored.deadline):
            return "the total, or until when a higher one counts"
        return ""

    def worse(self, on: StreamRecord | None, stored: StoredStream) -> StreamRecord | None:
        """See `InstanceReader`: totals only rise, and there is one deadline."""
        if not stored.deadline or (on is not None and on.total >= stored.total):
            return on
        return StreamRecord(stored.total, stored.deadline)

    def dangerous(self, stored: StoredStream) -> bool:
        """See `InstanceReader`."""
        return bool(stored.deadline)


class HashChain(Nanocontract):
    """The contract that decides streams: `Stream`, `Chain`.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`.
    """

    reader = StreamReader()
    table = reader.table

    @cached_property
    def domain(self) -> HashChainDomain:
        """What ids are made, and chains of hashes signed, in."""
        return encoding.hash_chain_domain(self.chain_id, self.address)

    def nano(self, stream: Stream, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the stream, until its final time.

        Args:
            swapped: whether the stream's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        locks = (Wei(0), stream.lock) if stream.bob_pays else (stream.lock, Wei(0))
        id = encoding.stream_id(self.domain, stream)
        return self._listed(id, locks, stream.validity + stream.challenge, swapped)

    def submit_ticks(
        self,
        stream: Stream,
        base: Wei,
        root: bytes,
        ticks: int,
        value: bytes,
        signature: Signature,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Shows that `base` and `ticks` more ticks were paid, by the value that hashed `ticks`
        times gives the root; whoever calls. Announces `TicksSubmitted`."""
        call = submit_ticks(self.address, stream, base, root, ticks, value, signature)
        return self._send(call, sender, gas, fees)

    def stream_id(self, stream: Stream) -> StreamId:
        """The contract's own answer; `perun.encoding.stream_id` needs no node."""
        return self._ask(stream_id(self.address, stream))

    def record(self, id: InstanceId) -> StoredStream:
        """What is stored of a stream."""
        return self._ask(record(self.address, id))

    def most_ticks(self) -> int:
        """How many ticks a chain of hashes has at most."""
        return self._ask(most_ticks(self.address))
