"""Bets on prices in bytes: ids, what reporters sign, and evidence for `PriceBet.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import VERSION, Domain, domain_of
from perun.encoding.typed_data import InDomain, TypedData
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Bet,
    BetId,
    ChainId,
    Digest,
    DomainSeparator,
    InstanceId,
    Price,
    Signature,
    Wei,
)


class PriceBetDomain(Domain, frozen=True, gc=False):
    """Domain of bets on prices (EIP-712): ids are made in it; prices have one of their own."""

    contract_name: ClassVar[str] = "PriceBet"


def price_bet_domain(chain_id: ChainId, contract: Address) -> PriceBetDomain:
    """Domain `{"Perun PriceBet", "1"}` of the PriceBet at `contract`."""
    return domain_of(PriceBetDomain, chain_id, contract)


class PriceDomain(Domain, frozen=True, gc=False):
    """Domain of prices (EIP-712): of no chain and no contract, both zero, since a price is a fact.
    There is one, `PRICE_DOMAIN`."""

    contract_name: ClassVar[str] = "Price"


PRICE_DOMAIN_TYPE = "EIP712Domain(string name,string version)"
PRICE_TYPE = "Price(bytes32 feed,uint40 time,int112 price)"
_PRICE = keccak(PRICE_TYPE.encode())


def _price_domain() -> PriceDomain:
    parts = (PRICE_DOMAIN_TYPE, f"Perun {PriceDomain.contract_name}", VERSION)
    separator = DomainSeparator(keccak(b"".join(keccak(part.encode()) for part in parts)))
    return PriceDomain(ChainId(0), ZERO_ADDRESS, separator, b"\x19\x01" + separator)


PRICE_DOMAIN: Final = _price_domain()
"""Domain `{"Perun Price", "1"}`: reporters sign in it, once for all bets."""


def bet_id(domain: PriceBetDomain, bet: Bet) -> BetId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, bet))`."""
    return BetId(InstanceId(keccak(domain.separator + bet_words(bet))))


def bet_words(bet: Bet) -> bytes:
    """`abi.encode(bet)`, 11 words."""
    return (
        words.address(bet.oracle)
        + bet.feed
        + words.unsigned(bet.time)
        + words.signed(bet.strike)
        + words.signed(bet.slope)
        + words.unsigned(bet.scale)
        + words.unsigned(bet.alice_lock)
        + words.unsigned(bet.bob_lock)
        + words.unsigned(bet.validity)
        + words.unsigned(bet.challenge)
        + bet.salt
    )


def price_digest(domain: PriceDomain, price: Price) -> Digest:
    """What a reporter signs for `price`, on whatever chain it is bet on (protocol, section 4)."""
    fields = _PRICE + price.feed + words.unsigned(price.time) + words.signed(price.price)
    return Digest(keccak(domain.prefix + keccak(fields)))


def price_evidence(bet: Bet, price: Wei, signature: Signature) -> bytes:
    """`abi.encode(bet, price, signature)` for `PriceBet.submit`.

    Raises:
        NotAnAmount, AmountOutOfRange: the price has more than 112 bits.
    """
    checks.signed_amount("price", price)
    head = words.signed(price) + words.unsigned(32 * (11 + 2))
    return bet_words(bet) + head + words.tail(signature)


PRICE_BET: Final = InDomain(PriceBetDomain)
PRICES: Final = InDomain(PriceDomain, (TypedData(Price, PRICE_TYPE, price_digest),))
