"""The table of limits, per chain: every length of time and size that section 5 names, in one place.

Times are compared with block timestamps, except `patience`, which our own clock measures.
To add one, see docs/guides/add-a-limit.md, which also says what belongs into another table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from perun import checks
from perun.errors import Misuse
from perun.types import ChainId, Record, Seconds, Wei

__all__ = ["DEFAULT_LIMITS", "LIMITS", "Limits", "UnsafeLimits", "limits_for", "outage_of"]


@dataclass(eq=False)
class UnsafeLimits(Misuse):
    """Limits under which an answer could come too late."""

    rule: str
    left: int
    right: int

    template: ClassVar[str] = "limits must satisfy {rule}, but {left} is not below {right}"
    hint: ClassVar[str] = "raise the least challenge, or lower freshness and margin"


_AMOUNTS: Final = ("dust", "least_channel")


# Rules limits-1, limits-2, limits-4.
class Limits(Record, frozen=True, gc=False):
    """What a party may rely on at one chain (protocol, section 5, Limits)."""

    finality_blocks: int | None = None
    """Blocks after which a block counts as final; None: the chain's own finality tag."""
    freshness: Seconds = Seconds(300)
    """Greatest age of our newest block at which we sign or accept anything."""
    margin: Seconds = Seconds(600)
    """Time kept before an end, for a transaction to be mined and to survive a reorganisation."""
    patience: Seconds = Seconds(10)
    """How long a hub, or a proposer, waits for an answer before it refuses or says so."""
    hold: Seconds = Seconds(60)
    """How long a proposal waits for our user before it is refused."""
    least_challenge: Seconds = Seconds(86_400)
    greatest_challenge: Seconds = Seconds(7 * 86_400)
    least_machine_challenge: Seconds = Seconds(7_200)
    greatest_validity: Seconds = Seconds(30 * 86_400)
    """How far ahead the end of an instance may lie."""
    offer_validity: Seconds = Seconds(3_600)
    """Life of a Close, a Withdraw or a deposit on its way."""
    open_validity: Seconds = Seconds(600)
    """Life of an `Open`: minutes."""
    dust: Wei = Wei(0)
    """Least lock we take part in, in wei; in a token what is worth as much (`nanocontracts.worth`).
    While the price of gas is not known, the least total worth a submission as well."""
    submit_gas: int = 0
    """Gas of a submission. With today's price of gas (`ChainView.gas_price`) it says which totals
    are worth one, and what is too small a lock to be agreed on; 0: the price does not matter."""
    leave_gas: int = 0
    """Gas of leaving a channel alone: with today's price, the least that a new channel holds; 0:
    the price does not matter."""
    greatest_nanos: int = 64
    slots_per_peer: int = 48
    """Nanos one peer may fill in one channel; what is left is kept for small short-lived ones."""
    offers_per_peer: int = 64
    """Channels that one peer may have offered us and nobody has put money into: each costs the
    offerer nothing, and us a row and a watch."""
    unsigned_per_peer: int = 64
    """Instances that one peer may have agreed on with us and of which no state is signed."""
    unsigned_per_hub: int = 1_024
    """… and that all ends behind one hub may have: with more the oldest is forgotten."""
    unasked: int = 64
    """With so many instances that wait for their states, no half is signed unasked for a further
    one: strangers cost nothing, and each half that lapses holds its channel for `patience`."""
    unresolved_per_channel: int = 16
    """Proposals of ours, refusals above all, that wait for their resolution: with so many we answer
    no further one. Two who keep the rules never have more than a few."""
    least_channel: Wei = Wei(0)
    """Least that both sides of a channel put in, in wei; in a token what is worth as much, and a
    token without a price (`Policy.worths`) is refused. 0 accepts every channel, unless `leave_gas`
    says more."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if value is not None or field != "finality_blocks":
                checks.unsigned(field, value, 256 if field in _AMOUNTS else 40)
        least = min(self.least_challenge, self.least_machine_challenge)
        reach = self.freshness + 2 * self.margin
        # Registered at the last fresh moment, seen one margin later, answered one margin on: still
        # in the first half of the shortest window.
        if 2 * reach >= least:
            raise UnsafeLimits("2 * (freshness + 2 * margin) < least challenge", 2 * reach, least)


DEFAULT_LIMITS: Final = Limits()
"""Layer 1: a day to answer a register, two hours to answer a submission."""

_LAYER_2: Final = Limits(
    # Longer than the longest planned outage plus forced inclusion.
    least_challenge=Seconds(2 * 86_400),
    least_machine_challenge=Seconds(86_400),
)

_DEVELOPMENT: Final = Limits(
    finality_blocks=2,
    freshness=Seconds(60),
    margin=Seconds(60),
    least_challenge=Seconds(600),
    least_machine_challenge=Seconds(600),
    offer_validity=Seconds(300),
    open_validity=Seconds(30),
)

_TEST_NETWORK: Final = Limits(
    # Short, so that trying it takes an hour and not a day; the money is worth nothing.
    least_challenge=Seconds(3_600),
    least_machine_challenge=Seconds(3_600),
)

LIMITS: Final[dict[ChainId, Limits]] = {
    ChainId(1): DEFAULT_LIMITS,
    ChainId(10): _LAYER_2,
    ChainId(8453): _LAYER_2,
    ChainId(42161): _LAYER_2,
    ChainId(11155111): _TEST_NETWORK,
    ChainId(560048): _TEST_NETWORK,
    ChainId(31337): _DEVELOPMENT,
    # eth-tester's.
    ChainId(131277322940537): _DEVELOPMENT,
}
"""By chain id; a chain that is not here gets `DEFAULT_LIMITS`."""


def outage_of(chain: ChainId) -> Seconds:
    """The longest that a chain may take no transaction: none on layer 1, on layer 2 what its
    challenges are made for."""
    limits = limits_for(chain)
    return limits.least_machine_challenge if limits is _LAYER_2 else Seconds(0)


def limits_for(chain: ChainId) -> Limits:
    """The limits of a chain."""
    return LIMITS.get(chain, DEFAULT_LIMITS)
