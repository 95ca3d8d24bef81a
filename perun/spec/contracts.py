"""The contracts on one chain, and calls that either happen or change nothing.

world = Contracts.at(chain_id, {"MSContract": …, "VPM": …, "HashTimeLock": …})
world.call(lambda: world.ms_contract.fund(alice, 5, ETH, alice, 5))   # -> the events, or Refused
with world.trial():                                                   # look ahead, then undo
    ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from perun.encoding.domains import (
    MSContractDomain,
    domain_of,
)
from perun.spec.host import Event, Host, NoApp
from perun.spec.ms_contract import MSContract
from perun.spec.nanocontract import Nanocontract
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.spec.nanocontracts.escrow import Escrow
from perun.spec.nanocontracts.gate import Gate
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.spec.nanocontracts.hash_time_lock import HashTimeLock
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.spec.nanocontracts.rock_paper_scissors import RockPaperScissors
from perun.spec.nanocontracts.turn_game import TurnGame
from perun.spec.reverts import Refused
from perun.spec.vpm import VPM
from perun.types import Address, ChainId

_KINDS: Final[tuple[type[Nanocontract], ...]] = (
    VPM,
    HashTimeLock,
    CoinFlip,
    RockPaperScissors,
    TurnGame,
    Escrow,
    HashChain,
    PriceBet,
    Gate,
)

N = TypeVar("N", bound=Nanocontract)


@dataclass(slots=True)
class Contracts:
    host: Host
    ms_contract: MSContract
    nanocontracts: tuple[Nanocontract, ...]

    @classmethod
    def at(cls, chain: ChainId, places: Mapping[str, Address]) -> Contracts:
        """A chain on which nobody has done anything.

        ETH cannot be sent to the contracts: they have no `receive`.

        Args:
            places: where the contracts stand, by name; of those with an outcome any may be missing.
        """
        host = Host()
        domain = domain_of(MSContractDomain, chain, places[MSContractDomain.contract_name])
        host.apps[domain.contract] = NoApp()
        world = cls(host, MSContract(host, domain), tuple(_built(host, chain, places)))
        host.apps.update({known.domain.contract: known for known in world.nanocontracts})
        host.refusing.update(host.apps)
        return world

    def of(self, kind: type[N]) -> N:
        """The contract of a kind, which must be there."""
        return next(known for known in self.nanocontracts if isinstance(known, kind))

    @property
    def vpm(self) -> VPM:
        """Decides payment machines."""
        return self.of(VPM)

    @property
    def hash_time_lock(self) -> HashTimeLock:
        """Decides hash locks."""
        return self.of(HashTimeLock)

    def call(self, function: Callable[[], None]) -> tuple[Event, ...]:
        """Run one call: its events, or `Refused` with everything as it was before."""
        undo = self._checkpoint()
        start = len(self.host.log)
        try:
            function()
        except Refused:
            undo()
            raise
        return tuple(self.host.log[start:])

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What happens inside is undone at the end."""
        undo = self._checkpoint()
        try:
            yield
        finally:
            undo()

    def _checkpoint(self) -> Callable[[], None]:
        """Remember everything that a call or the clock can change. Values are immutable."""
        host, ms = self.host, self.ms_contract
        books: list[dict[Any, Any]] = [
            host.eth,
            ms.funds,
            ms.disputes,
            ms.credits,
            ms.deposited,
            ms.paid,
            *(known.records for known in self.nanocontracts),
            *(token.balances for token in host.tokens.values()),
        ]
        copies = [dict(book) for book in books]
        now, logged, paid = host.now, len(host.log), len(ms.payouts)

        def undo() -> None:
            host.now = now
            del host.log[logged:]
            del ms.payouts[paid:]
            for book, copy in zip(books, copies, strict=True):
                book.clear()
                book.update(copy)

        return undo


def _built(host: Host, chain: ChainId, places: Mapping[str, Address]) -> Iterator[Nanocontract]:
    for kind in _KINDS:
        place = places.get(kind.domain_type.contract_name)
        if place is not None:
            yield kind(host, domain_of(kind.domain_type, chain, place))
