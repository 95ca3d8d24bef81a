"""A tower that holds no key answers for somebody who is asleep."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from perun.bindings import ms_contract_calls, vpm
from perun.bindings.calls import Call
from perun.bindings.failures import NodeRefused
from perun.bindings.logs import Log
from perun.chain.journal import Entry, JournalFailed, MemoryJournal
from perun.chain.reports import Report, TooPoor
from perun.chain.timeline import DEPTH
from perun.chain.wishes import Wish
from perun.core.books import Row
from perun.core.inputs import CommandTransfer
from perun.core.signing import digest
from perun.core.state import ChannelView
from perun.crypto.signatures import sign
from perun.demo.character import Character
from perun.errors import StoreFault
from perun.node.afloat import AfloatJournal
from perun.node.export import BadExport, read_export, rows_for_tower, write_export
from perun.node.solitary import NothingNew
from perun.node.watchtower import Watchtower
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import (
    Address,
    ChannelId,
    MachineId,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
)
from perun.wallet import KeyAccount
from tests.support.scene import KEYS, Scene


def rows(party: Character) -> list[Row]:
    books = party.books
    return [*books.channels.values(), *books.instances.values(), *books.totals.values()]


def tower(scene: Scene, party: Character, path: Path) -> Watchtower:
    """A tower that has what it needs for `party`, who then falls asleep."""
    write_export(path, party.profile, rows(party))
    party.cut_power()
    return tower_of(scene, path)


def tower_of(scene: Scene, path: Path) -> Watchtower:
    return Watchtower(path, scene.endpoint(), KeyAccount(KEYS["tower"]), limits=scene.limits)


def acts_at(scene: Scene, watching: Watchtower, due: int) -> None:
    """It sends nothing a moment before, and then what is due, which is mined."""
    scene.chain.mine(at=UnixTime(due - 2))
    watching.round()
    assert not scene.chain.pool
    scene.chain.mine(at=UnixTime(due))
    watching.round()
    scene.chain.mine()


def disputed(scene: Scene, channel: ChannelId, of: Character) -> int | None:
    """Version in dispute, in the newest block."""
    view = of.books.channels[channel]
    query = ms_contract_calls.dispute(
        scene.deployment.contract.contract, view.channel.asset, channel
    )
    found = scene.endpoint().ask(query, scene.chain.head.number)
    return found.version if found.deadline else None


def submitted(scene: Scene, machine: MachineId) -> tuple[int, int]:
    query = vpm.totals(scene.deployment.vpm.contract, machine)
    found = scene.endpoint().ask(query, scene.chain.head.number)
    return found.paid_by_alice, found.paid_by_bob


def test_stale_registration_is_answered(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    for amount in (100, 5):
        alice.do(CommandTransfer(channel, Wei(amount)))
        scene.settle()
    agreed = bob.channel(channel).agreed
    assert agreed is not None
    old = State(channel, Version(2), Wei(100))
    hashed = digest(scene.deployment, old)
    call = ms_contract_calls.register(
        scene.deployment.contract.contract,
        bob.channel(channel).channel,
        old,
        sign(hashed, KEYS["alice"]),
        sign(hashed, KEYS["bob"]),
    )
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    scene.by_hand(KEYS["alice"], call)
    scene.chain.mine()
    assert disputed(scene, channel, bob) == 2
    watching.round()
    scene.chain.mine()
    assert disputed(scene, channel, bob) == agreed.state.version


def test_quiet_chain_costs_a_tower_nothing(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    watching = tower(scene, bob, tmp_path / "export")
    for _ in range(3):
        scene.chain.mine()
        watching.round()
    assert not scene.chain.pool


def test_statements_are_submitted_a_margin_before_the_end(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob), lasts=3_600)
    scene.pay(alice, machine, 40)
    validity = bob.books.instances[machine].machine.validity
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    acts_at(scene, watching, validity - scene.limits.margin)
    assert submitted(scene, machine) == (40, 0)


def test_stale_submission_is_answered(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob))
    scene.pay(alice, machine, 40)
    terms = bob.books.instances[machine].machine
    signed = sign(digest(scene.deployment, Statement(machine, Wei(1))), KEYS["alice"])
    call = vpm.submit_statements(
        scene.deployment.vpm.contract, terms, Wei(1), signed, Wei(0), Signature(b"")
    )
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    scene.by_hand(KEYS["alice"], call)
    scene.chain.mine()
    watching.round()
    scene.chain.mine()
    assert submitted(scene, machine) == (40, 0)


def test_virtual_channel_is_watched_too(scene: Scene, tmp_path: Path) -> None:
    alice, bob, ingrid = scene.enter("alice"), scene.enter("bob"), scene.hub()
    channel = scene.open(alice, ingrid)
    scene.open(bob, ingrid)
    machine = scene.machine(alice, channel, end=bob)
    scene.pay(alice, machine, 40)
    terms = bob.books.instances[machine].machine
    signed = sign(digest(scene.deployment, Statement(machine, Wei(1))), KEYS["alice"])
    call = vpm.submit_statements(
        scene.deployment.vpm.contract, terms, Wei(1), signed, Wei(0), Signature(b"")
    )
    watching = tower(scene, bob, tmp_path / "export")
    for party in (alice, ingrid):
        party.cut_power()
    scene.by_hand(KEYS["alice"], call)
    scene.chain.mine()
    watching.round()
    scene.chain.mine()
    assert submitted(scene, machine) == (40, 0)


@pytest.mark.parametrize(("wei", "warned"), [(0, True), (10**15, True), (10**18, False)])
def test_tower_that_could_not_pay_an_answer_says_so_before_there_is_one(
    scene: Scene, tmp_path: Path, wei: int, warned: bool
) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    reports: list[Report] = []
    endpoint = scene.endpoint()
    endpoint.balance = lambda *_: Wei(wei)  # type: ignore[method-assign]
    account = KeyAccount(KEYS["tower"])
    watching = Watchtower(path, endpoint, account, limits=scene.limits, report=reports.append)
    for _ in range(3):
        watching.round()
        scene.chain.mine()
    assert [type(report) for report in reports] == [TooPoor] * warned


def test_new_export_is_read_by_itself(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    watching = Watchtower(path, scene.endpoint(), KeyAccount(KEYS["tower"]), limits=scene.limits)
    watching.round()
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    write_export(path, bob.profile, rows(bob))
    watching.round()
    (view,) = watching.watched()
    assert view.agreed is not None
    assert view.agreed.state.net == 100


def test_broken_export_is_said_and_the_old_one_kept(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    watching = Watchtower(path, scene.endpoint(), KeyAccount(KEYS["tower"]), limits=scene.limits)
    path.write_text("{")
    with pytest.raises(BadExport):
        watching.round()
    assert watching.channels == 1


def test_tower_with_a_broken_export_goes_on_answering(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    watching = tower(scene, bob, tmp_path / "export")
    (tmp_path / "export").write_text("{")
    agreed = bob.channel(channel).agreed
    assert agreed is not None
    alice.cut_power()
    scene.register_start(bob, channel)
    assert disputed(scene, channel, bob) == 0
    for _ in range(2):
        with pytest.raises(BadExport):
            watching.round()
        scene.chain.mine()
    assert disputed(scene, channel, bob) == agreed.state.version


def test_disk_that_never_answers_does_not_keep_an_answer(scene: Scene, tmp_path: Path) -> None:
    """Such as one of the owner's machine, over the network, once that sleeps."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    account = KeyAccount(KEYS["tower"])
    watching = Watchtower(path, scene.endpoint(), account, limits=scene.limits, seconds=0.1)
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    for party in (alice, bob):
        party.cut_power()
    scene.register_start(bob, channel)
    for _ in range(2):
        with pytest.raises(BadExport, match="does not answer"):
            watching.round()
        scene.chain.mine()
    assert disputed(scene, channel, bob) == 2
    path.write_bytes(content)  # It answers: whatever waited for it goes on.


