"""TurnGame: positions that both signed, then moves against two clocks (protocol, section 4)."""

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
from perun.encoding import TurnGameDomain
from perun.types import (
    Address,
    Game,
    GameId,
    GameRecord,
    InstanceId,
    Nano,
    Position,
    Record,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)

GAME = (
    "(address,address,uint112,uint112,address,bytes32,bytes32,uint40,uint32,uint32,uint32,bytes32)"
)
POSITION = "(uint32,uint8,int112,bytes32)"
SUBMIT_POSITION = f"submitPosition({GAME},{POSITION},bytes,bytes)"
SUBMIT_MOVE = f"submitMove({GAME},bytes,bytes,bytes)"
GAME_ID = f"gameId({GAME})"
RECORD = "record(bytes32)"
RULES_GAS = "RULES_GAS()"


class PositionSubmitted(Event, frozen=True, gc=False):
    """A position of a game that both have signed stands."""

    id: GameId
    version: Version
    turn: int
    """1 Alice, 2 Bob, 0 finished."""
    shift: Wei
    """If finished, what moves from Alice to Bob."""
    position: bytes
    """keccak256 of its bytes."""
    deadline: UnixTime
    """Last second for a newer one; then the clock of the side to move runs."""


class Moved(Event, frozen=True, gc=False):
    """A move was made on chain."""

    id: GameId
    version: Version
    turn: int
    shift: Wei
    position: bytes
    """Its bytes, in full."""
    clock_from: UnixTime
    alice_left: Seconds
    bob_left: Seconds


_LOGS: Table[PositionSubmitted | Moved] = Table(
    kind(
        "PositionSubmitted",
        ("bytes32",),
        ("uint32", "uint8", "int112", "bytes32", "uint40"),
        PositionSubmitted,
    ),
    kind(
        "Moved",
        ("bytes32",),
        ("uint32", "uint8", "int112", "bytes", "uint40", "uint32", "uint32"),
        Moved,
    ),
)


class StoredGame(Record, frozen=True, gc=False):
    """A game's word; all zero before anything was submitted."""

    begun: bool
    turn: int
    live: bool
    start: UnixTime
    version: Version
    alice_left: Seconds
    bob_left: Seconds
    place: int
    """Low 160 bits of the hash of id and position; 0 once finished."""
    shift: Wei


def submit_position(
    contract: Address,
    game: Game,
    position: Position,
    signature_alice: Signature,
    signature_bob: Signature,
) -> Call:
    """Brings a co-signed position."""
    words = (position.version, position.turn, position.shift, position.position)
    arguments = (game, words, signature_alice, signature_bob)
    return Call(contract, abi.encode_call(SUBMIT_POSITION, *arguments))


def submit_move(
    contract: Address, game: Game, position: bytes, move: bytes, signature: Signature
) -> Call:
    """Makes a move from the position that stands."""
    return Call(contract, abi.encode_call(SUBMIT_MOVE, game, position, move, signature))


def game_id(contract: Address, game: Game) -> Query[GameId]:
    """Asks for a game's id; `perun.encoding.game_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(GAME_ID, game),
        lambda data: GameId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def record(contract: Address, id: InstanceId) -> Query[StoredGame]:
    """Asks what is stored of a game."""
    return Query(
        contract,
        abi.encode_call(RECORD, id),
        lambda data: _unpacked(abi.decode(("uint256",), data)[0]),
    )


def rules_gas(contract: Address) -> Query[int]:
    """Asks for the most gas that a move's rules are given."""
    return Query(
        contract,
        abi.encode_call(RULES_GAS),
        lambda data: int(abi.decode(("uint256",), data)[0]),
    )


def _unpacked(word: int) -> StoredGame:
    turn, live = word >> 254, word >> 253 & 1 == 1
    start, version = UnixTime(word >> 219 & 2**34 - 1), Version(word >> 200 & 2**19 - 1)
    shift, alice, bob, place = 0, 0, 0, 0
    if turn:
        alice, bob = word >> 180 & 2**20 - 1, word >> 160 & 2**20 - 1
        place = word & 2**160 - 1
    else:
        shift = word & 2**112 - 1
        shift -= (shift >> 111) << 112
    left = Seconds(alice), Seconds(bob)
    return StoredGame(word != 0, turn, live, start, version, *left, place, Wei(shift))


