"""What is dangerous in the newest block is seen and answered, whatever else a node cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace
from web3.types import TxParams

from perun.bindings import ms_contract_calls, vpm
from perun.bindings.failures import Garbled, NodeBusy, NodeUnreachable
from perun.chain.endpoint import Inconsistent, WrongChain
from perun.chain.reports import Blind, Disagreement, FinalityBroken, Unanswered
from perun.chain.timeline import DEPTH
from perun.core.chain_view import EMPTY, OnChain
from perun.core.effects import Watch
from perun.core.inputs import ChainBlock, ChainChannel, ChainCredit, ChainInstance
from perun.encoding import machine_id
from perun.errors import ChainFault
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.pool import ScriptedAccount
from perun.types import (
    ETH,
    Address,
    ChainId,
    InstanceId,
    Machine,
    MachineRecord,
    Salt,
    Seconds,
    Signature,
    Statement,
    UnixTime,
    Wei,
)
from tests.node.chain.conftest import ALICE, BOB, INGRID, LIMITS, Site, Watcher, signed

Bend = Callable[[Watcher], None]

FAR = UnixTime(2**33)


def fails(name: str, fault: ChainFault, when: Callable[..., bool] = lambda *_, **__: True) -> Bend:
    """A node that answers some questions with this."""

    def bend(watcher: Watcher) -> None:
        true = getattr(watcher.endpoint, name)

        def bent(*arguments: Any, **named: Any) -> Any:
            if when(watcher, *arguments, **named):
                raise fault
            return true(*arguments, **named)

        setattr(watcher.endpoint, name, bent)

    return bend


def _old(watcher: Watcher, *arguments: Any, **_: Any) -> bool:
    """A question about a block that is not the newest."""
    number = arguments[-1] if arguments else None
    return isinstance(number, int) and number < watcher.site.chain.head.number


BUSY = NodeBusy("missing trie node 5d1975 (path ) state is not available")
LOST = NodeUnreachable("ReadTimeout")

QUIRKS: dict[str, Bend] = {
    "no old blocks": fails("block", BUSY, _old),
    "old blocks in vain": fails("block", LOST, _old),
    "no old storage": fails("ask", BUSY, _old),
    "no old counts": fails("next_nonce", BUSY, _old),
    "no pool": fails("next_nonce", BUSY, lambda _, __, number=None: number is None),
    "no tip": fails("tip", BUSY),
    "no tip in time": fails("tip", LOST),
    "no balance": fails("balance", BUSY),
    "no receipts": fails("mined", NodeBusy("transaction indexing is in progress")),
    "bad receipts": fails("mined", Garbled("a receipt without a status")),
    "no estimates": fails("estimate", NodeBusy("daily request count exceeded")),
    "no estimates in time": fails("estimate", LOST),
    "no logs": fails("logs", NodeBusy("query returned more than 10000 results")),
    "no logs in time": fails("logs", LOST),
    "no chain id": fails("chain_now", BUSY),
    "no credits": fails("ask", BUSY, lambda _, query, __: query.data[:4] == CREDIT),
}

CREDIT = ms_contract_calls.credit(Address(bytes(20)), ETH, Address(bytes(20))).data[:4]


def watching(site: Site, **settings: Any) -> Watcher:
    """Bob, in a channel with 100 of Alice's, that has stood for a while."""
    site.open(ALICE, 100)
    for _ in range(4):
        site.chain.mine()
    watcher = site.watcher(BOB, **settings)
    watcher.port.watch(site.watch)
    watcher.poll()
    return watcher


def round_of(watcher: Watcher) -> None:
    """One look, that may be told to have missed something."""
    watcher.inputs.clear()
    with suppress(ChainFault):
        watcher.port.poll()


def found_at_last(site: Site, watcher: Watcher, id: bytes) -> ChainInstance | None:
    """What is told of an instance within some rounds, a block between two."""
    for _ in range(5):
        round_of(watcher)
        seen = watcher.seen_instance(id)
        if seen is not None:
            return seen
        site.chain.mine()
    return None


def registered(site: Site) -> int:
    """Version in dispute, by the chain."""
    query = ms_contract_calls.dispute(site.deployment.contract.contract, ETH, site.id)
    return ScriptedEndpoint(site.chain).ask(query, site.chain.head.number).version


def answered(site: Site, watcher: Watcher, rounds: int = 8) -> int:
    """Rounds in which the core asks for the answer while it still sees an older state."""
    for _ in range(rounds):
        round_of(watcher)
        seen = watcher.port.follower._followed[site.id].sent
        if seen is not None and seen[0].dispute is not None and seen[0].dispute.version == 1:
            watcher.port.submit(site.register(2))
            round_of(watcher)
        site.chain.mine()
    return registered(site)


