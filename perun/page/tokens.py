"""Tokens that a page's user deals in: named once by their address, and kept with the store.

How many digits an amount has says the token's own contract, nobody else. Its symbol is what
strangers wrote: it is shown only where it looks like one, and like nobody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from perun.app.settings import KnownToken
from perun.bindings import erc20
from perun.bindings.abi import BadAnswer
from perun.bindings.failures import Garbled
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Endpoint
from perun.core.config import Policy
from perun.crypto.interop import checksum
from perun.errors import ChainFault, Misuse
from perun.page.store import PageStore
from perun.types import ETH, Address, Asset, Wei
from perun.units import ETHER_UNITS

__all__ = ["NoToken", "Tokens", "dealing_in", "name_of"]

_PREFIX: Final = "token "
_LONGEST: Final = 12
"""Characters of a symbol."""
_MOST_DECIMALS: Final = 36
"""As in a daemon's settings."""


@dataclass(eq=False)
class NoToken(Misuse):
    """What stands at an address is no token that channels can be in."""

    asset: str
    reason: str

    template: ClassVar[str] = "{asset} is no token: {reason}"
    hint: ClassVar[str] = "compare the address with the one that the token's makers publish"


class Tokens:
    """Those of one store."""

    def __init__(self, store: PageStore, endpoint: Endpoint) -> None:
        self._store, self._endpoint = store, endpoint

    @property
    def known(self) -> tuple[KnownToken, ...]:
        """In the order of their addresses."""
        kept = self._store.values(_PREFIX)
        return tuple(msgspec.msgpack.decode(kept[name], type=KnownToken) for name in sorted(kept))

    def add(self, asset: Asset) -> KnownToken:
        """Looks at a token's contract, and keeps what it says.

        Raises:
            NoToken: there is none.
            ChainFault: the chain's node does not answer.
            StoreFault: the store has failed.
        """
        for token in self.known:
            if token.asset == asset:
                return token
        token = self._look(asset)
        self._store.put(_PREFIX + asset.hex(), msgspec.msgpack.encode(token))
        return token

    def held(self, asset: Asset, account: Address) -> Wei:
        """What an account has of it outside channels. Raises as `add`."""
        number = self._newest()
        try:
            return self._endpoint.ask(erc20.balance_of(asset, account), number)
        except (Reverted, BadAnswer):
            raise NoToken(checksum(asset), "it does not say what an account has") from None

    def _look(self, asset: Asset) -> KnownToken:
        shown = checksum(asset)
        if asset == ETH:
            raise NoToken(shown, "that is how ETH is written")
        number = self._newest()
        try:
            decimals = self._endpoint.ask(erc20.decimals(asset), number)
        except (Reverted, BadAnswer):
            raise NoToken(shown, "nothing there says how many digits amounts have") from None
        if decimals > _MOST_DECIMALS:
            raise NoToken(shown, f"its amounts have {decimals} digits behind the point")
        try:
            symbol = self._endpoint.ask(erc20.symbol(asset), number)
        except (Reverted, BadAnswer, Garbled):
            symbol = ""
        return KnownToken(asset, name_of(symbol, asset, self.known), decimals)

    def _newest(self) -> int:
        head = self._endpoint.block()
        if head is None:
            raise ChainFault
        return head.number


def name_of(symbol: str, asset: Asset, known: tuple[KnownToken, ...]) -> str:
    """What people call a token: its symbol, if that is short and plain, and neither ether's nor
    another token's; otherwise its address, as it fits into a line."""
    taken = {*ETHER_UNITS} | {token.symbol.lower() for token in known}
    plain = symbol.isascii() and symbol.isprintable() and " " not in symbol
    if plain and 0 < len(symbol) <= _LONGEST and symbol.lower() not in taken:
        return symbol
    shown = checksum(asset)
    return f"{shown[:6]}…{shown[-4:]}"


def dealing_in(policy: Policy, tokens: tuple[KnownToken, ...]) -> Policy:
    """A policy that takes these, too: without a price, so nothing of them is put in, locked or paid
    unasked."""
    assets = tuple(token.asset for token in tokens)
    return msgspec.structs.replace(policy, assets=(ETH, *assets), unpriced=assets)
