"""A tower for many: what it takes, keeps and answers, and what it takes from nobody."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from perun.bindings import ms_contract_calls, vpm
from perun.bindings.calls import Call
from perun.chain.journal import MemoryJournal
from perun.chain.reports import Report, TooPoor
from perun.core.books import Row
from perun.core.inputs import CommandClose, CommandTransfer
from perun.core.nanocontracts.instances import instance_id
from perun.core.signing import digest
from perun.core.state import ChannelView, SignedState, Totals
from perun.crypto import SecretKey
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.demo.character import Character
from perun.encoding.addresses import show_node_id
from perun.encoding.ids import (
    channel_id,
)
from perun.node.export import export_text
from perun.node.newer import fallen, heights
from perun.node.profile import Profile
from perun.testing.parties import World
from perun.testing.stories import OPEN_HANDED, add_lock, instance, open_channel
from perun.tower.admission import Admission
from perun.tower.guard import Guard
from perun.tower.requests import Answer, Request
from perun.tower.service import TowerLimits, TowerService
from perun.types import (
    ChannelId,
    MachineId,
    Nonce,
    Preimage,
    Salt,
    Signature,
    State,
    Statement,
    Version,
    Wei,
)
from perun.wallet import KeyAccount
from tests.support.scene import KEYS, Scene

HOST = "tower.example"


def rows(party: Character) -> list[Row]:
    books = party.books
    return [*books.channels.values(), *books.instances.values(), *books.totals.values()]


class Tower:
    """One on a scene's chain; `restart` makes another on the same folder."""

    def __init__(
        self,
        scene: Scene,
        folder: Path,
        own: bytes = b"",
        most: Admission | None = None,
        **limits: int,
    ) -> None:
        self._made = (scene, folder, own, limits)
        self.reports: list[Report] = []
        self.endpoint = scene.endpoint()
        self.guard = guard = Guard(
            self.endpoint,
            scene.deployment,
            KeyAccount(KEYS["tower"]),
            limits=scene.limits,
            journal=MemoryJournal(),
            report=self.reports.append,
            fault=lambda _, error: self.faults.append(error),
        )
        self.scene = scene
        self.faults: list[Exception] = []
        self.service = TowerService(
            folder,
            guard,
            most or Admission(scene.deployment, own),
            lambda _: "",
            lambda host: host == HOST,
            limits=TowerLimits(**limits),
            tell=lambda _, error: self.faults.append(error),
        )

    def restart(self) -> Tower:
        scene, folder, own, limits = self._made
        return Tower(scene, folder, own, **limits)

    def say(self, key: SecretKey, content: bytes, host: str = HOST, group: str = "a") -> Answer:
        request = Request.sign(key, host, int(time.time()), content)
        return self.service.answer(msgspec.msgpack.encode(request), group)[1]

    def push(self, party: Character) -> Answer:
        return self.say(KEYS[party.name], export_text(party.profile, rows(party)))

    def look(self) -> None:
        self.service.turn()
        self.service.turn()


def registered(scene: Scene, channel: ChannelId, of: Character, state: State) -> Call:
    hashed = digest(scene.deployment, state)
    view = of.channel(channel)
    names = {KEYS[name].address: name for name in KEYS}
    alice, bob = (names[view.channel.alice_key], names[view.channel.bob_key])
    return ms_contract_calls.register(
        scene.deployment.contract.contract,
        view.channel,
        state,
        sign(hashed, KEYS[alice]),
        sign(hashed, KEYS[bob]),
    )


def disputed(scene: Scene, channel: ChannelId, of: Character) -> int | None:
    query = ms_contract_calls.dispute(
        scene.deployment.contract.contract, of.books.channels[channel].channel.asset, channel
    )
    found = scene.endpoint().ask(query, scene.chain.head.number)
    return found.version if found.deadline else None


def submitted(scene: Scene, machine: MachineId) -> tuple[int, int]:
    query = vpm.totals(scene.deployment.vpm.contract, machine)
    found = scene.endpoint().ask(query, scene.chain.head.number)
    return found.paid_by_alice, found.paid_by_bob


