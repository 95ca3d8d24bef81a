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
from perun.core.effects import Watch
from perun.core.inputs import ChainBlock, ChainChannel, ChainCredit, ChainInstance
from perun.core.state import EMPTY, OnChain
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
from tests.node.chain.conftest import ALICE, BOB, INGRID, LIMITS, Party, World, signed

Bend = Callable[[Party], None]

FAR = UnixTime(2**33)


def fails(name: str, fault: ChainFault, when: Callable[..., bool] = lambda *_, **__: True) -> Bend:
    """A node that answers some questions with this."""

    def bend(party: Party) -> None:
        true = getattr(party.endpoint, name)

        def bent(*arguments: Any, **named: Any) -> Any:
            if when(party, *arguments, **named):
                raise fault
            return true(*arguments, **named)

        setattr(party.endpoint, name, bent)

    return bend


def _old(party: Party, *arguments: Any, **_: Any) -> bool:
    """A question about a block that is not the newest."""
    number = arguments[-1] if arguments else None
    return isinstance(number, int) and number < party.world.chain.head.number


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


def watching(world: World, **settings: Any) -> Party:
    """Bob, in a channel with 100 of Alice's, that has stood for a while."""
    world.open(ALICE, 100)
    for _ in range(4):
        world.chain.mine()
    party = world.party(BOB, **settings)
    party.port.watch(world.watch)
    party.poll()
    return party


def round_of(party: Party) -> None:
    """One look, that may be told to have missed something."""
    party.inputs.clear()
    with suppress(ChainFault):
        party.port.poll()


def registered(world: World) -> int:
    """Version in dispute, by the chain."""
    query = ms_contract_calls.dispute(world.deployment.contract.contract, ETH, world.id)
    return ScriptedEndpoint(world.chain).ask(query, world.chain.head.number).version


def answered(world: World, party: Party, rounds: int = 8) -> int:
    """Rounds in which the core asks for the answer while it still sees an older state."""
    for _ in range(rounds):
        round_of(party)
        seen = party.port.follower._followed[world.id].sent
        if seen is not None and seen[0].dispute is not None and seen[0].dispute.version == 1:
            party.port.submit(world.register(2))
            round_of(party)
        world.chain.mine()
    return registered(world)


@pytest.mark.parametrize("quirk", QUIRKS)
def test_stale_registration_is_answered_whatever_else_goes_unanswered(
    world: World, quirk: str
) -> None:
    party = watching(world)
    QUIRKS[quirk](party)
    world.act(ALICE, world.call(world.register(1)))
    assert answered(world, party) == 2


@pytest.mark.parametrize("finality", [None, 0, 2, 10**6])
def test_all_of_that_at_once_and_whatever_is_final(world: World, finality: int | None) -> None:
    party = watching(world, limits=replace(LIMITS, finality_blocks=finality))
    for bend in QUIRKS.values():
        bend(party)
    world.act(ALICE, world.call(world.register(1)))
    assert answered(world, party) == 2


@pytest.mark.parametrize("quirk", QUIRKS)
def test_node_that_starts_among_such_nodes_sees_and_answers(world: World, quirk: str) -> None:
    world.open(ALICE, 100)
    world.act(ALICE, world.call(world.register(1)))
    party = world.party(BOB)
    party.port.watch(world.watch)
    QUIRKS[quirk](party)
    assert answered(world, party) == 2


def test_what_cannot_be_known_is_said_once(world: World) -> None:
    party = watching(world)
    QUIRKS["no tip"](party)
    for _ in range(5):
        world.chain.mine()
        party.poll()
    assert [said.what for said in party.of(Unanswered)] == ["the usual tip"]
    assert party.port.health.unanswered == ("the usual tip",)
    del party.endpoint.tip
    world.chain.mine()
    party.poll()
    assert party.port.health.unanswered == ()


# ------------------------------------------------------------------------------- silence of logs


