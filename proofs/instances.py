"""What the games bring to nanocontracts, written down for the models in Coq to be brought too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from perun.encoding import (
    bet_id,
    deal_id,
    flip_id,
    game_id,
    hands_id,
    lock_id,
    machine_id,
    stream_id,
)
from perun.spec import VPM, HashTimeLock
from perun.spec.nanocontracts.coin_flip import CoinFlip
from perun.spec.nanocontracts.escrow import Escrow
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.spec.nanocontracts.rock_paper_scissors import RockPaperScissors as RPS
from perun.spec.nanocontracts.turn_game import TurnGame
from perun.spec.reverts import Refused
from proofs import pieces
from tests.games.stateful.play import Play
from tests.games.stateful.test_coin_flip import Flips
from tests.games.stateful.test_escrow import Deals
from tests.games.stateful.test_hash_chain import Streams
from tests.games.stateful.test_price_bet import Bets
from tests.games.stateful.test_rock_paper_scissors import Throws
from tests.games.stateful.test_turn_game import Games

KINDS: Mapping[str, Callable[[int], Any] | None] = {
    "machines": None,
    "locks": None,
    "flips": Flips,
    "hands": Throws,
    "games": Games,
    "deals": Deals,
    "streams": Streams,
    "bets": Bets,
}
"""The list of Coq that checks a kind, and the game that brings it evidence, if not the big one."""


def record(seed: int, wanted: int) -> dict[str, list[str]]:
    """At least `wanted` pieces for each nanocontract, from games from `seed` on."""
    brought: dict[str, list[str]] = {kind: [] for kind in KINDS}
    with _watched(brought):
        while min(map(len, brought.values())) < wanted:
            lacking = [KINDS[kind] for kind, found in brought.items() if len(found) < wanted]
            for game in filter(None, lacking):
                game(seed).play()
            if None in lacking:
                rng = Random(seed)
                play = Play(Random(0))
                for _ in range(200):
                    play.reseed(rng.getrandbits(32))
                    play.step()
            seed += 1
    return brought


def as_coq(brought: Mapping[str, list[str]]) -> str:
    """A file that Coq takes only if its models do the same with every piece."""
    text = "From Perun Require Import Replay.\n"
    for name, items in brought.items():
        lines = ";\n".join(items)
        text += (
            f"Definition wrong_{name} := Eval vm_compute in of_{name} [\n{lines}\n].\n"
            f"Print wrong_{name}.\nGoal wrong_{name} = []. reflexivity. Qed.\n"
        )
    return text


@contextmanager
def _watched(brought: Mapping[str, list[str]]) -> Iterator[None]:
    rules: dict[str, Any] = {}

    def watch(
        owner: Any, method: str, into: list[str], identify: Callable[..., Any], told: Any
    ) -> Any:
        original = getattr(owner, method)

        def watched(self: Any, terms: Any, *args: Any) -> Any:
            identity = identify(self.domain, terms)
            before, refused = pieces.stored(self, identity), None
            try:
                return original(self, terms, *args)
            except Refused as error:
                refused = type(error).__name__
                raise
            finally:
                done, shift = self.outcome(identity)
                after = pieces.stored(self, identity)
                parts = told(terms, args, refused, rules)
                if parts is not None:
                    of, piece = parts
                    into.append(
                        f"Build_Brought _ _ _ ({of}) {self.host.now} ({piece}) "
                        f"({before}) ({after}) ({pieces.some(shift if done else None)})"
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
            watch(VPM, "submit_statements", brought["machines"], machine_id, pieces.statements),
            watch(HashTimeLock, "reveal", brought["locks"], lock_id, pieces.preimage),
            watch(CoinFlip, "reveal", brought["flips"], flip_id, pieces.secret(pieces.flip)),
            watch(RPS, "reveal", brought["hands"], hands_id, pieces.secret(pieces.hands)),
            watch(TurnGame, "submit_position", brought["games"], game_id, pieces.position),
            watch(TurnGame, "submit_move", brought["games"], game_id, pieces.move),
            watch(Escrow, "award", brought["deals"], deal_id, pieces.award),
            watch(Escrow, "agree", brought["deals"], deal_id, pieces.agreement),
            watch(Escrow, "late", brought["deals"], deal_id, pieces.late),
            watch(HashChain, "submit_ticks", brought["streams"], stream_id, pieces.ticks),
            watch(PriceBet, "submit_price", brought["bets"], bet_id, pieces.price),
            watch_rules(),
        ):
            stack.enter_context(each)
        yield