def with_two_states(scene: Scene) -> tuple[Character, Character, ChannelId, State]:
    """Alice, Bob, their channel, and a state that is no longer the newest."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    for amount in (100, 5):
        alice.do(CommandTransfer(channel, Wei(amount)))
        scene.settle()
    return alice, bob, channel, State(channel, Version(2), Wei(100))


@pytest.fixture
def tower(scene: Scene, tmp_path: Path) -> Tower:
    return Tower(scene, tmp_path / "clients")


def test_acknowledged_state_answers_a_stale_one_for_each_client(scene: Scene, tower: Tower) -> None:
    alice, bob, channel, old = with_two_states(scene)
    for party in (alice, bob):
        answer = tower.push(party)
        agreed = party.channel(channel).agreed
        assert agreed is not None
        assert dict(answer.heights) == {channel: agreed.state.version}
    tower.look()
    alice.cut_power()
    bob.cut_power()
    scene.by_hand(KEYS["alice"], registered(scene, channel, bob, old))
    scene.chain.mine()
    tower.look()
    scene.chain.mine()
    assert disputed(scene, channel, bob) == agreed.state.version
    assert not tower.faults


def test_of_two_ends_of_a_channel_the_newer_knowledge_counts(scene: Scene, tower: Tower) -> None:
    alice, bob, channel, old = with_two_states(scene)
    yesterday = export_text(alice.profile, rows(alice))
    alice.do(CommandTransfer(channel, Wei(7)))
    scene.settle()
    tower.push(bob)
    assert not tower.say(KEYS["alice"], yesterday).refused
    tower.look()
    alice.cut_power()
    bob.cut_power()
    scene.by_hand(KEYS["alice"], registered(scene, channel, bob, old))
    scene.chain.mine()
    tower.look()
    scene.chain.mine()
    assert disputed(scene, channel, bob) == 6


def test_what_was_acknowledged_survives_a_restart(scene: Scene, tower: Tower) -> None:
    _, bob, channel, old = with_two_states(scene)
    tower.push(bob)
    bob.cut_power()
    again = tower.restart()
    scene.by_hand(KEYS["alice"], registered(scene, channel, bob, old))
    scene.chain.mine()
    again.look()
    scene.chain.mine()
    assert disputed(scene, channel, bob) == 4
    assert dict(again.say(KEYS["bob"], b"").heights) == {channel: 4}


@pytest.mark.parametrize("suffix", [".watch", ".from"])
@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"[" * 99_999])
def test_damaged_file_of_one_client_leaves_the_others_watched(
    scene: Scene, tower: Tower, tmp_path: Path, suffix: str, damage: bytes
) -> None:
    _, bob, channel, _ = with_two_states(scene)
    assert not tower.push(bob).refused
    (kept,) = (tmp_path / "clients").glob("*.watch")
    name = show_node_id(KEYS["mallory"].public_key.data) + suffix
    # Where a client's address stands it is his own that is damaged.
    (kept.with_suffix(suffix) if suffix == ".from" else kept.with_name(name)).write_bytes(damage)
    again = tower.restart()
    assert dict(again.say(KEYS["bob"], b"").heights) == {channel: 4}
    assert len(again.faults) == (suffix == ".watch")


def test_statements_of_a_sleeping_client_are_submitted(scene: Scene, tower: Tower) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob), lasts=3_600)
    scene.pay(alice, machine, 40)
    tower.push(bob)
    tower.look()
    scene.pay(alice, machine, 2)
    assert dict(tower.push(bob).heights)[machine] == 42
    bob.cut_power()
    alice.cut_power()
    end = bob.books.instances[machine].machine
    assert end is not None
    scene.chain.mine(at=end.validity - scene.limits.margin + 1)  # type: ignore[arg-type]
    tower.look()
    scene.chain.mine()
    assert submitted(scene, machine) == (42, 0)


def test_an_older_export_is_refused_and_changes_nothing(scene: Scene, tower: Tower) -> None:
    """Attack: a restored wallet, a second device, or a thief shows the tower yesterday."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(CommandTransfer(channel, Wei(100)))
    scene.settle()
    yesterday = export_text(bob.profile, rows(bob))
    machine = scene.machine(alice, channel)
    scene.pay(alice, machine, 40)
    newest = tower.push(bob)
    assert not newest.refused
    without_totals = export_text(bob.profile, [r for r in rows(bob) if not isinstance(r, Totals)])
    nothing = export_text(bob.profile, [])
    for older in (yesterday, without_totals, nothing):
        assert "here, and" in tower.say(KEYS["bob"], older).refused
    assert tower.say(KEYS["bob"], b"").heights == newest.heights
    assert tower.restart().say(KEYS["bob"], b"").heights == newest.heights