def hides(party: Party, hidden: Callable[[Any], bool]) -> None:
    """A node that keeps back logs, in all its answers."""
    true = ScriptedEndpoint.logs

    def logs(*arguments: Any, **named: Any) -> Any:
        found = true(party.endpoint, *arguments, **named)
        return tuple(log for log in found if not hidden(log))

    party.endpoint.logs = logs  # type: ignore[method-assign]


def test_dispute_whose_log_is_kept_back_is_answered_all_the_same(world: World) -> None:
    party = watching(world)
    _, final = party.seen(world.id)
    height = world.chain.head.number
    hides(party, lambda log: log.block > height)
    world.act(ALICE, world.call(world.register(1)))
    with pytest.raises(Inconsistent):
        party.poll()
    head, still = party.seen(world.id)
    assert (head.dispute.version, head.dispute.deadline) == (1, world.chain.now + 600)
    assert still == final  # no money is believed in on that ground
    assert answered(world, party) == 2
    assert party.of(Disagreement)


def test_money_that_left_unseen_is_missed(world: World) -> None:
    party = watching(world)
    height = world.chain.head.number
    hides(party, lambda log: log.block > height)
    world.act(ALICE, world.withdrawal(30))
    round_of(party)
    head, final = party.seen(world.id)
    assert (head.alice, head.withdrawals, final.alice) == (70, 1, 100)


def test_channel_that_ended_unseen_has_ended(world: World) -> None:
    party = watching(world)
    height = world.chain.head.number
    hides(party, lambda log: log.block > height)
    world.act(ALICE, world.closing())
    round_of(party)
    head, final = party.seen(world.id)
    assert (head.ended, final.ended) == (True, False)


def machine(world: World) -> tuple[Machine, InstanceId]:
    terms = Machine(
        ALICE.address, BOB.address, Wei(50), Wei(0), FAR, Seconds(600), Salt(b"\x01" * 32)
    )
    return terms, machine_id(world.deployment.vpm, terms)


def test_submission_whose_log_is_kept_back_is_seen(world: World) -> None:
    party = watching(world)
    terms, id = machine(world)
    party.port.watch(Watch(app=world.deployment.vpm.contract, instance=id))
    party.poll()
    hides(party, lambda log: log.address == world.deployment.vpm.contract)
    statement = signed(world, Statement(id, Wei(7)), ALICE)
    call = vpm.submit_statements(
        world.deployment.vpm.contract, terms, Wei(7), statement, Wei(0), Signature(b"")
    )
    world.act(INGRID, call)
    deadline = UnixTime(world.chain.now + 600)
    for _ in range(5):
        round_of(party)
        seen = party.seen_instance(id)
        if seen is not None:
            break
        world.chain.mine()
    assert seen == ChainInstance(id, MachineRecord(Wei(7), Wei(0), deadline), None)


@pytest.mark.parametrize("lag", [1, 3, DEPTH - 1])
def test_logs_that_come_late_are_read_though_their_block_was_final(world: World, lag: int) -> None:
    """Behind one address blocks come from one node, logs from another that is behind."""
    party = watching(world, limits=replace(LIMITS, finality_blocks=0))
    other = world.party(INGRID)  # follows nothing of it, so that nothing shows but announcements
    hides(party, lambda log: log.block > world.chain.head.number - lag)
    world.act(ALICE, world.call(world.register(1)))
    height = world.chain.head.number
    for _ in range(lag - 1):
        round_of(party)
        world.chain.mine()
    round_of(party)
    del party.endpoint.logs
    world.chain.mine()
    round_of(party)
    seen = party.port.follower._followed[world.id].sent
    assert seen is not None
    assert seen[1].dispute is not None, height
    assert other.poll()


