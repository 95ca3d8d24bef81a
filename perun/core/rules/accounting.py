"""Free money, solvency, shifts and worst cases: arithmetic only (protocol, section 3).

Python integers do not overflow, so intermediate values may leave the range of an amount as they may
in the contract's 256 bits.
"""

from __future__ import annotations

from collections.abc import Iterable

from perun.core.state import ChannelView, Role
from perun.types import MAX_AMOUNT, Nano, State, Wei

__all__ = [
    "clamp_to_locks",
    "free_money",
    "gain",
    "locks_fit",
    "own_lock",
    "reliable_holdings",
    "solvent",
    "swap",
]


def swap(shift: int, swapped: bool) -> int:
    """An instance's shift as one from the channel's Alice to the channel's Bob."""
    return -shift if swapped else shift


def clamp_to_locks(nano: Nano, shift: int) -> Wei:
    """What an instance's `shift` moves from the channel's Alice to its Bob: exchanged if `swapped`,
    then cut to `[−bobLock, aliceLock]` [B4]."""
    return Wei(max(-nano.bob_lock, min(nano.alice_lock, swap(shift, nano.swapped))))


def own_lock(nano: Nano, role: Role) -> Wei:
    """What `role` of the channel may lose in the instance."""
    return nano.alice_lock if role is Role.ALICE else nano.bob_lock


def gain(role: Role, amount: int) -> int:
    """What `role` gains when `amount` moves from the channel's Alice to its Bob."""
    return -amount if role is Role.ALICE else amount


def free_money(holdings: tuple[int, int], net: int, nanos: Iterable[Nano], role: Role) -> int:
    """`a − net − Σ aliceLock`, or `b + net − Σ bobLock`; negative if insolvent."""
    # A loop, since every state passes here several times and lists are short.
    free = holdings[role] + gain(role, net)
    for nano in nanos:
        free -= nano.alice_lock if role is Role.ALICE else nano.bob_lock
    return free


def solvent(holdings: tuple[int, int], state: State) -> bool:
    """Whether `register` would take the state: neither side's free money is negative."""
    return (
        free_money(holdings, state.net, state.nanos, Role.ALICE) >= 0
        and free_money(holdings, state.net, state.nanos, Role.BOB) >= 0
    )


def locks_fit(nanos: Iterable[Nano]) -> bool:
    """Whether the locks of either side add up to an amount, as `register` wants: what a first
    `settle` leaves locked becomes the holdings."""
    alice = bob = 0
    for nano in nanos:
        alice += nano.alice_lock
        bob += nano.bob_lock
    return max(alice, bob) <= MAX_AMOUNT


def reliable_holdings(view: ChannelView) -> tuple[int, int]:
    """Holdings that any state we sign can count on: deposits in final blocks, less every Withdraw
    that is alive, on either side (all combinations at once: amounts only lower a side) [A8].
    """
    alice, bob = int(view.final.alice), int(view.final.bob)
    for offer in view.withdraws:
        alice -= offer.withdraw.alice_amount
        bob -= offer.withdraw.bob_amount
    return alice, bob
