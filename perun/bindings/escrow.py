"""Escrow: an arbiter, both parties or a clock share out two locks (protocol, section 4)."""

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
from perun.encoding import EscrowDomain
from perun.types import (
    Address,
    Deal,
    DealId,
    DealRecord,
    InstanceId,
    Nano,
    Record,
    Signature,
    UnixTime,
    Wei,
)

DEAL = "(address,address,address,uint112,uint112,int112,uint40,uint40,uint32,bytes32)"
AWARD = f"award({DEAL},int112,bytes)"
AGREE = f"agree({DEAL},int112,bytes,bytes)"
LATE = f"late({DEAL})"
SUBMIT = "submit(bytes)"
DEAL_ID = f"dealId({DEAL})"
RECORD = "record(bytes32)"


class Decided(Event, frozen=True, gc=False):
    """Evidence about a deal in escrow stands; better may come by its deadline."""

    id: DealId
    rank: int
    """0 the late rule, 1 an award, 2 two awards that differ, 3 an agreement."""
    shift: Wei
    """What moves from Alice to Bob."""
    deadline: UnixTime


_LOGS: Table[Decided] = Table(kind("Decided", ("bytes32",), ("uint8", "int112", "uint40"), Decided))


class StoredDeal(Record, frozen=True, gc=False):
    """A deal's word; all zero before anything was brought."""

    rank: int
    """0 the late rule, 1 an award, 2 two awards that differ, 3 an agreement."""
    shift: Wei
    """What moves from Alice to Bob when it is done."""
    deadline: UnixTime
    """Last second for better evidence."""


def award(contract: Address, deal: Deal, shift: Wei, signature: Signature) -> Call:
    """Brings an award by the arbiter."""
    return Call(contract, abi.encode_call(AWARD, deal, shift, signature))


def agree(
    contract: Address, deal: Deal, shift: Wei, signature_alice: Signature, signature_bob: Signature
) -> Call:
    """Brings an agreement of both parties."""
    arguments = (deal, shift, signature_alice, signature_bob)
    return Call(contract, abi.encode_call(AGREE, *arguments))


def late(contract: Address, deal: Deal) -> Call:
    """Says that `due` is over."""
    return Call(contract, abi.encode_call(LATE, deal))


def deal_id(contract: Address, deal: Deal) -> Query[DealId]:
    """Asks for a deal's id; `perun.encoding.deal_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(DEAL_ID, deal),
        lambda data: DealId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def record(contract: Address, id: InstanceId) -> Query[StoredDeal]:
    """Asks what is stored of a deal."""
    return Query(
        contract,
        abi.encode_call(RECORD, id),
        lambda data: _unpacked(abi.decode(("uint256",), data)[0]),
    )


def _unpacked(word: int) -> StoredDeal:
    shift = word & 2**112 - 1
    shift -= (shift >> 111) << 112
    return StoredDeal(word >> 254, Wei(shift), UnixTime(word >> 112 & 2**34 - 1))


class DealReader(InstanceReader[DealRecord, StoredDeal]):
    """Storage says all that events do."""

    table = _LOGS
    direct = SUBMIT

    def call(self, contract: Address, evidence: bytes) -> Call:
        """See `InstanceReader`: a word says the form, and each has a function of its own."""
        name = (AWARD, AGREE, LATE)[int.from_bytes(evidence[:32], "big")]
        return Call(contract, abi.selector(name) + evidence[32:])

    def announced(self, event: Event) -> DealRecord:
        """See `InstanceReader`."""
        assert isinstance(event, Decided)
        return DealRecord(event.rank, event.shift, event.deadline)

    def ask(self, contract: Address, id: InstanceId) -> Query[StoredDeal]:
        """See `InstanceReader`."""
        return record(contract, id)

    def differs(self, on: DealRecord | None, stored: StoredDeal) -> str:
        """See `InstanceReader`."""
        if (on is not None) != bool(stored.deadline):
            return "whether anything was brought"
        if on is not None and (on.rank, on.shift) != (stored.rank, stored.shift):
            return "what was decided"
        return ""

    def worse(self, on: DealRecord | None, stored: StoredDeal) -> DealRecord | None:
        """See `InstanceReader`: a rank never falls, so the higher one is to be answered."""
        if not stored.deadline or (on is not None and on.rank >= stored.rank):
            return on
        return DealRecord(stored.rank, stored.shift, stored.deadline)

    def dangerous(self, stored: StoredDeal) -> bool:
        """See `InstanceReader`."""
        return bool(stored.deadline)


class Escrow(Nanocontract):
    """The contract that decides deals in escrow: `Deal`, `Award`.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`.
    """

    table = _LOGS
    reader = DealReader()

    @cached_property
    def domain(self) -> EscrowDomain:
        """What ids are made, and awards signed, in."""
        return encoding.escrow_domain(self.chain_id, self.address)

    def nano(self, deal: Deal, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the deal, until its final time.

        Args:
            swapped: whether the deal's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        id = encoding.deal_id(self.domain, deal)
        final_time = deal.validity + deal.challenge
        return self._listed(id, (deal.alice_lock, deal.bob_lock), final_time, swapped)

    def award(
        self,
        deal: Deal,
        shift: Wei,
        signature: Signature,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Brings an award by the arbiter; whoever calls. Announces `Decided`."""
        return self._send(award(self.address, deal, shift, signature), sender, gas, fees)

    def agree(
        self,
        deal: Deal,
        shift: Wei,
        signature_alice: Signature,
        signature_bob: Signature,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Brings an agreement of both parties; whoever calls. Announces `Decided`."""
        call = agree(self.address, deal, shift, signature_alice, signature_bob)
        return self._send(call, sender, gas, fees)

    def late(
        self,
        deal: Deal,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Says that `due` is over and nobody has brought anything. Announces `Decided`."""
        return self._send(late(self.address, deal), sender, gas, fees)

    def deal_id(self, deal: Deal) -> DealId:
        """The contract's own answer; `perun.encoding.deal_id` needs no node."""
        return self._ask(deal_id(self.address, deal))

    def record(self, id: InstanceId) -> StoredDeal:
        """What is stored of a deal."""
        return self._ask(record(self.address, id))
