"""Everybody wants into the same blocks: what a mass exit costs, how long it takes, who is too late.

A simulation, not a measurement: blocks with the base fee of EIP-1559, other people who leave when
gas gets dear, and our own bids (`perun.chain.fees`), which begin low and are raised while they
lie. Two stories. *Answers*: so many channels of a hub are registered with old states in the same
block, and each is to be answered before its challenge ends. *Ends*: so many machines end in the
same second, and whoever was paid in one submits it when a margin is left. What is at stake is
taken to be more than any of it costs.

`docs/economics.md` shows the numbers and says what follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, Result
from perun.bindings.calls import Fees
from perun.chain.fees import GWEI, FeePolicy, first_fees, higher_fees, most_now, usual_now
from perun.core.gas import SUBMIT_GAS, register_gas
from perun.core.limits import DEFAULT_LIMITS
from perun.types import Seconds, Wei

__all__ = [
    "Crowd",
    "Market",
    "Outcome",
    "answers",
    "bribe",
    "ends",
    "flood",
    "mass_exit",
    "next_base_fee",
    "table",
]

BLOCK: Final = 12
"""Seconds (layer 1)."""
ANSWER_GAS: Final = register_gas(nanos=1)


@dataclass(frozen=True)
class Market:
    """A chain, and those who use it besides us."""

    gas_limit: int = 60_000_000
    """Of a block; the target is half of it."""
    base_fee: Wei = GWEI
    """At which others want just the target."""
    elasticity: float = 1.0
    """How fast they leave: at twice the base fee they want `2 ** -elasticity` of it."""
    tip: Wei = GWEI
    """What others tip in the mean; their tips are spread exponentially, so one in 150 tips 5
    times as much."""
    steps: int = 20

    def others(self, base_fee: int) -> Iterator[tuple[int, int]]:
        """(tip, gas) of what others want in a block, the highest tips first."""
        wanted = self.gas_limit / 2 * (self.base_fee / max(base_fee, 1)) ** self.elasticity
        wanted = min(wanted, 4.0 * self.gas_limit)
        for step in range(self.steps):
            tip = -self.tip * math.log((step + 0.5) / self.steps)
            yield int(tip), int(wanted / self.steps)


def next_base_fee(base_fee: int, used: int, gas_limit: int) -> int:
    """EIP-1559: an eighth up after a full block, an eighth down after an empty one."""
    target = gas_limit // 2
    change = base_fee * abs(used - target) // target // 8
    return base_fee + max(change, 1) if used > target else base_fee - change * (used < target)


@dataclass
class Crowd:
    """Transactions that were sent in the same block and bid alike."""

    count: int
    bid: Fees
    raised_at: int
    hostile: bool = False
    """Stale registers: each that is mined calls for an answer in the next block."""


@dataclass
class Outcome:
    """How it went."""

    mined: int = 0
    too_late: int = 0
    blocks: int = 0
    """Until the last one of ours was mined."""
    highest_base_fee: int = 0
    paid: int = 0
    """For all of ours, in wei."""
    attackers_paid: int = 0

    @property
    def mean(self) -> float:
        """What one of ours cost, in ETH."""
        return self.paid / max(self.mined, 1) / 10**18


@dataclass
class Story:
    """One run: blocks, and what waits for them."""

    market: Market
    policy: FeePolicy
    gas: int
    """Of one transaction."""
    end: int
    """The last block that is in time for ours."""
    deadline: int
    """The block after which ours are of no use; later than `end`, if that is earlier."""
    base_fee: int = 0
    usual: int = 0
    """Base fee of the last hours."""
    crowds: list[Crowd] = field(default_factory=list)
    found: Outcome = field(default_factory=Outcome)

    def send(self, count: int, block: int, *, hostile: bool = False) -> None:
        policy = FeePolicy() if hostile else self.policy
        most = policy.greatest if hostile else self._most(block)
        bid = first_fees(policy, Wei(self.base_fee), self.market.tip, most)
        self.crowds.append(Crowd(count, bid, block, hostile))

    def _most(self, block: int) -> Wei:
        left = Seconds((self.deadline - block) * BLOCK)
        return most_now(self.policy, Wei(self.base_fee), Wei(self.usual), left, None)

    def run(self, count: int, *, attacked: bool) -> Outcome:
        self.base_fee = self.usual = int(self.market.base_fee)
        self.send(count, 0, hostile=attacked)
        for block in range(self.end + 1):
            self.usual = usual_now(self.policy, Wei(self.usual), Wei(self.base_fee), BLOCK)
            self._raise_bids(block)
            self.found.highest_base_fee = max(self.found.highest_base_fee, self.base_fee)
            used, answers_due = self._fill(block)
            self.base_fee = next_base_fee(self.base_fee, used, self.market.gas_limit)
            if answers_due:
                self.send(answers_due, block + 1)
            self.crowds = [crowd for crowd in self.crowds if crowd.count]
            if not self.crowds:
                break
        self.found.too_late = count - self.found.mined
        return self.found

    def _raise_bids(self, block: int) -> None:
        for crowd in self.crowds:
            policy = FeePolicy() if crowd.hostile else self.policy
            hurry = not crowd.hostile and (self.deadline - block) * BLOCK < policy.hurry
            if block - crowd.raised_at >= (1 if hurry else policy.patience):
                price, most = Wei(self.base_fee), policy.greatest
                if not crowd.hostile:
                    most = self._most(block)
                raised = higher_fees(policy, crowd.bid, price, self.market.tip, most)
                crowd.bid, crowd.raised_at = raised or crowd.bid, block

    def _fill(self, block: int) -> tuple[int, int]:
        """One block, by the highest tips; (gas used, stale registers in it)."""
        offers: list[tuple[int, int, Crowd | None]] = [
            (min(crowd.bid.tip, crowd.bid.most - self.base_fee), 0, crowd)
            for crowd in self.crowds
            if crowd.bid.most >= self.base_fee
        ]
        offers += [(tip, wanted, None) for tip, wanted in self.market.others(self.base_fee)]
        room, stale = self.market.gas_limit, 0
        for tip, wanted, crowd in sorted(offers, key=lambda offer: -offer[0]):
            if crowd is None:
                room -= min(room, wanted)
                continue
            count = min(crowd.count, room // self.gas)
            crowd.count -= count
            room -= count * self.gas
            cost = count * self.gas * (self.base_fee + tip)
            if crowd.hostile:
                stale += count
                self.found.attackers_paid += cost
            elif count:
                self.found.mined += count
                self.found.paid += cost
                self.found.blocks = block
        return self.market.gas_limit - room, stale


def answers(
    channels: int,
    market: Market | None = None,
    challenge: int = DEFAULT_LIMITS.least_challenge,
    policy: FeePolicy | None = None,
) -> Outcome:
    """A hub answers `channels` stale registers that are all sent at once; in time is what comes
    within half of the challenge, as `dispute-2` wants it. Attackers bid as our client does."""
    half = challenge // 2 // BLOCK
    story = Story(market or Market(), policy or FeePolicy(), ANSWER_GAS, half, challenge // BLOCK)
    return story.run(channels, attacked=True)


def ends(
    machines: int,
    market: Market | None = None,
    margin: int = DEFAULT_LIMITS.margin,
    policy: FeePolicy | None = None,
) -> Outcome:
    """`machines` that end in the same second are submitted when `margin` seconds are left."""
    blocks = margin // BLOCK
    story = Story(market or Market(), policy or FeePolicy(), SUBMIT_GAS, blocks, blocks)
    return story.run(machines, attacked=False)


def bribe(challenge: int, policy: FeePolicy | None = None, base_fee: Wei = GWEI) -> int:
    """What it costs, in wei, to have every builder leave one answer lying for half a challenge: in
    each block more than the answer would bring the builder, and it is raised while it lies."""
    policy = policy or FeePolicy()
    bid, total = first_fees(policy, base_fee, GWEI), 0
    for block in range(challenge // 2 // BLOCK):
        if block and block % policy.patience == 0:
            bid = higher_fees(policy, bid, base_fee, GWEI) or bid
        total += ANSWER_GAS * min(bid.tip, bid.most - base_fee)
    return total


def flood(price: Wei, seconds: int, market: Market | None = None) -> int:
    """What it costs, in wei, to keep gas at `price` for so long: first whole blocks, until the base
    fee is there, then half of each; others are gone by then."""
    market = market or Market()
    base_fee, total = int(market.base_fee), 0
    while base_fee < price:
        total += market.gas_limit * base_fee
        base_fee = next_base_fee(base_fee, market.gas_limit, market.gas_limit)
    return total + market.gas_limit // 2 * price * (seconds // BLOCK)


ROWS: Final = tuple(
    (story, base_fee, count)
    for story, counts in (
        ("answers", (1_000, 10_000, 30_000, 100_000)),
        ("ends", (1_000, 10_000, 30_000, 50_000)),
    )
    for base_fee in (1, 20, 100)
    for count in counts
)
"""What is simulated: the story, gas in gwei before it begins, and how many at once."""


def play(story: str, base_fee: int, count: int) -> Outcome:
    """One row."""
    market = Market(base_fee=Wei(base_fee * GWEI))
    return answers(count, market) if story == "answers" else ends(count, market)


def table() -> str:
    """The table of `docs/economics.md`."""
    lines = [
        "| story | gas before | at once | too late | until the last one | highest base fee "
        "| one costs | all cost | attackers pay |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in ROWS:
        story, base_fee, count = row
        found = play(*row)
        lines.append(
            f"| {story} | {base_fee} gwei | {count:,} | {found.too_late:,} "
            f"| {found.blocks * BLOCK / 60:.1f} min | {found.highest_base_fee / GWEI:,.0f} gwei "
            f"| {found.mean * 1_000:.1f} mETH | {found.paid / 10**18:,.1f} ETH "
            f"| {found.attackers_paid / 10**18:,.1f} ETH |"
        )
    return "\n".join(lines) + "\n"


def mass_exit(folder: Path) -> Result:  # noqa: ARG001
    """The same as figures."""
    figures = []
    for story, base_fee, count in ROWS:
        found = play(story, base_fee, count)
        name = f"{count:,} {story}, gas at {base_fee} gwei"
        figures += [
            Figure(f"{name}: too late", found.too_late),
            Figure(f"{name}: until the last one", found.blocks * BLOCK / 60, "min"),
            Figure(f"{name}: highest base fee", found.highest_base_fee / GWEI, "gwei"),
            Figure(f"{name}: all cost", found.paid / 10**18, "ETH"),
        ]
    return Result("mass-exit", "Mass exit, simulated", tuple(figures))


if __name__ == "__main__":
    print(table(), end="")
