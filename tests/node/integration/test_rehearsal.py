"""What a rehearsal says of a dispute is what happens when it is fought, to the wei."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import Request, urlopen

import pytest

from perun.bindings.failures import NodeRefused
from perun.core.inputs import CommandDispute, CommandPay
from perun.demo.character import Character
from perun.demo.moves import add_machine, has_ended, open_channel, playground
from perun.demo.stage import ETHER, PURSE, Stage
from perun.page.endpoint import Acted, PageEndpoint
from perun.page.rehearsal import CannotPlay, NotSigned, Scene, rehearse
from perun.page.rpc import Answer, Rpc
from perun.types import ChannelId, UnixTime, Wei

pytestmark = pytest.mark.chain

OURS, THEIRS = Wei(ETHER // 10), Wei(ETHER // 5)


@dataclass
class Two:
    stage: Stage
    alice: Character
    bob: Character
    channel: ChannelId

    def rehearsed(self, by: Character) -> dict[str, Scene]:
        view = by.channel(self.channel)
        scenes = rehearse(by.books, view, self.stage.deployment, self.node.play)
        return {scene.name: scene for scene in scenes}

    @property
    def node(self) -> PageEndpoint:
        provider = self.stage.endpoint().web3.provider
        url: str = provider.endpoint_uri  # type: ignore[attr-defined]

        def post(body: str) -> Answer:
            asked = Request(url, body.encode(), {"Content-Type": "application/json"})
            with urlopen(asked) as answer:
                return Answer(answer.status, answer.read().decode())

        return PageEndpoint(Rpc(post))

    def pays(self, payer: Character, payee: Character, *amounts: int) -> None:
        lock = Wei(ETHER // 20)
        machine = add_machine(self.stage, payer, payee, self.channel, lock, 4_000, virtual=False)
        payer.do(*(CommandPay(machine, Wei(amount)) for amount in amounts))

        def arrived() -> bool:
            totals = payee.books.totals.get(machine)
            return totals is not None and totals.received == sum(amounts)

        self.stage.patient(arrived, "the payments")


@contextmanager
def two() -> Iterator[Two]:
    with playground("anvil") as stage:
        alice, bob = stage.enter("Alice"), stage.enter("Bob")
        stage.begin()
        channel = open_channel(stage, alice, bob, OURS, THEIRS)
        yield Two(stage, alice, bob, channel)


def test_what_is_rehearsed_happens() -> None:
    with two() as world:
        alice, bob, stage = world.alice, world.bob, world.stage
        world.pays(bob, alice, 7, ETHER // 100)
        gained = 7 + ETHER // 100
        before = stage.balance(alice.address)
        scenes = world.rehearsed(alice)
        assert not any(scene.refusal for scene in scenes.values())
        for name in ("vanished", "newest", "answered"):
            assert scenes[name].ours == OURS + gained
            assert scenes[name].theirs == THEIRS - gained
            assert scenes[name].soon == scenes[name].ours
            assert scenes[name].until == scenes[name].deadline
        assert (scenes["unanswered"].ours, scenes["unanswered"].theirs) == (OURS, THEIRS)
        assert stage.balance(alice.address) == before, "nothing was sent"
        assert alice.channel(world.channel).head.dispute is None

        bob.cut_power()
        spent = alice.gas_paid
        alice.do(CommandDispute(world.channel))
        stage.until(lambda: alice.channel(world.channel).final.dispute is not None, "a dispute")
        stage.jump(UnixTime(scenes["vanished"].deadline + 600))
        stage.until(lambda: has_ended(alice, world.channel), "the end")
        paid = stage.balance(alice.address) - before + alice.gas_paid - spent
        assert paid == scenes["vanished"].ours
        assert alice.gas_used >= scenes["vanished"].gas > 0
        assert stage.balance(alice.address) > PURSE - OURS


def test_who_has_paid_gains_by_the_start_and_loses_nothing_by_the_truth() -> None:
    with two() as world:
        world.pays(world.alice, world.bob, 5, 6)
        scenes = world.rehearsed(world.alice)
        assert scenes["unanswered"].ours == OURS
        # Bob's evidence is his to bring: until its end the lock waits for that, and we for it.
        alone = scenes["vanished"]
        assert alone.soon == OURS - ETHER // 20
        assert alone.ours == OURS
        assert alone.until > alone.deadline
        for name in ("newest", "answered"):
            assert (scenes[name].ours, scenes[name].theirs) == (OURS - 11, THEIRS + 11)


def test_before_anything_is_signed_the_start_is_the_newest() -> None:
    with two() as world:
        scenes = world.rehearsed(world.bob)
        assert {(scene.ours, scene.theirs) for scene in scenes.values()} == {(THEIRS, OURS)}


def test_a_node_that_cannot_play_says_so() -> None:
    with playground("tester") as stage:
        alice, bob = stage.enter("Alice"), stage.enter("Bob")
        stage.begin()
        view = alice.channel(open_channel(stage, alice, bob, OURS, THEIRS))

        def refuses(_: object) -> tuple[Acted, ...]:
            raise NodeRefused("the method eth_simulateV1 does not exist")

        with pytest.raises(CannotPlay, match="eth_simulateV1"):
            rehearse(alice.books, view, stage.deployment, refuses)


def test_a_dispute_that_has_begun_is_no_rehearsal() -> None:
    with two() as world:
        world.alice.do(CommandDispute(world.channel))
        world.stage.until(
            lambda: world.alice.channel(world.channel).head.dispute is not None, "a dispute"
        )
        with pytest.raises(NotSigned):
            world.rehearsed(world.alice)