@pytest.mark.parametrize("quirk", QUIRKS)
def test_stale_registration_is_answered_whatever_else_goes_unanswered(
    site: Site, quirk: str
) -> None:
    watcher = watching(site)
    QUIRKS[quirk](watcher)
    site.act(ALICE, site.call(site.register(1)))
    assert answered(site, watcher) == 2


@pytest.mark.parametrize("finality", [None, 0, 2, 10**6])
def test_all_of_that_at_once_and_whatever_is_final(site: Site, finality: int | None) -> None:
    watcher = watching(site, limits=replace(LIMITS, finality_blocks=finality))
    for bend in QUIRKS.values():
        bend(watcher)
    site.act(ALICE, site.call(site.register(1)))
    assert answered(site, watcher) == 2


@pytest.mark.parametrize("quirk", QUIRKS)
def test_node_that_starts_among_such_nodes_sees_and_answers(site: Site, quirk: str) -> None:
    site.open(ALICE, 100)
    site.act(ALICE, site.call(site.register(1)))
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)
    QUIRKS[quirk](watcher)
    assert answered(site, watcher) == 2


def test_what_cannot_be_known_is_said_once(site: Site) -> None:
    watcher = watching(site)
    QUIRKS["no tip"](watcher)
    for _ in range(5):
        site.chain.mine()
        watcher.poll()
    assert [said.what for said in watcher.of(Unanswered)] == ["the usual tip"]
    assert watcher.port.health.unanswered == ("the usual tip",)
    del watcher.endpoint.tip
    site.chain.mine()
    watcher.poll()
    assert watcher.port.health.unanswered == ()


# ------------------------------------------------------------------------------- silence of logs


def hides(watcher: Watcher, hidden: Callable[[Any], bool]) -> None:
    """A node that keeps back logs, in all its answers."""
    true = ScriptedEndpoint.logs

    def logs(*arguments: Any, **named: Any) -> Any:
        found = true(watcher.endpoint, *arguments, **named)
        return tuple(log for log in found if not hidden(log))

    watcher.endpoint.logs = logs  # type: ignore[method-assign]


def test_dispute_whose_log_is_kept_back_is_answered_all_the_same(site: Site) -> None:
    watcher = watching(site)
    _, final = watcher.seen(site.id)
    height = site.chain.head.number
    hides(watcher, lambda log: log.block > height)
    site.act(ALICE, site.call(site.register(1)))
    with pytest.raises(Inconsistent):
        watcher.poll()
    head, still = watcher.seen(site.id)
    assert (head.dispute.version, head.dispute.deadline) == (1, site.chain.now + 600)
    assert still == final  # no money is believed in on that ground
    assert answered(site, watcher) == 2
    assert watcher.of(Disagreement)


def test_money_that_left_unseen_is_missed(site: Site) -> None:
    watcher = watching(site)
    height = site.chain.head.number
    hides(watcher, lambda log: log.block > height)
    site.act(ALICE, site.withdrawal(30))
    round_of(watcher)
    head, final = watcher.seen(site.id)
    assert (head.alice, head.withdrawals, final.alice) == (70, 1, 100)


def test_channel_that_ended_unseen_has_ended(site: Site) -> None:
    watcher = watching(site)
    height = site.chain.head.number
    hides(watcher, lambda log: log.block > height)
    site.act(ALICE, site.closing())
    round_of(watcher)
    head, final = watcher.seen(site.id)
    assert (head.ended, final.ended) == (True, False)


def machine(site: Site) -> tuple[Machine, InstanceId]:
    terms = Machine(
        ALICE.address, BOB.address, Wei(50), Wei(0), FAR, Seconds(600), Salt(b"\x01" * 32)
    )
    return terms, machine_id(site.deployment.vpm, terms)


def test_submission_whose_log_is_kept_back_is_seen(site: Site) -> None:
    watcher = watching(site)
    terms, id = machine(site)
    watcher.port.watch(Watch(app=site.deployment.vpm.contract, instance=id))
    watcher.poll()
    hides(watcher, lambda log: log.address == site.deployment.vpm.contract)
    statement = signed(site, Statement(id, Wei(7)), ALICE)
    call = vpm.submit_statements(
        site.deployment.vpm.contract, terms, Wei(7), statement, Wei(0), Signature(b"")
    )
    site.act(INGRID, call)
    deadline = UnixTime(site.chain.now + 600)
    seen = found_at_last(site, watcher, id)
    assert seen == ChainInstance(id, MachineRecord(Wei(7), Wei(0), deadline), None)


