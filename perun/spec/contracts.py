"""The contracts on one chain, and calls that either happen or change nothing.

world = Contracts.at(chain_id, ms_contract, vpm, hash_time_lock)
world.call(lambda: world.ms_contract.fund(alice, 5, ETH, alice, 5))   # -> the events, or Refused
with world.trial():                                                   # look ahead, then undo
    ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from perun.encoding import (
    coin_flip_domain,
    game_id,
    hash_time_lock_domain,
    ms_contract_domain,
    turn_game_domain,
    vpm_domain,
)
from perun.errors import Misuse
from perun.spec.host import Event, Host, NoApp
from perun.spec.ms_contract import MSContract
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.spec.nanocontracts.hash_time_lock import HashTimeLock
from perun.spec.nanocontracts.turn_game import TurnGame
from perun.spec.reverts import MalformedEvidence, Refused
from perun.spec.vpm import VPM
from perun.types import Address, ChainId, Flip, Game, Lock, Machine, Position, Signature, Wei

MACHINE = "(address,address,uint112,uint112,uint40,uint32,bytes32)"
LOCK = "(uint112,bool,bytes32,uint40,bytes32)"
GAME = (
    "(address,address,uint112,uint112,address,bytes32,bytes32,uint40,uint32,uint32,uint32,bytes32)"
)
POSITION = "(uint32,uint8,int112,bytes32)"
FLIP = "(uint112,uint112,bytes32,bytes32,uint16,uint40,uint32,bytes32)"


@dataclass(frozen=True, slots=True)
class VPMApp:
    """VPM as `MSContract` meets it: `outcome` and `submit`, in bytes."""

    vpm: VPM

    def answer(self, nano_id: bytes) -> bytes:
        return _two_words(*self.vpm.outcome(nano_id))

    def read(self, evidence: bytes) -> tuple[Machine, Wei, Signature, Wei, Signature]:
        """Read `abi.encode(machine, paidByAlice, signatureAlice, paidByBob, signatureBob)`."""
        types = [MACHINE, "uint256", "bytes", "uint256", "bytes"]
        try:
            terms, by_alice, signed_alice, by_bob, signed_bob = decode(types, evidence)
            machine = Machine(_raw(terms[0]), _raw(terms[1]), *terms[2:])
        except (DecodingError, Misuse) as error:
            raise MalformedEvidence(len(evidence)) from error
        return machine, by_alice, signed_alice, by_bob, signed_bob

    def take(self, evidence: bytes) -> None:
        self.vpm.submit_statements(*self.read(evidence))

    def submit(self, evidence: bytes) -> bool:
        return _taken(self.take, evidence)


@dataclass(frozen=True, slots=True)
class HashTimeLockApp:
    """`HashTimeLock` as `MSContract` meets it."""

    lock: HashTimeLock

    def answer(self, nano_id: bytes) -> bytes:
        return _two_words(*self.lock.outcome(nano_id))

    def read(self, evidence: bytes) -> tuple[Lock, bytes]:
        """Read `abi.encode(lock, preimage)`."""
        try:
            terms, preimage = decode([LOCK, "bytes32"], evidence)
            return Lock(*terms), preimage
        except (DecodingError, Misuse) as error:
            raise MalformedEvidence(len(evidence)) from error

    def take(self, evidence: bytes) -> None:
        self.lock.reveal(*self.read(evidence))

    def submit(self, evidence: bytes) -> bool:
        return _taken(self.take, evidence)


@dataclass(frozen=True, slots=True)
class CoinFlipApp:
    """`CoinFlip` as `MSContract` meets it."""

    coin: CoinFlip

    def answer(self, nano_id: bytes) -> bytes:
        return _two_words(*self.coin.outcome(nano_id))

    def read(self, evidence: bytes) -> tuple[Flip, bool, bytes]:
        """Read `abi.encode(flip, bob, secret)`."""
        try:
            terms, bob, secret = decode([FLIP, "bool", "bytes32"], evidence)
            return Flip(*terms), bob, secret
        except (DecodingError, Misuse) as error:
            raise MalformedEvidence(len(evidence)) from error

    def take(self, evidence: bytes) -> None:
        self.coin.reveal(*self.read(evidence))

    def submit(self, evidence: bytes) -> bool:
        return _taken(self.take, evidence)


@dataclass(frozen=True, slots=True)
class TurnGameApp:
    """`TurnGame` as `MSContract` meets it."""

    games: TurnGame

    def answer(self, nano_id: bytes) -> bytes:
        return _two_words(*self.games.outcome(nano_id))

    def read(self, evidence: bytes) -> tuple[Game, tuple[Any, ...]]:
        """Read a word, the form, and the arguments of `submitPosition` (0) or `submitMove` (1)."""
        form, rest = int.from_bytes(evidence[:32], "big"), evidence[32:]
        try:
            if form == 0:
                words, position, *signed = decode([GAME, POSITION, "bytes", "bytes"], rest)
                game = _game(words)
                position = Position(game_id(self.games.domain, game), *position)
                return game, (position, *signed)
            if form == 1:
                words, *moved = decode([GAME, "bytes", "bytes", "bytes"], rest)
                return _game(words), tuple(moved)
        except (DecodingError, Misuse) as error:
            raise MalformedEvidence(len(evidence)) from error
        raise MalformedEvidence(len(evidence))

    def take(self, evidence: bytes) -> None:
        game, rest = self.read(evidence)
        if isinstance(rest[0], Position):
            self.games.submit_position(game, *rest)
        else:
            self.games.submit_move(game, *rest)

    def submit(self, evidence: bytes) -> bool:
        return _taken(self.take, evidence)


@dataclass(slots=True)
class Contracts:
    host: Host
    ms_contract: MSContract
    vpm: VPM
    hash_time_lock: HashTimeLock
    coin_flip: CoinFlip | None = None
    turn_game: TurnGame | None = None

    @classmethod
    def at(
        cls,
        chain: ChainId,
        ms_contract: Address,
        vpm: Address,
        hash_time_lock: Address,
        coin_flip: Address | None = None,
        turn_game: Address | None = None,
    ) -> Contracts:
        """A chain on which the contracts stand at these addresses and nobody has done anything.

        ETH cannot be sent to the contracts: they have no `receive`.
        """
        host = Host(refusing={ms_contract, vpm, hash_time_lock})
        world = cls(
            host,
            MSContract(host, ms_contract_domain(chain, ms_contract)),
            VPM(host, vpm_domain(chain, vpm)),
            HashTimeLock(host, hash_time_lock_domain(chain, hash_time_lock)),
        )
        host.apps[ms_contract] = NoApp()
        host.apps[vpm] = VPMApp(world.vpm)
        host.apps[hash_time_lock] = HashTimeLockApp(world.hash_time_lock)
        if coin_flip is not None:
            world.coin_flip = CoinFlip(host, coin_flip_domain(chain, coin_flip))
            host.apps[coin_flip] = CoinFlipApp(world.coin_flip)
            host.refusing.add(coin_flip)
        if turn_game is not None:
            world.turn_game = TurnGame(host, turn_game_domain(chain, turn_game))
            host.apps[turn_game] = TurnGameApp(world.turn_game)
            host.refusing.add(turn_game)
        return world

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
            self.vpm.records,
            self.hash_time_lock.shifts,
            *([self.coin_flip.records] if self.coin_flip is not None else []),
            *([self.turn_game.records] if self.turn_game is not None else []),
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


def _game(words: tuple[Any, ...]) -> Game:
    alice, bob, alice_lock, bob_lock, rules, *rest = words
    return Game(_raw(alice), _raw(bob), alice_lock, bob_lock, _raw(rules), *rest)


def _taken(take: Callable[[bytes], None], evidence: bytes) -> bool:
    try:
        take(evidence)
    except Refused:
        return False
    return True


def _two_words(done: bool, shift: int) -> bytes:
    return int(done).to_bytes(32, "big") + shift.to_bytes(32, "big", signed=True)


def _raw(address: str) -> Address:
    return Address(bytes.fromhex(address[2:]))