def test_logs_come_in_any_order(world: World) -> None:
    party = watching(world)
    true = ScriptedEndpoint.logs
    party.endpoint.logs = lambda *a, **n: true(party.endpoint, *a, **n)[::-1]  # type: ignore[method-assign]
    world.chain.mine([world.dust(INGRID, 1, to_bob=False)])
    world.chain.mine([world.dust(INGRID, 1, to_bob=True), world.dust(ALICE, 2, to_bob=False)])
    party.poll()
    head, _ = party.seen(world.id)
    assert (head.alice, head.bob) == (103, 1)


def test_log_of_another_block_is_not_believed_though_its_number_is_final(world: World) -> None:
    party = world.party(BOB, limits=replace(LIMITS, finality_blocks=0))
    party.port.watch(world.watch)
    party.poll()
    true = ScriptedEndpoint.logs

    def logs(*arguments: Any, **named: Any) -> Any:
        found = true(party.endpoint, *arguments, **named)
        return tuple(replace(log, block_hash=b"\x66" * 32) for log in found)

    party.endpoint.logs = logs  # type: ignore[method-assign]
    world.open(ALICE, 70)
    world.chain.mine()
    with pytest.raises(Inconsistent, match="another block"):
        party.poll()
    seen = party.seen(world.id)
    assert seen is None or seen[1] == EMPTY
    del party.endpoint.logs
    party.poll()
    assert party.seen(world.id)[1].alice == 70


# -------------------------------------------------------------------------- what nodes do not keep


def test_credit_is_known_where_old_state_is_not(world: World) -> None:
    party = world.party(BOB, limits=replace(LIMITS, finality_blocks=5))
    QUIRKS["no old storage"](party)
    fund = ms_contract_calls.fund(world.deployment.contract.contract, ETH, BOB.address, Wei(9))
    world.act(ALICE, fund)
    credits = []
    for _ in range(DEPTH + 8):
        party.poll()
        credits += [said.amount for said in party.inputs if isinstance(said, ChainCredit)]
        world.chain.mine()
    assert credits[-1] == 9


def test_past_is_read_in_pieces_and_danger_is_not_waited_with(world: World) -> None:
    """A node that answers over five blocks, and a channel that was opened long ago."""
    world.open(ALICE, 100)
    world.act(ALICE, world.call(world.register(1)))
    for _ in range(60):
        world.chain.mine()
    party = world.party(BOB)
    party.port.watch(world.watch)

    def few(number: int) -> None:
        true = ScriptedEndpoint.logs

        def logs(addresses: Any, first: int, last: int, topics: Any = ()) -> Any:
            if last - first >= number:
                raise NodeBusy("more than so many blocks")
            return true(party.endpoint, addresses, first, last, topics)

        party.endpoint.logs = logs  # type: ignore[method-assign]

    few(DEPTH + 1)
    type(party.endpoint).reach = property(lambda _: DEPTH + 1)  # type: ignore[method-assign,assignment]
    try:
        party.poll()
        head, final = party.seen(world.id)
        assert (head.dispute.version, final) == (1, EMPTY)
        for _ in range(12):
            party.poll()
        head, final = party.port.follower._followed[world.id].sent or (None, None)
        assert isinstance(final, OnChain)
        assert (final.alice, final.dispute) == (100, head.dispute)
    finally:
        type(party.endpoint).reach = ScriptedEndpoint_reach  # type: ignore[method-assign]


ScriptedEndpoint_reach = ScriptedEndpoint.reach


def test_node_that_takes_few_topics_at_once_is_asked_for_few(world: World) -> None:
    world.open(ALICE, 100)
    for _ in range(DEPTH + 3):
        world.chain.mine()
    party = world.party(BOB)
    party.port.watch(world.watch)
    for place in range(40):
        party.port.watch(
            Watch(app=world.deployment.vpm.contract, instance=InstanceId(bytes((place + 1,)) * 32))
        )
    fails("logs", NodeBusy("too many topics"), lambda _, *asked: _ids(asked) > 3)(party)
    for _ in range(8):
        round_of(party)
        world.chain.mine()
    assert party.port.follower._followed[world.id].sent[1].alice == 100  # type: ignore[index]
    assert all(item.complete for item in party.port.follower._followed.values())