@pytest.mark.parametrize("lag", [1, 3, DEPTH - 1])
def test_logs_that_come_late_are_read_though_their_block_was_final(site: Site, lag: int) -> None:
    """Behind one address blocks come from one node, logs from another that is behind."""
    watcher = watching(site, limits=replace(LIMITS, finality_blocks=0))
    other = site.watcher(INGRID)  # follows nothing of it, so that nothing shows but announcements
    hides(watcher, lambda log: log.block > site.chain.head.number - lag)
    site.act(ALICE, site.call(site.register(1)))
    height = site.chain.head.number
    for _ in range(lag - 1):
        round_of(watcher)
        site.chain.mine()
    round_of(watcher)
    del watcher.endpoint.logs
    site.chain.mine()
    round_of(watcher)
    seen = watcher.port.follower._followed[site.id].sent
    assert seen is not None
    assert seen[1].dispute is not None, height
    assert other.poll()


def test_logs_come_in_any_order(site: Site) -> None:
    watcher = watching(site)
    true = ScriptedEndpoint.logs
    watcher.endpoint.logs = lambda *a, **n: true(watcher.endpoint, *a, **n)[::-1]  # type: ignore[method-assign]
    site.chain.mine([site.dust(INGRID, 1, to_bob=False)])
    site.chain.mine([site.dust(INGRID, 1, to_bob=True), site.dust(ALICE, 2, to_bob=False)])
    watcher.poll()
    head, _ = watcher.seen(site.id)
    assert (head.alice, head.bob) == (103, 1)


def test_log_of_another_block_is_not_believed_though_its_number_is_final(site: Site) -> None:
    watcher = site.watcher(BOB, limits=replace(LIMITS, finality_blocks=0))
    watcher.port.watch(site.watch)
    watcher.poll()
    true = ScriptedEndpoint.logs

    def logs(*arguments: Any, **named: Any) -> Any:
        found = true(watcher.endpoint, *arguments, **named)
        return tuple(replace(log, block_hash=b"\x66" * 32) for log in found)

    watcher.endpoint.logs = logs  # type: ignore[method-assign]
    site.open(ALICE, 70)
    site.chain.mine()
    with pytest.raises(Inconsistent, match="another block"):
        watcher.poll()
    seen = watcher.seen(site.id)
    assert seen is None or seen[1] == EMPTY
    del watcher.endpoint.logs
    watcher.poll()
    assert watcher.seen(site.id)[1].alice == 70


# -------------------------------------------------------------------------- what nodes do not keep


def test_credit_is_known_where_old_state_is_not(site: Site) -> None:
    watcher = site.watcher(BOB, limits=replace(LIMITS, finality_blocks=5))
    QUIRKS["no old storage"](watcher)
    fund = ms_contract_calls.fund(site.deployment.contract.contract, ETH, BOB.address, Wei(9))
    site.act(ALICE, fund)
    credits = []
    for _ in range(DEPTH + 8):
        watcher.poll()
        credits += [said.amount for said in watcher.inputs if isinstance(said, ChainCredit)]
        site.chain.mine()
    assert credits[-1] == 9


def test_past_is_read_in_pieces_and_danger_is_not_waited_with(site: Site) -> None:
    """A node that answers over five blocks, and a channel that was opened long ago."""
    site.open(ALICE, 100)
    site.act(ALICE, site.call(site.register(1)))
    for _ in range(60):
        site.chain.mine()
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)

    def few(number: int) -> None:
        true = ScriptedEndpoint.logs

        def logs(addresses: Any, first: int, last: int, topics: Any = ()) -> Any:
            if last - first >= number:
                raise NodeBusy("more than so many blocks")
            return true(watcher.endpoint, addresses, first, last, topics)

        watcher.endpoint.logs = logs  # type: ignore[method-assign]

    few(DEPTH + 1)
    type(watcher.endpoint).reach = property(lambda _: DEPTH + 1)  # type: ignore[method-assign,assignment]
    try:
        watcher.poll()
        head, final = watcher.seen(site.id)
        assert (head.dispute.version, final) == (1, EMPTY)
        for _ in range(12):
            watcher.poll()
        head, final = watcher.port.follower._followed[site.id].sent or (None, None)
        assert isinstance(final, OnChain)
        assert (final.alice, final.dispute) == (100, head.dispute)
    finally:
        type(watcher.endpoint).reach = ScriptedEndpoint_reach  # type: ignore[method-assign]


ScriptedEndpoint_reach = ScriptedEndpoint.reach


