"""What the games bring to nanocontracts, written down for the models in Coq to be brought too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

from perun.encoding import deal_id, flip_commit, flip_id, game_id, lock_id, machine_id
from perun.spec import VPM, HashTimeLock
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.spec.nanocontracts.escrow import Escrow
from perun.spec.nanocontracts.turn_game import TurnGame, share
from perun.spec.nanocontracts.two_secrets import Decided
from perun.spec.reverts import Refused
from proofs.terms import boolean, integer
from tests.games.stateful.play import Play
from tests.games.stateful.test_coin_flip import Flips
from tests.games.stateful.test_escrow import Deals
from tests.games.stateful.test_turn_game import Games

TIMELY = ("TooLate", "TooEarly", "NotBegun", "Finished")
"""Refusals of a move that are the clock's, which the model has itself."""
CLOCK = ("TooLate", "AmountTooLarge", "FinalTimeTooFar", "BadTurn")


@dataclass(slots=True)
class Pieces:
    """Terms of Coq, by the list that checks them."""

    machines: list[str] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    flips: list[str] = field(default_factory=list)
    games: list[str] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)

    @property
    def fewest(self) -> int:
        pieces = (self.machines, self.locks, self.flips, self.games, self.deals)
        return min(map(len, pieces))


def record(seed: int, wanted: int) -> Pieces:
    """At least `wanted` pieces for each nanocontract, from games from `seed` on."""
    pieces = Pieces()
    with _watched(pieces):
        while pieces.fewest < wanted:
            rng = Random(seed)
            if len(pieces.flips) < wanted:
                Flips(seed).play()
            if len(pieces.games) < wanted:
                Games(seed).play()
            if len(pieces.deals) < wanted:
                Deals(seed).play()
            if min(len(pieces.machines), len(pieces.locks)) < wanted:
                play = Play(Random(0))
                for _ in range(200):
                    play.reseed(rng.getrandbits(32))
                    play.step()
            seed += 1
    return pieces


def as_coq(pieces: Pieces) -> str:
    """A file that Coq takes only if its models do the same with every piece."""
    text = "From Perun Require Import Replay Nanocontracts Escrow.\n"
    for name, items in (
        ("machines", pieces.machines),
        ("locks", pieces.locks),
        ("flips", pieces.flips),
        ("games", pieces.games),
        ("deals", pieces.deals),
    ):
        lines = ";\n".join(items)
        text += (
            f"Definition wrong_{name} := Eval vm_compute in of_{name} [\n{lines}\n].\n"
            f"Print wrong_{name}.\nGoal wrong_{name} = []. reflexivity. Qed.\n"
        )
    return text


@contextmanager
def _watched(pieces: Pieces) -> Iterator[None]:
    rules: dict[str, Any] = {}

    def watch(
        owner: Any, method: str, into: list[str], identify: Callable[..., Any], told: Any
    ) -> Any:
        original = getattr(owner, method)

        def watched(self: Any, terms: Any, *args: Any) -> Any:
            identity = identify(self.domain, terms)
            before, refused = _stored(self, identity), None
            try:
                return original(self, terms, *args)
            except Refused as error:
                refused = type(error).__name__
                raise
            finally:
                done, shift = self.outcome(identity)
                after = _stored(self, identity)
                parts = told(terms, args, refused, rules)
                if parts is not None:
                    of, piece = parts
                    into.append(
                        f"Build_Brought _ _ _ ({of}) {self.host.now} ({piece}) "
                        f"({before}) ({after}) ({_some(shift if done else None)})"
                    )

        return patch.object(owner, method, watched)

    def watch_rules() -> Any:
        ask = TurnGame._ask

        def watched(self: Any, *args: Any) -> Any:
            rules["said"] = ask(self, *args)
            return rules["said"]

        return patch.object(TurnGame, "_ask", watched)

    with ExitStack() as stack:
        for each in (
            watch(VPM, "submit_statements", pieces.machines, machine_id, _statements),
            watch(HashTimeLock, "reveal", pieces.locks, lock_id, _preimage),
            watch(CoinFlip, "reveal", pieces.flips, flip_id, _secret),
            watch(TurnGame, "submit_position", pieces.games, game_id, _position),
            watch(TurnGame, "submit_move", pieces.games, game_id, _move),
            watch(Escrow, "award", pieces.deals, deal_id, _award),
            watch(Escrow, "agree", pieces.deals, deal_id, _agreement),
            watch(Escrow, "late", pieces.deals, deal_id, _late),
            watch_rules(),
        ):
            stack.enter_context(each)
        yield


