"""The power fails in the middle of paying; both go on from their disks, and nothing is lost."""

from perun.core.inputs import CommandPay
from perun.demo.moves import add_machine, open_channel, playground
from perun.demo.stage import ETHER
from perun.types import Wei

with playground() as stage:
    alice, bob = stage.enter("Alice"), stage.enter("Bob")
    stage.begin()
    channel = open_channel(stage, alice, bob, Wei(ETHER), Wei(ETHER))
    machine = add_machine(stage, alice, bob, channel, Wei(ETHER // 2), lasts=86_400)

    alice.do(*(CommandPay(machine, Wei(10**12)) for _ in range(300)))
    alice.node.turn()  # stored, signed and sent: Bob has not looked yet
    bob.cut_power()  # what lay in his inbox is gone
    sent = alice.books.totals[machine].sent
    alice.cut_power()

    alice.switch_on()
    assert alice.books.totals[machine].sent == sent  # nothing she signed is forgotten
    bob.switch_on()  # they meet again, and she shows her newest total
    stage.until(lambda: bob.books.totals[machine].received == sent, "the newest total")

    alice.do(CommandPay(machine, Wei(10**12)))
    stage.settle()
    assert bob.books.totals[machine].received == sent + 10**12
    print(f"Bob holds a signature over {bob.books.totals[machine].received} wei, after two cuts")
