"""What a nanocontract keeps and is brought, as the models in Coq write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from perun.encoding import flip_commit
from perun.spec import VPM, HashTimeLock
from perun.spec.nanocontracts.escrow import Escrow
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.spec.nanocontracts.turn_game import share
from perun.spec.nanocontracts.two_secrets import Decided, TwoSecrets
from proofs.terms import boolean, integer

TIMELY = ("TooLate", "TooEarly", "NotBegun", "Finished")
"""Refusals of a move that are the clock's, which the model has itself."""
CLOCK = ("TooLate", "AmountTooLarge", "FinalTimeTooFar", "BadTurn")


def stored(contract: Any, identity: Any) -> str:
    """What a model of `perun.spec` keeps of an instance, as Coq has it."""
    if isinstance(contract, HashTimeLock):
        return some(contract.records.get(identity))
    record = contract.records.get(identity)
    if record is None:
        return "None"
    if isinstance(contract, VPM):
        return f"Some (VPM.Build_Totals {record.alice} {record.bob} {record.deadline})"
    if isinstance(record, Decided):
        return f"Some (TwoSecrets.both {integer(record.shift)})"
    if isinstance(contract, TwoSecrets):
        said = f"{boolean(record.bob)} {_word(record.secret)} {record.deadline}"
        return f"Some (TwoSecrets.one_ {said})"
    if isinstance(contract, HashChain):
        return f"Some (HashChain.Build_Paid {record.total} {record.deadline})"
    if isinstance(contract, PriceBet):
        priced = f"{boolean(record.void)} {integer(record.shift)} {record.deadline}"
        return f"Some (PriceBet.Build_Priced {priced})"
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


def statements(m: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    by_alice, _one, by_bob, _two = args
    signed = boolean(refused != "WrongSigner")
    terms = f"VPM.Build_Machine 1 2 {m.alice_lock} {m.bob_lock} {m.validity} {m.challenge}"
    return terms, f"VPM.Build_Statements {by_alice} {by_bob} {signed} {signed}"


def preimage(lock: Any, _args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    terms = f"HashTimeLock.Build_Lock {lock.amount} {boolean(lock.bob_pays)} {lock.deadline}"
    return terms, boolean(refused != "WrongPreimage")


def secret(of: Callable[[Any], str]) -> Callable[..., tuple[str, str]]:
    def told(terms: Any, args: Any, _refused: str | None, _: Any) -> tuple[str, str]:
        bob, secret = args
        right = flip_commit(bob, secret) == (terms.bob_commit if bob else terms.alice_commit)
        piece = f"{boolean(bob)} {_word(secret)} {boolean(right)}"
        return of(terms), f"TwoSecrets.Build_Secret {piece}"

    return told


def flip(f: Any) -> str:
    return f"CoinFlip.Build_Flip {f.alice_lock} {f.bob_lock} {f.odds} {f.validity} {f.window}"


def hands(h: Any) -> str:
    return f"RockPaperScissors.Build_Hands {h.alice_lock} {h.bob_lock} {h.validity} {h.window}"


def _game(g: Any) -> str:
    return (
        f"TurnGame.Build_Game {g.alice_lock} {g.bob_lock} {g.validity} {g.challenge} "
        f"{g.alice_bank} {g.bob_bank}"
    )


def position(g: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    position = args[0]
    good = refused is None or refused in CLOCK
    piece = f"{position.version} {position.turn} {integer(position.shift)} {boolean(good)}"
    return _game(g), f"TurnGame.position {piece}"


def move(g: Any, _args: Any, refused: str | None, rules: Any) -> tuple[str, str]:
    _, turn, result = rules.pop("said", (b"", 1, 0))
    accepted = boolean(refused is None or refused in TIMELY)
    signed = boolean(refused != "WrongSigner")
    return _game(g), f"TurnGame.move {signed} {accepted} {turn} {integer(share(g, result))}"


def _deal(d: Any) -> str:
    return (
        f"Escrow.Build_Deal {d.alice_lock} {d.bob_lock} {integer(d.late_shift)} {d.due} "
        f"{d.validity} {d.challenge}"
    )


def award(d: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    return _deal(d), f"Escrow.award {integer(args[0])} {boolean(refused != 'WrongSigner')}"


def agreement(d: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    return _deal(d), f"Escrow.agree {integer(args[0])} {boolean(refused != 'WrongSigner')}"


def late(d: Any, _args: Any, _refused: str | None, _: Any) -> tuple[str, str]:
    return _deal(d), "Escrow.late"


def ticks(s: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    """Hashes and signatures are as the call found them."""
    base, _root, ticks, *_value = args
    leads = refused != "WrongRoot"
    stream = f"{s.lock} {s.tick} {boolean(s.bob_pays)} {s.validity} {s.challenge}"
    piece = f"{base} {ticks} {boolean(leads)} {boolean(refused != 'WrongSigner')}"
    return f"HashChain.Build_Stream {stream}", f"HashChain.Build_Ticks {piece}"


def price(b: Any, args: Any, refused: str | None, _: Any) -> tuple[str, str]:
    bet = (
        f"{b.time} {integer(b.strike)} {integer(b.slope)} {b.scale} {b.alice_lock} {b.bob_lock} "
        f"{b.validity} {b.challenge}"
    )
    piece = f"{integer(args[0])} {boolean(refused != 'WrongSigner')}"
    return f"PriceBet.Build_Bet {bet}", f"PriceBet.Build_Price {piece}"


def _word(secret: bytes) -> int:
    return int.from_bytes(secret[-2:])


def some(number: int | None) -> str:
    return "None" if number is None else f"Some {integer(number)}"
