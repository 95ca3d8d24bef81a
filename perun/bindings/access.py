"""Access lists (EIP-2930): what a transaction says in advance that it will touch, to pay less.

A contract that is named costs 2,400 gas instead of 2,600 at its first call, a storage word 1,900
instead of 2,100 at its first use. Both then cost 100 more when they are used, so that 100 gas a
piece is what there is to gain; whatever is named and not touched is paid for nothing. So only what
a node has seen the call touch is listed, and of it only what pays.

A node that lies can make us pay for what is not touched. It cannot make us pay much: addresses
that the call does not name are left out, and a list dearer than the call itself is none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from perun.bindings import abi, ms_contract_calls
from perun.bindings.calls import Access, Call
from perun.types import Address

__all__ = ["GAIN", "calls_others", "cost", "worth_listing"]

ADDRESS_GAS: Final = 2_400
KEY_GAS: Final = 1_900
GAIN: Final = 100
"""Gas saved by each address or word that is listed and touched."""

_TRANSACTION_GAS: Final = 21_000

_NAMING = {
    abi.selector(signature): signature
    for signature in (
        ms_contract_calls.OPEN,
        ms_contract_calls.OPEN_BOTH,
        ms_contract_calls.DEPOSIT,
        ms_contract_calls.FUND,
        ms_contract_calls.CLOSE,
        ms_contract_calls.WITHDRAW,
        ms_contract_calls.CLAIM,
        ms_contract_calls.REGISTER,
        ms_contract_calls.SETTLE,
        ms_contract_calls.SETTLE_MANY,
    )
}
"""Functions that call whom their arguments name: tokens, payees, nanocontracts."""


def calls_others(call: Call) -> bool:
    """Whether a call may touch what it names: else there is no list to ask for.

    Who sends ETH along pays in, and nobody is called for that.
    """
    return call.data[:4] in _NAMING and call.value == 0


def worth_listing(
    call: Call, sender: Address, touched: Iterable[Access], *, gas: int
) -> tuple[Access, ...]:
    """What of the addresses and words that `call` touches makes it cheaper to be named.

    Args:
        touched: what a node says that it touches; not believed further than above.
        gas: what the call uses without a list, as far as is known.
    """
    warm = {sender, call.to}
    named = set(_named(call)) | {call.to}
    listed = tuple(
        item
        for item in touched
        if item.address in named and GAIN * len(item.keys) > _lost(item.address, warm)
    )
    return listed if cost(listed) <= gas - _TRANSACTION_GAS else ()


def cost(listed: Collection[Access]) -> int:
    """Gas that a list costs before anything is touched."""
    return sum(ADDRESS_GAS + KEY_GAS * len(item.keys) for item in listed)


def _lost(address: Address, warm: Collection[Address | None]) -> int:
    """Gas that naming the address alone costs: all of it for those who are warm in any case."""
    return ADDRESS_GAS if address in warm else -GAIN


def _named(call: Call) -> Iterator[Address]:
    """Every address among the arguments."""
    signature = _NAMING.get(call.data[:4])
    if signature is not None:
        yield from _addresses(abi.decode_arguments(signature, call.data[4:]))


def _addresses(value: Any) -> Iterator[Address]:
    if isinstance(value, tuple):
        for item in value:
            yield from _addresses(item)
    elif isinstance(value, bytes) and len(value) == 20:
        yield Address(value)
