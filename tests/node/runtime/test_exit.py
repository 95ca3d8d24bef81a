"""Getting everything out with nothing but a store, or a backup of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from perun.bindings import ms_contract_calls
from perun.bindings.abi import selector
from perun.bindings.calls import Call
from perun.bindings.failures import NodeBusy, NodeRefused
from perun.bindings.reverts import RevertedWithReason
from perun.chain.endpoint import Block, Inconsistent
from perun.chain.journal import MemoryJournal
from perun.chain.reports import Sent
from perun.cli.leaving import TooDear, run
from perun.cli.outcome import LEFT
from perun.core.inputs import CommandTransfer
from perun.core.rules.phases import Phase
from perun.demo.character import Character
from perun.errors import StoreFault
from perun.node.afloat import AfloatStore
from perun.node.backup import CannotCopy, NoStore, back_up, config_of, open_copy
from perun.node.exit import Exit, Plan, only_leaving
from perun.node.profile import read_profile
from perun.node.solitary import Solitary
from perun.store import SqliteStore
from perun.store.faults import WriteFailed
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH, Address, Wei
from perun.wallet import KeyAccount
from tests.support.scene import ETHER, KEYS, Scene


class Leaver:
    """`perun exit` in this process."""

    def __init__(
        self,
        scene: Scene,
        party: Character,
        path: Path,
        endpoint: ScriptedEndpoint | None = None,
    ) -> None:
        self.scene = scene
        self.store = SqliteStore(path)
        profile = read_profile(self.store)
        self.reports: list[object] = []
        self.endpoint = endpoint or scene.endpoint()
        solitary = Solitary(
            config_of(profile),
            self.store,
            self.endpoint,
            KeyAccount(party.key),
            allowed=only_leaving,
            journal=MemoryJournal(),
            report=self.reports.append,
        )
        self.exit = Exit(solitary, profile.account)

    def go(self, rounds: int = 12) -> Plan:
        """Rounds with blocks between them; the deadlines pass on the way."""
        plan = self.exit.look()
        for number in range(rounds):
            self.exit.go()
            self.scene.block(at=self.scene.later(601) if number == rounds // 2 else None)
        self.exit.go()
        return plan

    def close(self) -> None:
        self.store.close()


def gained(scene: Scene, party: Character, path: Path, times: int) -> int:
    """What an account has more on chain after so many goes of leaving from the store at `path`."""
    before = scene.chain.evm.balance(party.address)
    leaver = Leaver(scene, party, path)
    for _ in range(times):
        leaver.go()
    leaver.close()
    return int(scene.chain.evm.balance(party.address) - before)


def store_of(party: Character, folder: Path, restored: bool) -> Path:
    """What there is to leave from: its store, or, restored, a backup of that."""
    if not restored:
        return party.path
    back_up(party.path, folder / "backup")
    return folder / "backup"


@pytest.fixture
def paid(scene: Scene) -> tuple[Scene, Character, Character]:
    """Alice has received 30 in a machine, after paying 100 by a state; then both are silent."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    machine = scene.machine(alice, channel)
    scene.pay(bob, machine, 10, 20)
    scene.pay(alice, machine, 7)
    for party in (alice, bob):
        party.cut_power()
    return scene, alice, bob


def test_exit_pays_what_signatures_say_and_second_run_owes_nothing(
    paid: tuple[Scene, Character, Character],
) -> None:
    scene, alice, _ = paid
    before = scene.chain.evm.balance(alice.address)
    leaver = Leaver(scene, alice, alice.path)
    plan = leaver.go()
    (claim,) = plan.owed
    assert claim.amount == ETHER - 100 + 30 - 7
    assert claim.phase is Phase.IDLE
    assert plan.cost > 0
    # Bob is asleep: the 7 that only he could have shown stay with Alice.
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100 + 30
    leaver.close()

    again = Leaver(scene, alice, alice.path)
    assert again.exit.look().empty
    assert not again.exit.waiting
    again.close()


