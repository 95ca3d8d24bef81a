"""Swaps by two hash locks: by the times that are asked for, nobody who acts in time loses."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from perun.core.inputs import (
    CommandDispute,
)
from perun.core.limits import Limits
from perun.core.nanocontracts.hash_lock import (
    HASH_LOCK,
    CommandReveal,
)
from perun.core.notices import PreimageLearnt
from perun.core.rules.swaps import (
    Place,
    SwapRejected,
    check_swap,
    gap,
    look_worth,
    parts,
    times,
)
from perun.core.state import InstanceView
from perun.crypto.hashing import keccak
from perun.testing.parties import World
from perun.testing.stories import OPEN_HANDED, add_lock, open_channel
from perun.types import (
    ETH,
    Address,
    Asset,
    InstanceId,
    Lock,
    Preimage,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

from .conftest import Pair
from .crafted import at

NOW = UnixTime(1_000_000)
HASH = b"\x11" * 32


def place(margin: int = 600, freshness: int = 300, outage: int = 0, now: int = NOW) -> Place:
    limits = Limits(margin=Seconds(margin), freshness=Seconds(freshness))
    return Place(limits, UnixTime(now), Seconds(outage))


def lock(until: int, hash: bytes = HASH, amount: int = 5) -> Lock:
    return Lock(Wei(amount), False, hash, UnixTime(until), Salt(bytes(32)))


PLACES = [
    (place(), place()),
    (place(60, 30), place(600, 300)),
    (place(600, 300, outage=43_200), place(60, 30)),
    (place(), place(60, 30, outage=43_200, now=NOW + 200)),
]


@pytest.mark.parametrize("places", PLACES)
def test_earliest_safe_times_are_taken_and_a_second_less_is_not(
    places: tuple[Place, Place],
) -> None:
    first, second = times(*places)
    check_swap(lock(first), lock(second), places)
    with pytest.raises(SwapRejected, match="1 s later"):
        check_swap(lock(first - 1), lock(second), places)


@pytest.mark.parametrize("places", PLACES)
def test_secret_shown_in_the_last_second_still_pays_the_other_side(
    places: tuple[Place, Place],
) -> None:
    """The attack: the holder waits till the very end, our view is as old as we allow, and the
    first chain is down as long as it may be."""
    one, other = places
    first, second = times(*places)
    heard = second + other.limits.freshness
    known_to_us = heard + other.limits.margin  # mined late, and reorganised once
    brought = known_to_us + one.limits.freshness + one.outage + one.limits.margin
    assert brought <= first


@pytest.mark.parametrize("places", PLACES)
def test_holder_has_time_to_see_its_lock_final_and_bring_the_secret(
    places: tuple[Place, Place],
) -> None:
    one, other = places
    least = other.now + 2 * other.limits.margin + other.limits.freshness + other.outage
    far = least + gap(one, other)
    check_swap(lock(far), lock(least), places)
    with pytest.raises(SwapRejected, match="ends 1 s early"):
        check_swap(lock(far), lock(least - 1), places)


def test_ends_the_wrong_way_round_are_refused() -> None:
    first, second = times(*PLACES[0])
    with pytest.raises(SwapRejected, match="later"):
        check_swap(lock(second), lock(first), PLACES[0])


def test_two_secrets_or_nothing_for_one_side_is_no_swap() -> None:
    first, second = times(*PLACES[0])
    with pytest.raises(SwapRejected, match="one hash"):
        check_swap(lock(first), lock(second, b"\x12" * 32), PLACES[0])
    for mine, theirs in ((0, 5), (5, 0)):
        with pytest.raises(SwapRejected, match="nothing"):
            check_swap(lock(first, amount=mine), lock(second, amount=theirs), PLACES[0])


@pytest.mark.parametrize("seconds", [1, 60, 3_600, 86_400, 7 * 86_400])
@pytest.mark.parametrize("daily", [1, 5_000, 40_000])
def test_look_is_worth_what_the_formula_says_and_never_less(seconds: int, daily: int) -> None:
    amount = 10**21
    exact = 0.4 * amount * daily / 1e6 * math.sqrt(seconds / 86_400)
    found = look_worth(Wei(amount), daily, seconds)
    assert exact <= found <= exact * 1.001


def test_look_of_no_time_is_worth_nothing_and_longer_ones_more() -> None:
    assert look_worth(Wei(10**18), 40_000, 0) == 0
    worth = [look_worth(Wei(10**18), 40_000, seconds) for seconds in (1, 10, 100, 1_000)]
    assert worth == sorted(set(worth))
    with pytest.raises(SwapRejected):
        look_worth(Wei(1), -1, 1)


@pytest.mark.parametrize(("amount", "most"), [(1, 1), (10, 3), (10, 10), (10, 99), (10**20, 7**19)])
def test_parts_add_up_and_none_is_above_the_most(amount: int, most: int) -> None:
    cut = parts(Wei(amount), Wei(most))
    assert sum(cut) == amount
    assert max(cut) <= most
    assert max(cut) - min(cut) <= 1


@pytest.mark.parametrize(("amount", "most"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_nothing_is_not_cut(amount: int, most: int) -> None:
    with pytest.raises(SwapRejected):
        parts(Wei(amount), Wei(most))


def test_parts_bound_what_a_silent_holder_can_gain() -> None:
    """One option of a tenth at a time, instead of one of the whole."""
    whole, tenth = Wei(10**19), parts(Wei(10**19), Wei(10**18))[0]
    assert 10 * look_worth(tenth, 40_000, 3_000) <= look_worth(whole, 40_000, 3_000) + 10


def test_a_slower_chain_costs_more_time() -> None:
    slow = replace(place(), outage=Seconds(10_000))
    assert gap(slow, place()) == gap(place(), place()) + 10_000


# ------------------------------------------------------------------------------------- with parties


SECRET = Preimage(b"\x2a" * 32)
TOKEN = Asset(Address(b"\x09" * 20))


BOTH_ASSETS = replace(OPEN_HANDED, assets=(ETH, TOKEN))


class Swap:
    """Alice holds the secret; she pays 100 wei and is paid 300 of a token."""

    def __init__(self) -> None:
        self.world = World()
        self.alice, self.bob = (self.world.party(name, BOTH_ASSETS) for name in ("alice", "bob"))
        for party in (self.alice, self.bob):
            self.world.ledger.mint(TOKEN, party.account.address, Wei(1_000))
        self.world.advance()
        self.eth = open_channel(self.world, self.alice, self.bob, 1_000, 1_000)
        self.token = open_channel(self.world, self.alice, self.bob, 1_000, 1_000, TOKEN)
        where = Place(self.alice.limits, self.world.ledger.time)
        self.places = (where, where)
        self.until = times(*self.places)

    def lock(self) -> None:
        hash, now = keccak(SECRET), self.world.ledger.time
        first, second = (until - now for until in self.until)
        self.first = add_lock(self.world, self.alice, self.eth, 100, hash, life=first)
        self.second = add_lock(self.world, self.bob, self.token, 300, hash, life=second)
        for party in (self.alice, self.bob):
            terms = [party.node.books.instances[id].terms for id in (self.first, self.second)]
            assert all(isinstance(one, Lock) for one in terms)
            check_swap(*terms, self.places)  # type: ignore[arg-type]

    def nets(self) -> tuple[int, ...]:
        """What Bob has been paid in each channel."""
        views = [self.bob.node.books.channels[id] for id in (self.eth, self.token)]
        return tuple(0 if view.agreed is None else view.agreed.state.net for view in views)

    def leave(self) -> None:
        """Both leave both channels, and wait until the chain has paid them."""
        for party in (self.alice, self.bob):
            for id in (self.eth, self.token):
                if party.node.books.channels[id].head.dispute is None:
                    party.do(CommandDispute(id))
                    self.world.advance()
        for _ in range(300):
            self.world.advance(30)

    def moved(self) -> tuple[bool, bool]:
        """Whether each lock has paid, as the contract has it."""
        records = self.world.ledger.contracts.hash_time_lock.records
        return self.first in records, self.second in records


@pytest.fixture
def swap() -> Swap:
    found = Swap()
    found.lock()
    return found


# Rule swap-5.
def test_secret_shown_off_chain_moves_both_though_the_other_user_looks_away(swap: Swap) -> None:
    swap.alice.do(CommandReveal(swap.second, SECRET))
    swap.world.settle()
    assert swap.nets()[1] == -300
    swap.world.advance()
    assert swap.nets() == (100, -300)


def test_secret_is_kept_for_no_lock_that_we_pay_or_under_another_hash(swap: Swap) -> None:
    other = add_lock(swap.world, swap.alice, swap.eth, 5, keccak(b"\x2b" * 32))
    ours = add_lock(swap.world, swap.bob, swap.eth, 7, keccak(SECRET))
    swap.alice.do(CommandReveal(swap.second, SECRET))
    swap.world.settle()
    known = swap.bob.node.books.instances
    assert known[swap.first].preimage == SECRET
    assert known[other].preimage is known[ours].preimage is None


def test_holder_who_waits_for_the_last_second_pays_all_the_same(swap: Swap) -> None:
    """Silent, and then on chain in the last second of the second lock: Bob reads it there."""
    swap.world.network.rule = lambda _letter: ()
    swap.alice.do(CommandReveal(swap.second, SECRET))
    while swap.world.ledger.time < swap.until[1] - 60:
        swap.world.advance(30)
    swap.world.advance(30)
    for _ in range(4):
        swap.world.advance(12)
    assert swap.moved()[1]
    (learnt,) = set(swap.bob.told(PreimageLearnt))
    assert isinstance(learnt, PreimageLearnt)
    assert learnt.preimage == SECRET
    swap.leave()
    assert swap.moved() == (True, True)


def test_holder_who_stays_silent_loses_nothing_and_wins_nothing(swap: Swap) -> None:
    swap.world.network.rule = lambda _letter: ()
    swap.leave()
    assert swap.moved() == (False, False)


def test_other_side_that_does_not_lock_leaves_the_holder_whole() -> None:
    swap = Swap()
    first = swap.until[0] - swap.world.ledger.time
    swap.first = add_lock(swap.world, swap.alice, swap.eth, 100, keccak(SECRET), life=first)
    while swap.world.ledger.time <= swap.until[0] + 60:
        swap.world.advance(60)
    assert swap.nets() == (0, 0)
    assert swap.bob.node.books.channels[swap.eth].agreed.state.nanos == ()  # type: ignore[union-attr]


def test_secret_forces_a_payment_until_a_margin_before_the_deadline(pair: Pair) -> None:
    """Later the hub would pay on what it may not get any more, rule (c)."""
    last = UnixTime(2_000_000_000)
    lock = Lock(Wei(7), False, keccak(SECRET), last, Salt(bytes(32)))
    known = InstanceView(InstanceId(b"\x03" * 32), lock, (), None, preimage=Preimage(SECRET))
    margin = pair.alice.limits.margin
    for time, forces in ((last - margin, True), (last - margin + 1, False)):
        draft = at(pair.alice, UnixTime(time))
        assert HASH_LOCK.forces(draft, known, (Wei(7), Wei(0))) is forces