def _stored(contract: Any, identity: Any) -> str:
    """What a model of `perun.spec` keeps of an instance, as Coq has it."""
    if isinstance(contract, HashTimeLock):
        return _some(contract.records.get(identity))
    record = contract.records.get(identity)
    if record is None:
        return "None"
    if isinstance(contract, VPM):
        return f"Some (VPM.Build_Totals {record.alice} {record.bob} {record.deadline})"
    if isinstance(record, Decided):
        return f"Some (CoinFlip.both {integer(record.shift)})"
    if isinstance(contract, CoinFlip):
        return (
            f"Some (CoinFlip.one_ {boolean(record.bob)} {_word(record.secret)} {record.deadline})"
        )
    if isinstance(contract, Escrow):
        return (
            f"Some (Escrow.Build_Decision {int(record.rank)} {integer(record.shift)} "
            f"{record.deadline})"
        )
    left = f"{record.left[0]} {record.left[1]}"
    return (
        f"Some (TurnGame.Build_Stored {record.turn} {boolean(record.live)} {record.start} "
        f"{record.version} {left} {integer(record.shift)})"
    )


def _statements(m: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    by_alice, _one, by_bob, _two = args
    signed = boolean(refused != "WrongSigner")
    terms = f"VPM.Build_Machine 1 2 {m.alice_lock} {m.bob_lock} {m.validity} {m.challenge}"
    return terms, f"VPM.Build_Statements {by_alice} {by_bob} {signed} {signed}"


def _preimage(lock: Any, _args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    terms = f"HashTimeLock.Build_Lock {lock.amount} {boolean(lock.bob_pays)} {lock.deadline}"
    return terms, boolean(refused != "WrongPreimage")


def _secret(f: Any, args: Any, _refused: str | None, _: Any) -> tuple[str, str]:
    bob, secret = args
    right = flip_commit(bob, secret) == (f.bob_commit if bob else f.alice_commit)
    terms = f"CoinFlip.Build_Flip {f.alice_lock} {f.bob_lock} {f.odds} {f.validity} {f.window}"
    return terms, f"CoinFlip.Build_Secret {boolean(bob)} {_word(secret)} {boolean(right)}"


def _game(g: Any) -> str:
    return (
        f"TurnGame.Build_Game {g.alice_lock} {g.bob_lock} {g.validity} {g.challenge} "
        f"{g.alice_bank} {g.bob_bank}"
    )


def _position(g: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    position = args[0]
    good = refused is None or refused in CLOCK
    piece = f"{position.version} {position.turn} {integer(position.shift)} {boolean(good)}"
    return _game(g), f"TurnGame.position {piece}"


def _move(g: Any, _args: Any, refused: str | None, rules: Any) -> tuple[str, str]:
    _, turn, result = rules.pop("said", (b"", 1, 0))
    accepted = boolean(refused is None or refused in TIMELY)
    signed = boolean(refused != "WrongSigner")
    return _game(g), f"TurnGame.move {signed} {accepted} {turn} {integer(share(g, result))}"


def _deal(d: Any) -> str:
    return (
        f"Escrow.Build_Deal {d.alice_lock} {d.bob_lock} {integer(d.late_shift)} {d.due} "
        f"{d.validity} {d.challenge}"
    )


def _award(d: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    return _deal(d), f"Escrow.award {integer(args[0])} {boolean(refused != 'WrongSigner')}"


def _agreement(d: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    return _deal(d), f"Escrow.agree {integer(args[0])} {boolean(refused != 'WrongSigner')}"


def _late(d: Any, _args: Any, _refused: str | None, _: Any) -> tuple[str, str]:
    return _deal(d), "Escrow.late"


def _word(secret: bytes) -> int:
    return int.from_bytes(secret[-2:])


def _some(number: int | None) -> str:
    return "None" if number is None else f"Some {integer(number)}"