def test_a_channel_may_be_left_out_once_the_tower_has_seen_its_end(
    scene: Scene, tower: Tower
) -> None:
    alice, bob, channel, _ = with_two_states(scene)
    tower.push(bob)
    tower.look()
    alice.do(CommandClose(channel))
    scene.until(lambda: bob.books.channels[channel].final.ended)
    assert "nothing there" in tower.push(bob).refused
    tower.look()
    assert not tower.push(bob).refused


def test_nobody_has_the_tower_watch_for_another(scene: Scene, tower: Tower) -> None:
    """Attack: a stranger, or the peer, shows what it has of somebody else's."""
    _, bob, _, _ = with_two_states(scene)
    export = export_text(bob.profile, rows(bob))
    assert "of another node" in tower.say(KEYS["mallory"], export).refused
    mallory = replace(bob.profile, key=KEYS["mallory"].public_key.data)
    assert "not the client's" in tower.say(KEYS["mallory"], export_text(mallory, rows(bob))).refused
    assert tower.service.clients == 0
    assert "another host" in tower.say(KEYS["bob"], export, host="other.example").refused


def test_nothing_unproved_is_taken(scene: Scene, tower: Tower) -> None:
    """Attack: signatures that the chain would refuse, at the tower's cost."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    machine = scene.machine(alice, channel)
    scene.pay(alice, machine, 40)
    view, totals = bob.channel(channel), bob.books.totals[machine]
    assert view.agreed is not None
    forged = Signature(bytes(64) + b"\x1b")
    higher = replace(view.agreed.state, version=Version(90))
    statement = Statement(MachineId(machine), Wei(99))
    by_bob = sign(digest(scene.deployment, statement), KEYS["bob"])
    cases: list[tuple[str, ChannelView, Totals]] = [
        ("not signed by both", replace(view, agreed=replace(view.agreed, peer=forged)), totals),
        ("not signed by both", replace(view, agreed=SignedState(higher, forged, forged)), totals),
        ("id is not the hash", replace(view, channel=replace(view.channel, nonce=77)), totals),
        ("not signed by its payer", view, replace(totals, received=Wei(41))),
        (
            "not signed by its payer",
            view,
            replace(totals, received=Wei(99), received_signature=by_bob),
        ),
    ]
    for why, channel_row, totals_row in cases:
        shown = export_text(bob.profile, [channel_row, *bob.books.instances.values(), totals_row])
        assert why in tower.say(KEYS["bob"], shown).refused
    assert tower.service.clients == 0


def test_it_refuses_channels_in_which_it_is_the_other_side(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    ingrid = scene.hub()
    with_bob, with_hub = scene.open(alice, bob), scene.open(alice, ingrid)
    for channel in (with_bob, with_hub):
        alice.do(CommandTransfer(channel, Wei(100)))
        scene.settle()
    tower = Tower(scene, tmp_path / "clients", own=ingrid.peer)
    assert dict(tower.push(alice).heights) == {with_bob: 2}


def test_tower_that_could_not_pay_an_answer_says_so_once_it_has_a_client(
    scene: Scene, tower: Tower
) -> None:
    tower.look()
    tower.endpoint.balance = lambda *_: Wei(0)  # type: ignore[method-assign]
    assert not tower.reports
    _, bob, _, _ = with_two_states(scene)
    tower.push(bob)
    for _ in range(3):
        tower.look()
        scene.chain.mine()
    assert [type(report) for report in tower.reports] == [TooPoor]


def test_it_is_bounded(scene: Scene, tmp_path: Path) -> None:
    """Attack: fresh keys without end."""
    alice, bob, _, _ = with_two_states(scene)
    tower = Tower(scene, tmp_path / "clients", clients=2, clients_per_address=1)
    assert not tower.push(alice).refused
    assert "from your address" in tower.push(bob).refused
    assert not tower.say(KEYS["bob"], export_text(bob.profile, rows(bob)), group="b").refused
    mallory = scene.enter("mallory")
    shown = export_text(mallory.profile, [])
    assert "no room" in tower.say(KEYS["mallory"], shown, group="c").refused
    assert not tower.push(alice).refused


def test_garbage_is_answered_in_words(tower: Tower) -> None:
    key = KEYS["mallory"]
    for content in (b"{", b"[]", b"\xff" * 50, json.dumps({"format": 9}).encode(), b"[" * 9_999):
        assert tower.say(key, content).refused
    for data in (b"", b"\x91" * 300, b"\xff" * 50):
        status, answer = tower.service.answer(data, "")
        assert status == 400
        assert answer.refused
    assert tower.service.clients == 0


@pytest.mark.parametrize("signed", [False, True], ids=["without", "version 0"])
def test_channels_without_a_state_are_not_watched_however_many_are_shown(
    scene: Scene, tower: Tower, signed: bool
) -> None:
    """Attack: made-up channels, others in each export: each was followed for ever."""
    _, bob, channel, _ = with_two_states(scene)
    view = bob.channel(channel)
    for first in range(0, 96, 32):
        made_up: list[Row] = []
        for number in range(first, first + 32):
            terms = replace(view.channel, nonce=Nonce(number))
            id = channel_id(scene.deployment.contract, terms)
            made_up.append(
                replace(view, id=id, channel=terms, agreed=_first(scene, id) if signed else None)
            )
        shown = export_text(bob.profile, [*rows(bob), *made_up])
        assert dict(tower.say(KEYS["bob"], shown).heights) == {channel: 4}
        tower.look()
    assert len(tower.guard.chain.follower._followed) == 1
    assert not tower.faults


def _first(scene: Scene, id: ChannelId) -> SignedState:
    """Both keys are the attacker's own."""
    state = State(id, Version(0), Wei(0))
    said = digest(scene.deployment, state)
    return SignedState(state, sign(said, KEYS["bob"]), sign(said, KEYS["alice"]))


