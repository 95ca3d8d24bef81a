"""Two nodes, one channel, a thousand payments: two transactions to open, one to close."""

from perun.core.inputs import CommandClose, CommandPay, CommandRemove
from perun.demo.moves import add_machine, has_ended, open_channel, playground, wait_removed
from perun.demo.stage import ETHER
from perun.types import Wei
from perun.units import format_ether

with playground() as stage:
    alice, bob = stage.enter("Alice"), stage.enter("Bob")
    stage.begin()
    channel = open_channel(stage, alice, bob, Wei(ETHER), Wei(ETHER // 2))

    # A machine turns a payment into one signature of the payer, in either direction.
    machine = add_machine(stage, alice, bob, channel, Wei(ETHER // 4), lasts=86_400)
    paid = {alice: 0, bob: 0}
    for number in range(1_000):
        payer, amount = (alice, bob)[number % 3 == 0], (number + 1) * 10**11
        payer.do(CommandPay(machine, Wei(amount)))
        paid[payer] += amount
    stage.settle()
    assert alice.books.totals[machine].received == paid[bob]
    assert bob.books.totals[machine].received == paid[alice]

    # Out again at what was paid, then the end by agreement.
    alice.do(CommandRemove(machine))
    wait_removed(stage, machine)
    before = stage.balance(bob.address)
    alice.do(CommandClose(channel))
    stage.until(lambda: has_ended(alice, channel) and has_ended(bob, channel), "the close")

    gained = stage.balance(bob.address) - before
    assert gained == ETHER // 2 + paid[alice] - paid[bob]
    print(f"1,000 payments; Bob is paid {format_ether(gained)} ETH by one transaction of Alice's")
