"""PriceBet: bets on what a reporter will sign (protocol, section 4)."""

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
from perun.encoding import PriceBetDomain
from perun.types import (
    Address,
    Bet,
    BetId,
    BetRecord,
    DomainSeparator,
    InstanceId,
    Nano,
    Record,
    Signature,
    UnixTime,
    Wei,
)

BET = "(address,bytes32,uint40,int112,int112,uint112,uint112,uint112,uint40,uint32,bytes32)"
SUBMIT_PRICE = f"submitPrice({BET},int112,bytes)"
BET_ID = f"betId({BET})"
RECORD = "record(bytes32)"
PRICE_DOMAIN_SEPARATOR = "PRICE_DOMAIN_SEPARATOR()"


class Priced(Event, frozen=True, gc=False):
    """A bet has a price; another one may make it void, by its deadline."""

    id: BetId
    void: bool
    """Whether there were two by which different amounts would move."""
    shift: Wei
    """What moves from Alice to Bob."""
    deadline: UnixTime


_LOGS: Table[Priced] = Table(kind("Priced", ("bytes32",), ("bool", "int112", "uint40"), Priced))


class StoredBet(Record, frozen=True, gc=False):
    """A bet's word; all zero before a price was shown."""

    void: bool
    """Whether two prices have contradicted each other."""
    shift: Wei
    """What moves from Alice to Bob when it is done."""
    deadline: UnixTime
    """Last second for another price."""


def submit_price(contract: Address, bet: Bet, price: Wei, signature: Signature) -> Call:
    """Shows what the reporter has signed."""
    return Call(contract, abi.encode_call(SUBMIT_PRICE, bet, price, signature))


def bet_id(contract: Address, bet: Bet) -> Query[BetId]:
    """Asks for a bet's id; `perun.encoding.bet_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(BET_ID, bet),
        lambda data: BetId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def record(contract: Address, id: InstanceId) -> Query[StoredBet]:
    """Asks what is stored of a bet."""
    return Query(
        contract,
        abi.encode_call(RECORD, id),
        lambda data: _unpacked(abi.decode(("uint256",), data)[0]),
    )


def price_domain_separator(contract: Address) -> Query[DomainSeparator]:
    """Asks in which domain it wants prices signed; `perun.PRICE_DOMAIN` is the same."""
    return Query(
        contract,
        abi.encode_call(PRICE_DOMAIN_SEPARATOR),
        lambda data: DomainSeparator(abi.decode(("bytes32",), data)[0]),
    )


def _unpacked(word: int) -> StoredBet:
    shift = word & 2**112 - 1
    shift -= (shift >> 111) << 112
    return StoredBet(bool(word >> 255), Wei(shift), UnixTime(word >> 112 & 2**34 - 1))


class BetReader(InstanceReader[BetRecord, StoredBet]):
    """Storage says all that events do."""

    table = _LOGS
    direct = SUBMIT_PRICE

    def announced(self, event: Event) -> BetRecord:
        """See `InstanceReader`."""
        assert isinstance(event, Priced)
        return BetRecord(event.void, event.shift, event.deadline)

    def ask(self, contract: Address, id: InstanceId) -> Query[StoredBet]:
        """See `InstanceReader`."""
        return record(contract, id)

    def differs(self, on: BetRecord | None, stored: StoredBet) -> str:
        """See `InstanceReader`."""
        if (on is not None) != bool(stored.deadline):
            return "whether a price was shown"
        if on is not None and (on.void, on.shift) != (stored.void, stored.shift):
            return "what was decided"
        return ""

    def worse(self, on: BetRecord | None, stored: StoredBet) -> BetRecord | None:
        """See `InstanceReader`: a bet that is void stays so."""
        if not stored.deadline or (on is not None and on.void >= stored.void):
            return on
        return BetRecord(stored.void, stored.shift, stored.deadline)

    def dangerous(self, stored: StoredBet) -> bool:
        """See `InstanceReader`."""
        return bool(stored.deadline)


class PriceBet(Nanocontract):
    """The contract that decides bets on prices: `Bet`, `Price`.

    Source: protocol, section 4. Amounts in the asset's smallest unit, prices in the feed's, times
    in Unix seconds; sending and errors as in `Front`.
    """

    reader = BetReader()
    table = reader.table

    @cached_property
    def domain(self) -> PriceBetDomain:
        """What ids are made in; prices are signed in `perun.PRICE_DOMAIN`."""
        return encoding.price_bet_domain(self.chain_id, self.address)

    def nano(self, bet: Bet, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the bet, until its final time.

        Args:
            swapped: whether the bet's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        id = encoding.bet_id(self.domain, bet)
        return self._listed(
            id, (bet.alice_lock, bet.bob_lock), bet.validity + bet.challenge, swapped
        )

    def submit_price(
        self,
        bet: Bet,
        price: Wei,
        signature: Signature,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Shows what the reporter has signed for the bet's feed and second; whoever calls.
        Announces `Priced`."""
        return self._send(submit_price(self.address, bet, price, signature), sender, gas, fees)

    def bet_id(self, bet: Bet) -> BetId:
        """The contract's own answer; `perun.encoding.bet_id` needs no node."""
        return self._ask(bet_id(self.address, bet))

    def record(self, id: InstanceId) -> StoredBet:
        """What is stored of a bet."""
        return self._ask(record(self.address, id))

    def price_domain_separator(self) -> DomainSeparator:
        """The contract's own answer; `perun.PRICE_DOMAIN` needs no node."""
        return self._ask(price_domain_separator(self.address))
