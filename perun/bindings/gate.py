"""Gate: paths over several hubs (protocol, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from perun import encoding
from perun.bindings import abi
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.instances import InstanceReader
from perun.bindings.logs import Event, Table, kind
from perun.bindings.nanocontract import Nanocontract
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike
from perun.encoding import GateDomain
from perun.types import (
    Address,
    InstanceId,
    Nano,
    Path,
    PathId,
    PathRecord,
    Record,
    Signature,
    UnixTime,
    Wei,
)

PATH = "(address,bytes32,address[],uint40,bytes32)"
OPEN = f"open({PATH},bytes[])"
FIX = f"fix({PATH},int112,bytes[])"
PATH_ID = f"pathId({PATH})"
RECORD = "record(bytes32)"


class PathOpened(Event, frozen=True, gc=False):
    """Every party of a path has agreed that its instance counts, from the second after its end."""

    id: PathId
    app: Address
    instance: InstanceId
    end: UnixTime


class PathFixed(Event, frozen=True, gc=False):
    """Every party of a path has agreed on what moves."""

    id: PathId
    shift: Wei


_LOGS: Table[PathOpened | PathFixed] = Table(
    kind("PathOpened", ("bytes32",), ("address", "bytes32", "uint40"), PathOpened),
    kind("PathFixed", ("bytes32",), ("int112",), PathFixed),
)


class StoredPath(Record, frozen=True, gc=False):
    """A path's record; all zero before anything was shown."""

    opened: bool
    """Whether the inner instance is asked after the end."""
    fixed: bool
    """Whether it is done, with `shift`."""
    end: UnixTime
    app: Address
    """Zero unless opened."""
    instance: InstanceId
    """Zero unless it was opened."""
    shift: Wei
    """What moves from Alice to Bob; 0 unless fixed."""


def open_path(contract: Address, path: Path, signatures: Sequence[Signature]) -> Call:
    """Shows that every party has signed `Opening`."""
    return Call(contract, abi.encode_call(OPEN, path, list(signatures)))


def fix_path(contract: Address, path: Path, shift: Wei, signatures: Sequence[Signature]) -> Call:
    """Shows that every party has signed `Final`."""
    return Call(contract, abi.encode_call(FIX, path, shift, list(signatures)))


def path_id(contract: Address, path: Path) -> Query[PathId]:
    """Asks for a path's id; `perun.encoding.path_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(PATH_ID, path),
        lambda data: PathId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def record(contract: Address, id: InstanceId) -> Query[StoredPath]:
    """Asks what is stored of a path."""
    return Query(
        contract,
        abi.encode_call(RECORD, id),
        lambda data: _unpacked(*abi.decode(("uint256", "bytes32"), data)),
    )


def _unpacked(word: int, instance: bytes) -> StoredPath:
    opened, fixed = bool(word >> 255), bool(word >> 254 & 1)
    shift = word & 2**112 - 1 if fixed else 0
    shift -= (shift >> 111) << 112
    app = Address((word & 2**160 - 1 if opened else 0).to_bytes(20, "big"))
    end = UnixTime(word >> 220 & 2**34 - 1)
    return StoredPath(opened, fixed, end, app, InstanceId(instance), Wei(shift))


class PathReader(InstanceReader[PathRecord, StoredPath]):
    """Storage says all that events do."""

    table = _LOGS
    direct = OPEN

    def call(self, contract: Address, evidence: bytes) -> Call:
        """See `InstanceReader`: a word says the form, and each has a function of its own."""
        name = (OPEN, FIX)[int.from_bytes(evidence[:32], "big")]
        return Call(contract, abi.selector(name) + evidence[32:])

    def announced(self, event: Event) -> PathRecord:
        """See `InstanceReader`."""
        if isinstance(event, PathFixed):
            return PathRecord(True, event.shift)
        return PathRecord(False, Wei(0))

    def ask(self, contract: Address, id: InstanceId) -> Query[StoredPath]:
        """See `InstanceReader`."""
        return record(contract, id)

    def differs(self, on: PathRecord | None, stored: StoredPath) -> str:
        """See `InstanceReader`."""
        if (on is not None) != (stored.opened or stored.fixed):
            return "whether anything was shown"
        if on is not None and (on.fixed, on.shift) != (stored.fixed, stored.shift):
            return "what was fixed"
        return ""

    def worse(self, on: PathRecord | None, stored: StoredPath) -> PathRecord | None:
        """See `InstanceReader`: what is fixed stays, and opened is nothing to answer."""
        if not self.dangerous(stored) or (on is not None and on.fixed):
            return on
        return PathRecord(stored.fixed, stored.shift)

    def dangerous(self, stored: StoredPath) -> bool:
        """See `InstanceReader`."""
        return stored.opened or stored.fixed


class Gate(Nanocontract):
    """The contract that lets an instance count once every party of a path has signed: `Opening`,
    `Final`.

    Source: protocol, section 4. Times in Unix seconds; sending and errors as in `Front`.
    """

    table = _LOGS
    reader = PathReader()

    @cached_property
    def domain(self) -> GateDomain:
        """What ids are made and messages signed in."""
        return encoding.gate_domain(self.chain_id, self.address)

    def nano(self, path: Path, locks: tuple[Wei, Wei], *, swapped: bool = False) -> Nano:
        """How a channel's state lists the path, until its end.

        Args:
            locks: those of the inner instance, of its Alice and its Bob.
            swapped: whether the path's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        return self._listed(encoding.path_id(self.domain, path), locks, path.end, swapped)

    def open(
        self,
        path: Path,
        signatures: Sequence[Signature],
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Shows that every party has signed `Opening`, in the order of the parties; whoever calls.
        Announces `PathOpened`."""
        return self._send(open_path(self.address, path, signatures), sender, gas, fees)

    def fix(
        self,
        path: Path,
        shift: Wei,
        signatures: Sequence[Signature],
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Shows that every party has signed `Final` with `shift`, in the order of the parties;
        whoever calls. Announces `PathFixed`."""
        return self._send(fix_path(self.address, path, shift, signatures), sender, gas, fees)

    def path_id(self, path: Path) -> PathId:
        """The contract's own answer; `perun.encoding.path_id` needs no node."""
        return self._ask(path_id(self.address, path))

    def record(self, id: InstanceId) -> StoredPath:
        """What is stored of a path."""
        return self._ask(record(self.address, id))
