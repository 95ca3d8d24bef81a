"""What the acts of the story share: the cast, its tally, and the voice that tells it."""

from __future__ import annotations

import random
from typing import Final

from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandPay
from perun.core.state import SignedState
from perun.demo.character import Character
from perun.demo.stage import ETHER, Stage
from perun.demo.tally import Tally
from perun.demo.telling import Act, Note, Progress, Tell
from perun.demo.wheels import StoryFailed
from perun.types import ChannelId, MachineId, Wei

__all__ = ["BASE_FEE", "DAY", "GREATEST_PAYMENT", "OPEN_FEE", "Play"]

_GWEI: Final = 10**9

DAY: Final = 86_400
BASE_FEE: Final = Wei(20_000 * _GWEI)
"""What Ingrid takes for an instance that crosses her."""
OPEN_FEE: Final = Wei(50_000 * _GWEI)
"""What Ingrid takes for a channel that draws on her credit."""
GREATEST_PAYMENT: Final = 20_000 * _GWEI
"""Payments are drawn below this."""

_BATCH: Final = 250


class Play:
    """One performance."""

    direct: ChannelId
    """Alice and Bob's own channel."""
    old: SignedState
    """A state of it that Bob will like better than later ones."""

    def __init__(self, stage: Stage, payments: int, tell: Tell) -> None:
        """The cast enters, each with 10 ETH and an empty store.

        Args:
            payments: how many in each of the two great series.
        """
        self.stage = stage
        self.payments = payments
        self.tell = tell
        self.dice = random.Random(stage.seed)  # noqa: S311  # amounts of a demonstration
        self.tally = Tally()
        hub = HubPolicy(base_fee=BASE_FEE, open_fee=OPEN_FEE, greatest_draw=Wei(2 * ETHER))
        self.alice = stage.enter("Alice")
        self.bob = stage.enter("Bob")
        self.ingrid = stage.enter("Ingrid", Policy(greatest_deposit=Wei(2 * ETHER), hub=hub))
        self.hub_signed = 0
        """How often Ingrid signed while others paid each other over her."""
        self._act = 0

    # ------------------------------------------------------------------------------------- telling

    def next(self, title: str) -> None:
        """A new chapter."""
        self._act += 1
        self.tell(Act(self._act, title))

    def note(self, who: Character | str, text: str) -> None:
        """Something has happened to somebody, or to several."""
        name = who if isinstance(who, str) else who.name
        self.tell(Note(self.stage.now, self.stage.head.number, name, text))

    # ------------------------------------------------------------------------------------- paying

    def agreed(self, party: Character) -> SignedState:
        """The newest state of Alice and Bob's own channel, as one of them has it."""
        agreed = party.channel(self.direct).agreed
        if agreed is None:
            raise StoryFailed(f"a signed state of {party.name}")
        return agreed

    def pay(
        self,
        machine: MachineId,
        count: int,
        what: str,
        total: int,
        done: int = 0,
        least: int = 1,
    ) -> None:
        """Payments both ways, in batches, as fast as the nodes go; each at least `least`."""
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            for _ in range(size):
                payer, payee = self._pair()
                amount = Wei(least + self.dice.randrange(GREATEST_PAYMENT))
                payer.do(CommandPay(machine, amount))
                self.tally.pay(payer.name, payee.name, amount)
            self.stage.settle()
            self.tell(Progress(done + start + size, total, what))

    def _pair(self) -> tuple[Character, Character]:
        pair = (self.alice, self.bob)
        return pair if self.dice.random() < 0.5 else pair[::-1]

    def arrived(self, machine: MachineId) -> None:
        """Both sides agree on both totals, statement by statement."""
        mine, theirs = self.alice.books.totals[machine], self.bob.books.totals[machine]
        if (mine.sent, mine.received) != (theirs.received, theirs.sent):
            raise StoryFailed("the arrival of every payment")