def test_instances_that_change_with_each_export_are_not_followed_for_ever(
    scene: Scene, tower: Tower
) -> None:
    """Attack: what was never looked at was let go of as a channel, and so never."""
    alice, bob = scene.enter("alice"), scene.enter("bob")
    machine = scene.machine(alice, scene.open(alice, bob))
    view = bob.books.instances[machine]
    for salt in range(5):
        assert view.machine is not None
        terms = replace(view.machine, salt=Salt(bytes([salt]) * 32))
        made_up = replace(view, id=instance_id(scene.deployment, terms), terms=terms)
        shown: list[Row] = [*bob.books.channels.values(), view, made_up]
        assert not tower.say(KEYS["bob"], export_text(bob.profile, shown)).refused
    tower.look()
    assert len(tower.guard.chain.follower._followed) == 3
    assert len(tower.guard._watching) == 3


def test_instances_of_a_client_are_so_many(scene: Scene, tmp_path: Path) -> None:
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    for _ in range(2):
        scene.machine(alice, channel)
    few = Tower(scene, tmp_path / "few", most=Admission(scene.deployment, instances=1))
    assert "2 instances; the most is 1" in few.push(bob).refused
    enough = Tower(scene, tmp_path / "more", most=Admission(scene.deployment, instances=2))
    assert not enough.push(bob).refused


def test_what_a_fault_of_ours_keeps_from_being_watched_is_not_acknowledged(
    scene: Scene, tower: Tower, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, channel, _ = with_two_states(scene)
    learn = tower.guard.learn

    def stumbles(client: bytes, profile: Profile, rows: tuple[Row, ...]) -> None:
        if client == bob.peer:
            raise ValueError("a bug")
        learn(client, profile, rows)

    monkeypatch.setattr(tower.guard, "learn", stumbles)
    for party in (alice, bob):
        tower.push(party)
    tower.look()
    assert tower.say(KEYS["bob"], b"").heights == ()
    assert dict(tower.say(KEYS["alice"], b"").heights) == {channel: 4}
    monkeypatch.undo()
    tower.push(bob)
    tower.look()
    assert dict(tower.say(KEYS["bob"], b"").heights) == {channel: 4}


def test_secret_that_is_known_once_is_not_forgotten_for_an_older_export() -> None:
    """It changes no state: a lock's preimage would be lost with the tower's next start."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    secret = Preimage(b"\x07" * 32)
    lock = add_lock(world, alice, channel, 10, keccak(secret))
    before = instance(bob, lock)
    had = heights([replace(before, preimage=secret)])
    views = list(bob.node.books.channels.values())
    assert fallen(had, [*views, before], lambda _: False) == lock
    assert fallen(had, [*views, replace(before, preimage=secret)], lambda _: False) is None