def test_older_export_does_not_take_the_place_of_a_newer(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    old = path.read_bytes()
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    watching = tower(scene, bob, path)
    path.write_bytes(old)
    with pytest.raises(BadExport, match="older"):
        watching.round()
    (view,) = watching.watched()
    assert view.agreed is not None
    assert view.agreed.state.net == 100


def test_export_of_somebody_else_does_not_take_its_place(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    scene.open(alice, bob)
    path = tmp_path / "export"
    watching = tower(scene, bob, path)
    contracts = bob.profile.contracts
    elsewhere = replace(bob.profile, contracts={**contracts, "MSContract": contracts["VPM"]})
    for profile in (alice.profile, elsewhere):
        write_export(path, profile, [])
        with pytest.raises(BadExport, match="another owner"):
            watching.round()
    assert watching.channels == 1


def test_rows_that_do_not_belong_together_are_no_export(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob))
    scene.pay(alice, machine, 40)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    file = json.loads(path.read_text())
    kept = [row for row in file["rows"] if row[0] != "ChannelView"]
    cut = [[name, body[:20]] for name, body in file["rows"]]
    for broken in (kept, cut, [["Secret", ""]]):
        path.write_text(json.dumps({**file, "rows": broken}))
        with pytest.raises(BadExport):
            tower_of(scene, path)
    write_export(path, replace(bob.profile, key=b"short"), rows(bob))
    with pytest.raises(BadExport):
        tower_of(scene, path)


def test_channel_that_has_ended_does_not_stop_a_towers_clock(scene: Scene, tmp_path: Path) -> None:
    """An instance of it, without it, would be stumbled over at every block past its end."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob))
    scene.pay(alice, machine, 40)
    other = scene.open(scene.enter("ingrid"), bob)
    ended = [
        replace(row, final=replace(row.final, ended=True))
        if isinstance(row, ChannelView) and row.id != other
        else row
        for row in rows(bob)
    ]
    path = tmp_path / "export"
    write_export(path, bob.profile, ended)
    assert {row.id for row in read_export(path).rows if isinstance(row, ChannelView)} == {other}
    watching = tower_of(scene, path)
    alice.cut_power()
    bob.cut_power()
    terms = bob.books.instances[machine].machine
    scene.chain.mine(at=UnixTime(terms.validity + terms.challenge + 10**4))
    for _ in range(4):
        watching.round()
        scene.chain.mine()
    watching.round()
    assert watching.sees == scene.chain.now


def test_export_holds_no_key_no_seed_and_nothing_half_signed(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    machine = scene.machine(alice, channel)
    scene.pay(bob, machine, 40)
    scene.pay(alice, machine, 30)
    bob.cut_power()
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    assert alice.channel(channel).proposals
    path = tmp_path / "export"
    write_export(path, alice.profile, rows(alice))
    assert alice.key.secret.hex() not in path.read_text()
    export = read_export(path)
    assert export.profile.seed == bytes(32)
    assert alice.config.seed not in path.read_bytes()
    assert export.rows == rows_for_tower(rows(alice))
    for row in export.rows:
        assert not getattr(row, "proposals", ())
        assert not getattr(row, "sent_signature", b"")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        '{"x": ' + "[" * 100_000,
        "",
        "{}",
        "[]",
        "[" * 100_000,
        '{"format": 1}',
        '{"format": 2, "profile": {}, "rows": []}',
    ],
)
def test_anything_else_is_no_export(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export"
    path.write_text(text)
    with pytest.raises(BadExport):
        read_export(path)


def test_export_that_lands_while_the_last_one_is_read_is_read_too(
    scene: Scene, tmp_path: Path
) -> None:
    """Its time and number may be those of the file that was read: only its bytes tell."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    watching = tower_of(scene, path)
    before = path.stat()
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    write_export(tmp_path / "newer", bob.profile, rows(bob))
    path.write_bytes((tmp_path / "newer").read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    watching.round()
    (view,) = watching.watched()
    assert view.agreed is not None
    assert view.agreed.state.net == 100


def test_newer_export_does_not_make_a_tower_read_the_chain_again(
    scene: Scene, tmp_path: Path
) -> None:
    """A node that answers about new blocks only would leave it blind from then on."""

    class Short(ScriptedEndpoint):
        least = 0

        def logs(
            self,
            addresses: Sequence[Address],
            first: int,
            last: int,
            topics: Sequence[Sequence[bytes] | None] = (),
        ) -> tuple[Log, ...]:
            if first < self.least:
                raise NodeRefused("history has been pruned")
            return super().logs(addresses, first, last, topics)

    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    endpoint = Short(scene.chain)
    watching = Watchtower(path, endpoint, KeyAccount(KEYS["tower"]), limits=scene.limits)
    for _ in range(2 * DEPTH):
        scene.chain.mine()
        watching.round()
    endpoint.least = scene.chain.head.number - DEPTH
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    write_export(path, bob.profile, rows(bob))
    for party in (alice, bob):
        party.cut_power()
    scene.register_start(bob, channel)
    watching.round()
    scene.chain.mine()
    agreed = bob.channel(channel).agreed
    assert agreed is not None
    assert disputed(scene, channel, bob) == agreed.state.version


def test_machine_that_the_owner_has_forgotten_is_not_submitted(
    scene: Scene, tmp_path: Path
) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob), lasts=3_600)
    scene.pay(alice, machine, 40)
    validity = bob.books.instances[machine].machine.validity
    watching = tower(scene, bob, tmp_path / "export")
    watching.round()
    alice.cut_power()
    (view,) = bob.books.channels.values()
    assert view.agreed is not None
    later = replace(view.agreed.state, version=Version(9), nanos=())
    removed = replace(view, agreed=replace(view.agreed, state=later))
    write_export(tmp_path / "export", bob.profile, [removed])
    watching.round()
    scene.chain.mine(at=validity - scene.limits.margin)
    watching.round()
    assert not scene.chain.pool