def test_node_that_takes_few_topics_at_once_is_asked_for_few(site: Site) -> None:
    site.open(ALICE, 100)
    for _ in range(DEPTH + 3):
        site.chain.mine()
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)
    for place in range(40):
        watcher.port.watch(
            Watch(app=site.deployment.vpm.contract, instance=InstanceId(bytes((place + 1,)) * 32))
        )
    fails("logs", NodeBusy("too many topics"), lambda _, *asked: _ids(asked) > 3)(watcher)
    for _ in range(8):
        round_of(watcher)
        site.chain.mine()
    assert watcher.port.follower._followed[site.id].sent[1].alice == 100  # type: ignore[index]
    assert all(item.complete for item in watcher.port.follower._followed.values())


def _ids(asked: tuple[Any, ...]) -> int:
    topics = asked[3] if len(asked) > 3 else ()
    return len(topics[1]) if len(topics) == 2 else 0


def test_block_that_nobody_calls_final_is_not(site: Site) -> None:
    watcher = watching(site, limits=replace(LIMITS, finality_blocks=None))
    site.open(BOB, 5)
    watcher.poll()
    blocks = [said for said in watcher.inputs if isinstance(said, ChainBlock)]
    assert (blocks[0].final_number, blocks[0].final_time) == (0, 0)
    head, final = watcher.seen(site.id)
    assert (head.bob, final) == (5, EMPTY)


# ------------------------------------------------------------------------------------ other chains


def test_another_chain_behind_the_address_is_not_believed(site: Site) -> None:
    watcher = watching(site)
    watcher.endpoint.chain_now = lambda: ChainId(5)  # type: ignore[method-assign]
    site.act(ALICE, site.call(site.register(1)))
    for _ in range(3):
        with pytest.raises(WrongChain, match="5"):
            watcher.poll()
    assert watcher.inputs == []
    health = watcher.port.health
    assert health.blind_since is not None
    assert "chain 5" in health.reason
    del watcher.endpoint.chain_now
    watcher.poll()
    assert watcher.seen(site.id)[0].dispute.version == 1
    assert watcher.port.blind_since is None


def test_port_that_began_at_another_chain_goes_on_at_its_own(site: Site) -> None:
    """What the node says first is no more true than what it says later."""

    class Elsewhere(ScriptedEndpoint):
        @property
        def chain_id(self) -> ChainId:
            return ChainId(5)

    class Noting(ScriptedAccount):
        chains: ClassVar[list[int]] = []

        def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
            self.chains.append(int(params["chainId"]))
            return super().sign_transaction(params)

    site.open(ALICE, 100)
    watcher = site.watcher(BOB)
    watcher.endpoint = Elsewhere(site.chain)
    watcher.endpoint.chain_now = lambda: ChainId(5)  # type: ignore[method-assign]
    watcher.start()
    watcher.port.submitter._bidder._account = Noting(BOB.address)
    watcher.port.watch(site.watch)
    with pytest.raises(WrongChain, match="was on 31337"):
        watcher.poll()
    del watcher.endpoint.chain_now
    watcher.port.submit(site.register(1))
    watcher.poll()
    site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id)[0].dispute.version == 1
    assert Noting.chains == [31337]


def test_chain_that_was_cut_short_is_read_again(site: Site) -> None:
    """A development chain begun anew: shorter than what was final."""
    watcher = watching(site)
    site.chain.reorganise(site.chain.head.number, keep=False)
    for _ in range(70):
        round_of(watcher)
    assert watcher.of(FinalityBroken)
    assert watcher.port.follower._followed[site.id].sent == (EMPTY, EMPTY)


def test_node_without_a_newest_block_is_a_fault(site: Site) -> None:
    watcher = watching(site)
    watcher.endpoint.block = lambda *_: None  # type: ignore[method-assign]
    for _ in range(3):
        with pytest.raises(Inconsistent):
            watcher.poll()
    assert watcher.port.blind_since is not None


def test_channel_report_is_the_same_whether_storage_was_asked_or_not(site: Site) -> None:
    watcher = watching(site)
    told = [said for said in watcher.inputs if isinstance(said, ChainChannel)]
    for _ in range(9):
        site.chain.mine()
        watcher.poll()
        told += [said for said in watcher.inputs if isinstance(said, ChainChannel)]
    assert len(told) == 1


def test_newest_block_that_is_another_at_every_look_is_blindness(site: Site) -> None:
    """Two machines behind one address, on two sides of a split."""
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)
    watcher.poll()
    true = watcher.endpoint.block

    def other(number: int | None = None) -> Any:
        found = true(number)
        return found if number is not None else replace(found, hash=b"\x66" * 32)

    watcher.endpoint.block = other  # type: ignore[method-assign]
    site.act(ALICE, site.call(site.register(1)))
    for _ in range(6):
        with suppress(ChainFault):
            watcher.poll()
    assert watcher.of(Blind)