class GameReader(InstanceReader[GameRecord, StoredGame]):
    """Storage says all but the position itself, of which it has a hash with the id."""

    table = _LOGS
    direct = SUBMIT_POSITION

    def call(self, contract: Address, evidence: bytes) -> Call:
        """See `InstanceReader`: the first word says which of the two it is for."""
        direct = SUBMIT_MOVE if int.from_bytes(evidence[:32], "big") else SUBMIT_POSITION
        return Call(contract, abi.selector(direct) + evidence[32:])

    def announced(self, event: Event) -> GameRecord:
        """See `InstanceReader`. A position says nothing of the banks, which are whole."""
        if isinstance(event, Moved):
            left = (event.alice_left, event.bob_left)
            start, version, turn = event.clock_from, event.version, event.turn
            board = event.position
            return GameRecord(version, turn, event.shift, True, start, *left, board)
        assert isinstance(event, PositionSubmitted)
        start, version, turn = event.deadline, event.version, event.turn
        whole = Seconds(0)
        return GameRecord(version, turn, event.shift, False, start, whole, whole)

    def ask(self, contract: Address, id: InstanceId) -> Query[StoredGame]:
        """See `InstanceReader`."""
        return record(contract, id)

    def differs(self, on: GameRecord | None, stored: StoredGame) -> str:
        """See `InstanceReader`."""
        if (on is not None) != stored.begun:
            return "whether it was submitted"
        if on is None:
            return ""
        if (on.version, on.live) != (stored.version, stored.live):
            return "the version"
        if (on.turn, on.start, on.shift) != (stored.turn, stored.start, stored.shift):
            return "whose turn it is, and since when"
        return ""

    def worse(self, on: GameRecord | None, stored: StoredGame) -> GameRecord | None:
        """See `InstanceReader`. Of a position that only storage has nothing but its version and
        clock is known: that is enough to answer it."""
        if not stored.begun or (on is not None and on.version >= stored.version):
            return on
        left = (stored.alice_left, stored.bob_left)
        start, version, turn = stored.start, stored.version, stored.turn
        return GameRecord(version, turn, stored.shift, stored.live, start, *left)

    def dangerous(self, stored: StoredGame) -> bool:
        """See `InstanceReader`: what has not ended may be answered, or has a clock."""
        return stored.begun


class TurnGame(Nanocontract):
    """The contract that decides games in turns: `Game`, `Position`, `Move`.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`.
    """

    table = _LOGS
    reader = GameReader()

    @cached_property
    def domain(self) -> TurnGameDomain:
        """What positions and moves are signed in."""
        return encoding.turn_game_domain(self.chain_id, self.address)

    def nano(self, game: Game, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the game, until its final time.

        Args:
            swapped: whether the game's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        id = encoding.game_id(self.domain, game)
        final_time = game.validity + game.challenge + game.alice_bank + game.bob_bank
        return self._listed(id, (game.alice_lock, game.bob_lock), final_time, swapped)

    def submit_position(
        self,
        game: Game,
        position: Position,
        signature_alice: Signature,
        signature_bob: Signature,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Brings a position that both have signed. Announces `PositionSubmitted`."""
        call = submit_position(self.address, game, position, signature_alice, signature_bob)
        return self._send(call, sender, gas, fees)

    def submit_move(
        self,
        game: Game,
        position: bytes,
        move: bytes,
        signature: Signature,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Makes a move by the rules; signed by the side to move. Announces `Moved`."""
        call = submit_move(self.address, game, position, move, signature)
        return self._send(call, sender, gas, fees)

    def game_id(self, game: Game) -> GameId:
        """The contract's own answer; `perun.encoding.game_id` needs no node."""
        return self._ask(game_id(self.address, game))

    def record(self, id: InstanceId) -> StoredGame:
        """What is stored of a game."""
        return self._ask(record(self.address, id))

    def rules_gas(self) -> int:
        """The most gas that a move's rules are given."""
        return self._ask(rules_gas(self.address))
