"""How the ledger sees each kind of nanocontract: what its events record, what is of use until when.

The follower reads the same from logs (`perun.bindings`). One more kind is a line in `SIGHTINGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perun.spec.nanocontract import Nanocontract
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.spec.nanocontracts.escrow import Escrow
from perun.spec.nanocontracts.gate import Gate
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.spec.nanocontracts.hash_time_lock import HashTimeLock
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.spec.nanocontracts.rock_paper_scissors import RockPaperScissors
from perun.spec.nanocontracts.turn_game import TurnGame
from perun.spec.vpm import VPM
from perun.types import (
    BetRecord,
    DealRecord,
    FlipRecord,
    Game,
    GameRecord,
    LockRecord,
    MachineRecord,
    PathRecord,
    Position,
    Recorded,
    Seconds,
    StreamRecord,
    UnixTime,
    Wei,
)

__all__ = ["SIGHTINGS", "Sighting"]

# Any: terms, records and arguments are of the types that the kind says.
Shown = tuple[Any, ...]
"""What `Nanocontract.read` gives: the terms first."""


def _no_tag(_shown: Shown, _begun: Sequence[Recorded | None], _said: bytes) -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One kind."""

    record: Callable[[str, Sequence[Any]], Recorded]
    """What an event announces: its name, and its arguments after the id."""
    limit: Callable[[Any, Shown], UnixTime | None]
    """Last second for evidence when so much is recorded; None: as for the first."""
    tag: Callable[[Shown, Sequence[Recorded | None], bytes], bytes] = _no_tag
    """What tells a wish from others about the same instance: by what is shown, what is recorded in
    either of the last two heads told, and the key under which it came."""


def _revealed(_name: str, args: Sequence[Any]) -> FlipRecord:
    bob, secret, deadline = args
    return FlipRecord(b"" if bob else secret, secret if bob else b"", deadline)


def _played(name: str, args: Sequence[Any]) -> GameRecord:
    if name == "PositionSubmitted":
        version, turn, shift, _, start = args
        return GameRecord(version, turn, shift, False, start, Seconds(0), Seconds(0))
    version, turn, shift, board, start, alice_left, bob_left = args
    return GameRecord(version, turn, shift, True, start, alice_left, bob_left, board)


def _clock(on: GameRecord, shown: Shown) -> UnixTime:
    game: Game = shown[0]
    if isinstance(shown[1], Position):
        return on.start
    left = (on.alice_left, on.bob_left) if on.live else (game.alice_bank, game.bob_bank)
    return UnixTime(on.start + left[on.turn - 1])


def _game_tag(shown: Shown, begun: Sequence[Recorded | None], said: bytes) -> bytes:
    """Of a move: by the position recorded."""
    if isinstance(shown[1], Position):
        return b"\0" + shown[1].version.to_bytes(4, "big")
    tags = [b"\1" + on.version.to_bytes(4, "big") for on in begun if isinstance(on, GameRecord)]
    return next((tag for tag in tags if said.endswith(tag)), b"")


def _path_tag(shown: Shown, _begun: Sequence[Recorded | None], _said: bytes) -> bytes:
    """By the form: opening comes with the signatures alone, fixing with a shift before them."""
    return b"opened" if len(shown) == 2 else b"fixed"


def _crossed(name: str, args: Sequence[Any]) -> PathRecord:
    return PathRecord(True, args[0]) if name == "PathFixed" else PathRecord(False, Wei(0))


def _deal_tag(shown: Shown, _begun: Sequence[Recorded | None], _said: bytes) -> bytes:
    """Of an award: by its shift."""
    return shown[1].to_bytes(14, "big", signed=True) if len(shown) == 3 else b""


def _bet_tag(shown: Shown, _begun: Sequence[Recorded | None], _said: bytes) -> bytes:
    """By the price."""
    return shown[1].to_bytes(14, "big", signed=True)  # type: ignore[no-any-return]


SIGHTINGS: Final[dict[type[Nanocontract], Sighting]] = {
    VPM: Sighting(lambda _, args: MachineRecord(*args), lambda on, _: on.deadline),
    HashTimeLock: Sighting(lambda _, args: LockRecord(*args), lambda _on, _: None),
    CoinFlip: Sighting(_revealed, lambda on, _: on.deadline),
    RockPaperScissors: Sighting(_revealed, lambda on, _: on.deadline),
    Escrow: Sighting(lambda _, args: DealRecord(*args), lambda on, _: on.deadline, _deal_tag),
    HashChain: Sighting(lambda _, args: StreamRecord(*args), lambda on, _: on.deadline),
    PriceBet: Sighting(lambda _, args: BetRecord(*args), lambda on, _: on.deadline, _bet_tag),
    TurnGame: Sighting(_played, _clock, _game_tag),
    Gate: Sighting(_crossed, lambda _on, shown: shown[0].end, _path_tag),
}