def test_exit_from_a_backup_of_a_running_store(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    copy = tmp_path / "backup"
    back_up(alice.path, copy)  # its node is running
    for party in (alice, bob):
        party.cut_power()
    before = scene.chain.evm.balance(alice.address)
    leaver = Leaver(scene, alice, copy)
    assert leaver.store.exit_only
    leaver.go()
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100
    leaver.close()


def test_exit_with_an_old_backup_gets_the_newest_state_of_the_honest_peer(
    scene: Scene, tmp_path: Path
) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    old = tmp_path / "old"
    back_up(alice.path, old)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    alice.cut_power()
    before = scene.chain.evm.balance(alice.address)
    leaver = Leaver(scene, alice, old)
    leaver.go()
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100
    leaver.close()


def test_exit_goes_on_after_being_stopped(paid: tuple[Scene, Character, Character]) -> None:
    scene, alice, _ = paid
    before = scene.chain.evm.balance(alice.address)
    first = Leaver(scene, alice, alice.path)
    first.exit.go()
    first.close()
    scene.block(3)
    second = Leaver(scene, alice, alice.path)
    (claim,) = second.exit.look().owed
    assert claim.phase is Phase.DISPUTED
    second.go()
    second.close()
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100 + 30


def test_two_exits_at_once_get_it_once_and_do_not_outbid_each_other_for_ever(
    paid: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    """From a store and from its backup, in two processes that know nothing of each other."""
    scene, alice, _ = paid
    back_up(alice.path, tmp_path / "backup")
    before = scene.chain.evm.balance(alice.address)
    nonces = scene.endpoint().next_nonce(alice.address)
    both = [Leaver(scene, alice, path) for path in (alice.path, tmp_path / "backup")]
    for number in range(14):
        for leaver in both:
            leaver.exit.go()
        scene.block(at=scene.later(601) if number == 6 else None)
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100 + 30
    assert scene.endpoint().next_nonce(alice.address) - nonces <= 6
    for leaver in both:
        assert leaver.exit.look().empty
        leaver.close()


def test_looking_sends_nothing(paid: tuple[Scene, Character, Character]) -> None:
    scene, alice, _ = paid
    leaver = Leaver(scene, alice, alice.path)
    leaver.exit.look()
    leaver.exit.look()
    leaver.close()
    assert not scene.chain.pool
    assert not [report for report in leaver.reports if isinstance(report, Sent)]


def test_nothing_is_owed_where_all_is_the_peers(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob, own=100)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    alice.cut_power()
    leaver = Leaver(scene, alice, alice.path)
    assert leaver.exit.look().empty
    leaver.close()


def test_exit_that_costs_more_than_it_brings_is_refused_unless_wanted(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob, own=10**12)
    alice.cut_power()
    leaver = Leaver(scene, alice, alice.path)
    console = Console(quiet=True)
    with pytest.raises(TooDear) as caught:
        run(leaver.exit, console, wait=None)
    assert caught.value.brought == 10**12
    assert not scene.chain.pool
    run(leaver.exit, console, wait=None, at_a_loss=True)
    assert len(scene.chain.pool) == 1
    leaver.close()


def test_exit_waits_until_all_is_out_and_survives_a_lost_node(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    for party in (alice, bob):
        party.cut_power()
    leaver = Leaver(scene, alice, alice.path)
    before = scene.chain.evm.balance(alice.address)
    rounds = 0

    def wait(seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        leaver.endpoint.reachable = rounds % 3 != 0
        scene.chain.mine(at=scene.later(100))

    run(leaver.exit, Console(quiet=True), wait=wait)
    assert rounds > 6
    assert scene.chain.evm.balance(alice.address) - before == ETHER
    leaver.close()


def test_backup_never_overwrites(scene: Scene, tmp_path: Path) -> None:
    alice = scene.enter("alice")
    target = tmp_path / "there"
    target.write_text("mine")
    with pytest.raises(CannotCopy):
        back_up(alice.path, target)
    assert target.read_text() == "mine"


def test_only_stores_are_backed_up(tmp_path: Path) -> None:
    for content in ("no store", ""):
        source = tmp_path / "text"
        source.write_text(content)
        with pytest.raises(NoStore):
            back_up(source, tmp_path / "copy")
        assert not (tmp_path / "copy").exists()
        assert source.read_text() == content


def test_original_is_not_disturbed_by_looking_into_a_copy(scene: Scene) -> None:
    alice = scene.enter("alice")
    profile, books = open_copy(alice.path)
    assert profile.account == alice.address
    assert books.exit_only
    alice.cut_power()
    alice.switch_on()
    assert not alice.books.exit_only


class Silent(ScriptedEndpoint):
    """Answers every question, and names no block; or refuses what it is told to."""

    def __init__(self, chain: ScriptedChain) -> None:
        super().__init__(chain)
        self.null = False
        self.refused: Address | None = None
        self.failures = 0

    def block(self, number: int | None = None) -> Block | None:
        if self.failures and number is None:
            self.failures -= 1
            raise NodeRefused("header not found")
        return None if self.null else super().block(number)

    def estimate(self, call: Call, sender: Address) -> int:
        if call.data[:4] == selector("claim(address,uint256,address)"):
            raise RevertedWithReason("blocked")
        return super().estimate(call, sender)


def test_node_without_a_block_is_not_one_that_owes_nothing(
    paid: tuple[Scene, Character, Character],
) -> None:
    scene, alice, _ = paid
    endpoint = Silent(scene.chain)
    leaver = Leaver(scene, alice, alice.path, endpoint)
    endpoint.null = True
    with pytest.raises(Inconsistent, match="no newest block"):
        leaver.exit.look()
    with pytest.raises(Inconsistent):
        run(leaver.exit, Console(quiet=True), wait=None)
    endpoint.null = False
    assert not leaver.exit.look().empty
    leaver.close()


def test_exit_survives_a_node_that_has_trouble_in_words(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    for party in (alice, bob):
        party.cut_power()
    endpoint = Silent(scene.chain)
    leaver = Leaver(scene, alice, alice.path, endpoint)
    before = scene.chain.evm.balance(alice.address)

    waits = 0

    def wait(seconds: float) -> None:
        nonlocal waits
        waits += 1
        scene.chain.mine(at=scene.later(100))
        endpoint.failures = waits % 2

    endpoint.failures = 1
    assert run(leaver.exit, Console(quiet=True), wait=wait) == 0
    assert scene.chain.evm.balance(alice.address) - before == ETHER
    leaver.close()


def test_exit_ends_when_nothing_is_left_but_credit_that_is_refused(scene: Scene) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    for party in (alice, bob):
        party.cut_power()
    contract = scene.deployment.contract.contract
    scene.by_hand(KEYS["bob"], ms_contract_calls.fund(contract, ETH, alice.address, Wei(500)))
    scene.block(3)
    leaver = Leaver(scene, alice, alice.path, Silent(scene.chain))
    before = scene.chain.evm.balance(alice.address)
    shown = Console(file=io.StringIO(), width=200)
    waits = 0

    def wait(seconds: float) -> None:
        nonlocal waits
        waits += 1
        assert waits < 100, "it never ends"
        scene.chain.mine(at=scene.later(100))

    assert run(leaver.exit, shown, wait=wait) == LEFT
    assert scene.chain.evm.balance(alice.address) - before == ETHER
    said = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "stays in the contract" in said
    assert "blocked" in said
    leaver.close()


def test_full_disk_does_not_keep_an_exit(paid: tuple[Scene, Character, Character]) -> None:
    scene, alice, _ = paid
    before = scene.chain.evm.balance(alice.address)
    told: list[StoreFault] = []
    below = SqliteStore(alice.path)
    profile = read_profile(below)
    store = AfloatStore(below, told.append)
    below.write = _full  # type: ignore[method-assign]
    solitary = Solitary(
        config_of(profile), store, scene.endpoint(), KeyAccount(alice.key), allowed=only_leaving
    )
    leaving = Exit(solitary, profile.account)
    for number in range(12):
        leaving.go()
        scene.block(at=scene.later(601) if number == 6 else None)
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100 + 30
    assert len(told) == 1
    store.close()


def _full(*_: object) -> None:
    raise WriteFailed("store", "database or disk is full")


def silence(endpoint: ScriptedEndpoint, method: str) -> None:
    """The node answers this kind of question no more."""

    def refuse(*_: object, **__: object) -> None:
        raise NodeBusy("not now")

    setattr(endpoint, method, refuse)


@pytest.mark.parametrize("method", ["tip", "balance", "estimate", "mined"])
def test_exit_takes_its_steps_though_a_question_is_never_answered(
    paid: tuple[Scene, Character, Character], method: str
) -> None:
    scene, alice, _ = paid
    endpoint = Silent(scene.chain)
    leaver = Leaver(scene, alice, alice.path, endpoint)
    silence(endpoint, method)
    before = scene.chain.evm.balance(alice.address)
    leaver.go(rounds=24)
    assert scene.chain.evm.balance(alice.address) - before == ETHER - 100 + 30
    leaver.close()


def test_exit_registers_though_no_log_is_told_and_knows_that_it_does_not_know(
    paid: tuple[Scene, Character, Character],
) -> None:
    scene, alice, _ = paid
    endpoint = Silent(scene.chain)
    leaver = Leaver(scene, alice, alice.path, endpoint)
    silence(endpoint, "logs")
    for _ in range(3):
        plan = leaver.exit.go()
        assert not plan.sure
        assert plan.trouble is not None
        scene.block()
    (claim,) = plan.owed
    assert claim.phase is Phase.DISPUTED
    leaver.close()