def _ids(asked: tuple[Any, ...]) -> int:
    topics = asked[3] if len(asked) > 3 else ()
    return len(topics[1]) if len(topics) == 2 else 0


def test_block_that_nobody_calls_final_is_not(world: World) -> None:
    party = watching(world, limits=replace(LIMITS, finality_blocks=None))
    world.open(BOB, 5)
    party.poll()
    blocks = [said for said in party.inputs if isinstance(said, ChainBlock)]
    assert (blocks[0].final_number, blocks[0].final_time) == (0, 0)
    head, final = party.seen(world.id)
    assert (head.bob, final) == (5, EMPTY)


# ------------------------------------------------------------------------------------ other chains


def test_another_chain_behind_the_address_is_not_believed(world: World) -> None:
    party = watching(world)
    party.endpoint.chain_now = lambda: ChainId(5)  # type: ignore[method-assign]
    world.act(ALICE, world.call(world.register(1)))
    for _ in range(3):
        with pytest.raises(WrongChain, match="5"):
            party.poll()
    assert party.inputs == []
    health = party.port.health
    assert health.blind_since is not None
    assert "chain 5" in health.reason
    del party.endpoint.chain_now
    party.poll()
    assert party.seen(world.id)[0].dispute.version == 1
    assert party.port.blind_since is None


def test_port_that_began_at_another_chain_goes_on_at_its_own(world: World) -> None:
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

    world.open(ALICE, 100)
    party = world.party(BOB)
    party.endpoint = Elsewhere(world.chain)
    party.endpoint.chain_now = lambda: ChainId(5)  # type: ignore[method-assign]
    party.start()
    party.port.submitter._bidder._account = Noting(BOB.address)
    party.port.watch(world.watch)
    with pytest.raises(WrongChain, match="was on 31337"):
        party.poll()
    del party.endpoint.chain_now
    party.port.submit(world.register(1))
    party.poll()
    world.chain.mine()
    party.poll()
    assert party.seen(world.id)[0].dispute.version == 1
    assert Noting.chains == [31337]


def test_chain_that_was_cut_short_is_read_again(world: World) -> None:
    """A development chain begun anew: shorter than what was final."""
    party = watching(world)
    world.chain.reorganise(world.chain.head.number, keep=False)
    for _ in range(70):
        round_of(party)
    assert party.of(FinalityBroken)
    assert party.port.follower._followed[world.id].sent == (EMPTY, EMPTY)


def test_node_without_a_newest_block_is_a_fault(world: World) -> None:
    party = watching(world)
    party.endpoint.block = lambda *_: None  # type: ignore[method-assign]
    for _ in range(3):
        with pytest.raises(Inconsistent):
            party.poll()
    assert party.port.blind_since is not None


def test_channel_report_is_the_same_whether_storage_was_asked_or_not(world: World) -> None:
    party = watching(world)
    told = [said for said in party.inputs if isinstance(said, ChainChannel)]
    for _ in range(9):
        world.chain.mine()
        party.poll()
        told += [said for said in party.inputs if isinstance(said, ChainChannel)]
    assert len(told) == 1


def test_newest_block_that_is_another_at_every_look_is_blindness(world: World) -> None:
    """Two machines behind one address, on two sides of a split."""
    party = world.party(BOB)
    party.port.watch(world.watch)
    party.poll()
    true = party.endpoint.block

    def other(number: int | None = None) -> Any:
        found = true(number)
        return found if number is not None else replace(found, hash=b"\x66" * 32)

    party.endpoint.block = other  # type: ignore[method-assign]
    world.act(ALICE, world.call(world.register(1)))
    for _ in range(6):
        with suppress(ChainFault):
            party.poll()
    assert party.of(Blind)
