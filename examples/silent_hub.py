"""The hub goes silent with a virtual channel open: both ends get out by themselves."""

from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandDispute, CommandPay
from perun.demo.moves import add_machine, has_ended, open_channel, playground
from perun.demo.stage import ETHER
from perun.types import UnixTime, Wei

with playground() as stage:
    alice, bob = stage.enter("Alice"), stage.enter("Bob")
    ingrid = stage.enter("Ingrid", Policy(greatest_deposit=Wei(ETHER), hub=HubPolicy()))
    stage.begin()
    left = open_channel(stage, alice, ingrid, Wei(ETHER), Wei(ETHER))
    right = open_channel(stage, bob, ingrid, Wei(ETHER), Wei(ETHER))
    machine = add_machine(stage, alice, bob, left, Wei(ETHER // 2), lasts=86_400, virtual=True)
    alice.do(*(CommandPay(machine, Wei(10**15)) for _ in range(100)))
    stage.settle()
    ingrid.cut_power()

    before = {party: stage.balance(party.address) for party in stage.cast}
    alice.do(CommandDispute(left))  # registers its newest state, with what was paid last
    bob.do(CommandDispute(right))
    stage.until(
        lambda: (
            bob.books.instances[machine].head is not None
            and alice.channel(left).head.dispute is not None
            and bob.channel(right).head.dispute is not None
        ),
        "registering",
    )
    stage.jump(UnixTime(stage.now + 601))  # one challenge
    stage.until(lambda: has_ended(alice, left) and has_ended(bob, right), "settling")

    stage.block(3)
    gained = {party: stage.balance(party.address) - before[party] for party in stage.cast}
    assert gained[ingrid] == 2 * ETHER  # she lost on one side what she gained on the other
    assert gained[alice] + alice.gas_paid > 0.9 * ETHER
    assert gained[bob] > 1.09 * ETHER
    print("Alice, Bob and even Ingrid have what was signed last, to the wei")
