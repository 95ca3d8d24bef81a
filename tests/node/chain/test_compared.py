"""Two nodes that are compared: what either knows is known, and neither is believed alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from perun.bindings.calls import Call
from perun.bindings.failures import NodeUnreachable
from perun.bindings.logs import Log
from perun.chain.compared import Compared
from perun.chain.endpoint import Block, Inconsistent, WrongChain
from perun.chain.reports import Disagreement, Sent, Unanswered
from perun.core.inputs import ChainBlock
from perun.errors import ChainFault
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ChainId, UnixTime, Wei
from tests.node.chain.conftest import ALICE, BOB, LIMITS, Site, Watcher


class Two(Watcher):
    """A watcher that asks two nodes."""

    def __post_init__(self) -> None:
        self.first = ScriptedEndpoint(self.site.chain)
        self.second = ScriptedEndpoint(self.site.chain)
        super().__post_init__()

    def start(self) -> None:
        self.endpoint = Compared(self.first, self.second)  # type: ignore[assignment]
        super().start()


@pytest.fixture
def two(site: Site) -> Two:
    watcher = Two(site, BOB)
    watcher.port.watch(site.watch)
    site.open(ALICE, 100)
    watcher.poll()
    return watcher


@pytest.mark.parametrize("down", ["first", "second"])
def test_one_may_be_down(site: Site, two: Two, down: str) -> None:
    getattr(two, down).reachable = False
    site.act(ALICE, site.call(site.register(1)))
    two.poll()
    assert two.seen(site.id)[0].dispute.version == 1
    two.port.submit(site.register(2))
    two.poll()
    site.chain.mine()
    two.poll()
    assert two.seen(site.id)[0].dispute.version == 2


def test_one_that_lets_us_wait_is_not_asked_every_question(site: Site, two: Two) -> None:
    asked = []

    class Hung(ScriptedEndpoint):
        def __getattribute__(self, name: str) -> Any:
            if not name.startswith("_") and name != "reach":
                asked.append(name)
                raise NodeUnreachable("Timeout")
            return super().__getattribute__(name)

    told: list[Any] = []
    pair = Compared(Hung(site.chain), two.second, told.append)
    for _ in range(40):
        assert pair.block() is not None
        assert pair.block(0) is not None
        pair.logs((), 0, 1)
    assert len(asked) < 10  # each costs as long as a request may take
    assert [report.what for report in told if isinstance(report, Unanswered)] == [
        "the first of two nodes"
    ]


def test_one_that_is_back_is_compared_again(site: Site, two: Two) -> None:
    pair = Compared(two.first, two.second)
    two.second.reachable = False
    for _ in range(40):
        pair.block()
    two.second.reachable = True
    for _ in range(20):
        pair.block()
    two.second.chain_now = lambda: ChainId(5)  # type: ignore[method-assign]
    with pytest.raises(WrongChain):
        pair.chain_now()


def test_not_both(two: Two) -> None:
    two.first.reachable = two.second.reachable = False
    with pytest.raises(NodeUnreachable):
        two.poll()


@pytest.mark.parametrize("quiet", ["first", "second"])
def test_what_one_keeps_back_the_other_tells(site: Site, two: Two, quiet: str) -> None:
    getattr(two, quiet).logs = lambda *_, **__: ()
    site.act(ALICE, site.call(site.register(1)))
    two.poll()
    assert two.seen(site.id)[0].dispute.version == 1
    assert two.of(Disagreement) == []


@pytest.mark.parametrize("by_tag", [True, False])
def test_of_what_one_alone_has_dangers_count_and_nothing_is_final(site: Site, by_tag: bool) -> None:
    """Attack: one of two nodes makes up blocks upon the newest, with money in them."""
    two = Two(site, BOB, limits=replace(LIMITS, finality_blocks=None if by_tag else 2))
    two.port.watch(site.watch)
    old = site.chain.head
    true = two.first.block

    def behind(number: int | None = None) -> Any:
        number = old.number if number is None else number
        return true(number) if number <= old.number else None

    two.first.block = behind  # type: ignore[method-assign]
    two.first.finalized = lambda: old  # type: ignore[method-assign]
    site.open(ALICE, 100)
    site.act(ALICE, site.call(site.register(1)))
    for _ in range(5):
        site.chain.mine()
    site.chain.tagged = old.number + 4
    two.poll()
    head, final = two.seen(site.id)
    assert (head.alice, head.dispute.version) == (100, 1)
    assert (final.alice, final.dispute) == (0, None)

    del two.first.block, two.first.finalized
    site.chain.mine()
    two.poll()
    assert two.seen(site.id)[1].alice == 100


def test_one_that_is_behind_hides_nothing(site: Site, two: Two) -> None:
    old = site.chain.head
    true = two.first.block

    def behind(number: int | None = None) -> Any:
        number = old.number if number is None else number
        return true(number) if number <= old.number else None

    two.first.block = behind  # type: ignore[method-assign]
    site.act(ALICE, site.call(site.register(1)))
    two.poll()
    assert two.seen(site.id)[0].dispute.version == 1


def test_two_chains_are_not_believed(site: Site, two: Two) -> None:
    true = two.second.block

    def forked(number: int | None = None) -> Any:
        found = true(number)
        return None if found is None else replace(found, hash=b"\x66" * 32)

    two.second.block = forked  # type: ignore[method-assign]
    site.act(ALICE, site.call(site.register(1)))
    for _ in range(3):
        with pytest.raises(Inconsistent, match="different blocks"):
            two.poll()
    assert two.inputs == []
    assert two.port.blind_since is not None


def test_two_storages_are_told(site: Site, two: Two) -> None:
    two.second.ask = lambda query, _: query.decode(bytes(32 * 5))  # type: ignore[method-assign]
    site.act(ALICE, site.call(site.register(1)))
    with pytest.raises(Inconsistent, match="storage"):
        two.poll()
    assert two.seen(site.id)[0].dispute.version == 1  # logs warn all the same


def test_two_ids_of_chains_are_told(site: Site, two: Two) -> None:
    two.second.chain_now = lambda: ChainId(5)  # type: ignore[method-assign]
    site.chain.mine()
    with pytest.raises(WrongChain):
        Compared(two.first, two.second).chain_now()
    with suppress(ChainFault):
        two.poll()
    assert "the id of the chain" in two.port.health.unanswered


@pytest.mark.parametrize("liar", ["first", "second"])
def test_one_keeps_no_answer_back_by_saying_that_we_are_poor(
    site: Site, two: Two, liar: str
) -> None:
    getattr(two, liar).balance = lambda _: 0
    two.port.submit(site.register(1))
    two.poll()
    assert two.of(Sent)


@pytest.mark.parametrize("liar", ["first", "second"])
@pytest.mark.parametrize("lie", [-1, 1, 10**6])
def test_two_counts_of_our_transactions_are_told(site: Site, two: Two, liar: str, lie: int) -> None:
    site.act(BOB, Call(ALICE.address, b"", Wei(1)))
    node = getattr(two, liar)
    true = node.next_nonce
    node.next_nonce = lambda account, number=None: max(0, true(account, number) + lie)
    two.port.submit(site.register(1))
    with pytest.raises(Inconsistent, match="count"):
        two.poll()


@pytest.mark.parametrize("late", ["first", "second"])
def test_one_that_is_behind_keeps_no_count_from_being_known(
    site: Site, two: Two, late: str
) -> None:
    node, old = getattr(two, late), site.chain.head.number
    block, count = node.block, node.next_nonce
    node.block = lambda number=None: block(old) if number in (None, old) else None
    node.next_nonce = lambda account, _=None: count(account, old)
    site.act(BOB, Call(ALICE.address, b"", Wei(1)))
    two.port.submit(site.register(1))
    two.poll()
    site.chain.mine()
    assert [sent.nonce for sent in two.of(Sent)] == [1]


# ------------------------------------------------------------------ one of two is an attacker


def made_up(site: Site, act: Callable[[], None]) -> list[Log]:
    """Logs that would be, had it happened."""
    act()
    block = site.chain.block(site.chain.head.number)
    assert block is not None
    site.chain.reorganise(1, keep=False)
    return list(block.logs)


def insert(node: Any, logs: list[Log], at: Block) -> None:
    """The node tells these logs too, as the last ones of a block."""
    true = node.logs
    told = [replace(log, block=at.number, block_hash=at.hash, index=log.index + 9) for log in logs]

    def tells(addresses: Any, first: int, last: int, topics: Any = ()) -> Any:
        more = tuple(log for log in told if first <= log.block <= last)
        return true(addresses, first, last, topics) + more

    node.logs = tells


def stores(*values: int) -> Callable[[Any, int], Any]:
    return lambda query, _: query.decode(b"".join(value.to_bytes(32, "big") for value in values))


@pytest.mark.parametrize("liar", ["first", "second"])
def test_money_that_one_makes_up_never_counts(site: Site, liar: str) -> None:
    """In logs and storage of a real block alike: whoever believes it is paid with nothing."""
    two = Two(site, BOB)
    two.port.watch(site.watch)
    site.chain.mine()
    two.poll()
    logs = made_up(site, lambda: site.open(ALICE, 100))
    site.chain.mine()
    node = getattr(two, liar)
    insert(node, logs, site.chain.head)
    node.ask = stores(100, 0, 0, 0, 0)
    for _ in range(6):
        with suppress(ChainFault):
            two.poll()
        seen = two.seen(site.id)
        assert seen is None or seen[1].alice == 0
        site.chain.mine()
    assert two.of(Disagreement)
    assert two.port.blind_since is not None


@pytest.mark.parametrize("liar", ["first", "second"])
@pytest.mark.parametrize("in_storage", [True, False])
def test_end_that_one_makes_up_hides_no_dispute(site: Site, liar: str, in_storage: bool) -> None:
    two = Two(site, BOB)
    two.port.watch(site.watch)
    site.open(ALICE, 100)
    two.poll()
    logs = made_up(site, lambda: site.act(ALICE, site.closing()))
    site.act(ALICE, site.call(site.register(1)))
    node = getattr(two, liar)
    insert(node, logs, site.chain.head)
    if in_storage:
        node.ask = stores(0, 0, 0, 0, 0)
    with suppress(ChainFault):
        two.poll()
    head, final = two.seen(site.id)
    assert head.dispute.version == 1
    assert not head.ended
    assert not final.ended


@pytest.mark.parametrize("liar", ["first", "second"])
@pytest.mark.parametrize("lie", ["closed", "newer"])
def test_block_that_one_makes_up_hides_no_dispute(site: Site, liar: str, lie: str) -> None:
    """Attack: it is always one block ahead, in which the channel is closed, or a newer state than
    any stands; the next block is another, and so the two never contradict each other."""
    two = Two(site, BOB)
    two.port.watch(site.watch)
    site.open(ALICE, 100)
    two.poll()
    if lie == "closed":
        logs = made_up(site, lambda: site.act(ALICE, site.closing()))
    else:
        logs = made_up(site, lambda: site.act(ALICE, site.call(site.register(10**6))))
    site.act(ALICE, site.call(site.register(1)))
    real = site.chain.head
    made = Block(real.number + 1, b"\x66" * 32, UnixTime(real.time + 12), real.base_fee)
    node = getattr(two, liar)
    block, ask = node.block, node.ask
    node.block = lambda number=None: made if number in (None, made.number) else block(number)
    node.ask = lambda query, number: (
        query.decode(bytes(160)) if number == made.number else ask(query, number)
    )
    insert(node, logs, made)
    with suppress(ChainFault):
        two.poll()
    head, _ = two.seen(site.id)
    assert head.dispute.version == 1
    assert not head.ended


@pytest.mark.parametrize(
    "lie",
    [
        lambda block: replace(block, time=UnixTime(block.time + 10**8)),
        lambda block: replace(block, time=UnixTime(block.time + 10**8), number=block.number - 1),
        lambda block: replace(block, hash=b"\x66" * 32),
    ],
)
def test_final_block_that_one_makes_up_is_not_final(site: Site, lie: Any) -> None:
    two = Two(site, BOB, limits=replace(LIMITS, finality_blocks=None))
    two.port.watch(site.watch)
    for _ in range(6):
        site.chain.mine()
    site.chain.tagged = 4
    true = two.first.finalized
    two.first.finalized = lambda: lie(true())  # type: ignore[method-assign]
    for _ in range(3):
        with suppress(ChainFault):
            two.poll()
        told = [input for input in two.inputs if isinstance(input, ChainBlock)]
        assert told
        assert all(input.final_time <= site.chain.block(4).header.time for input in told)
        site.chain.mine()


def test_price_of_gas_that_one_makes_up_makes_no_duty_worthless(site: Site) -> None:
    two = Two(site, BOB)
    two.poll()
    real = site.chain.head
    made = Block(real.number + 1, b"\x66" * 32, UnixTime(real.time + 12), Wei(10**13))
    block, ask = two.first.block, two.first.ask
    two.first.block = lambda number=None: (  # type: ignore[method-assign]
        made if number in (None, made.number) else block(number)
    )
    two.first.ask = lambda query, _: ask(query, real.number)  # type: ignore[method-assign]
    with suppress(ChainFault):
        two.poll()
    (told,) = (input for input in two.inputs if isinstance(input, ChainBlock))
    assert told.head_number == made.number
    assert told.gas_price < 4 * real.base_fee


def test_one_that_stands_still_is_told_once(site: Site, two: Two) -> None:
    """Nothing becomes final while it does, and nobody would know why."""
    told: list[Any] = []
    pair = Compared(two.first, two.second, told.append)
    old, true = site.chain.head.number, two.first.block
    two.first.block = lambda number=None: (  # type: ignore[method-assign]
        true(old) if number in (None, old) else None
    )
    for _ in range(70):
        site.chain.mine()
        assert pair.block() == site.chain.head
    assert [(report.what, report.reason) for report in told] == [
        ("one of two nodes", "it is 65 blocks behind the other")
    ]