class Full(MemoryJournal):
    def put(self, entry: Entry) -> None:
        raise JournalFailed("tower.sent", "database or disk is full")


class Hanging(MemoryJournal):
    """On a disk that is no longer there, and does not say so."""

    def put(self, entry: Entry) -> None:
        threading.Event().wait()


@pytest.mark.parametrize("disk", [Full, Hanging])
def test_disk_that_takes_nothing_does_not_keep_an_answer(
    scene: Scene, tmp_path: Path, disk: type[MemoryJournal]
) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    for party in (alice, bob):
        party.cut_power()
    told: list[StoreFault] = []
    watching = Watchtower(
        path,
        scene.endpoint(),
        KeyAccount(KEYS["tower"]),
        limits=scene.limits,
        journal=AfloatJournal(disk(), told.append, seconds=0.1),
    )
    scene.register_start(bob, channel)
    for _ in range(3):
        watching.round()
        scene.chain.mine()
    agreed = bob.channel(channel).agreed
    assert agreed is not None
    assert disputed(scene, channel, bob) == agreed.state.version
    assert len(told) == 1


def test_deposit_is_not_sent_unless_the_journal_holds_it() -> None:
    class Full(MemoryJournal):
        def put(self, entry: Entry) -> None:
            raise JournalFailed("store", "database or disk is full")

    journal = AfloatJournal(Full(), lambda _: None)
    call = Call(Address(bytes(20)), b"")
    journal.put(Entry(1, Wish(b"answer", "Register", call), ()))
    with pytest.raises(JournalFailed):
        journal.put(Entry(2, Wish(b"deposit", "DepositMoney", call, once=True), ()))
    assert [entry.nonce for entry in journal.load()] == [1]


def test_node_that_shows_the_same_block_for_long_is_blindness(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = scene.enter("bob")
    watching = tower(scene, bob, tmp_path / "export")
    watching.round()
    later = time.monotonic() + scene.limits.freshness + 1
    monkeypatch.setattr(watching._solitary.chain.sight, "_clock", lambda: later)
    with pytest.raises(NothingNew, match="no new block for 60 seconds"):
        watching.round()
    scene.chain.mine()
    watching.round()
