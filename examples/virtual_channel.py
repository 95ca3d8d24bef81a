"""Alice and Bob pay each other over the hub Ingrid, who signs nothing while they do."""

from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandPay, CommandRemove
from perun.demo.moves import add_machine, open_channel, playground, wait_removed
from perun.demo.stage import ETHER
from perun.types import Wei

FEE = Wei(10**13)

with playground() as stage:
    alice, bob = stage.enter("Alice"), stage.enter("Bob")
    hub = Policy(greatest_deposit=Wei(ETHER), hub=HubPolicy(base_fee=FEE))
    ingrid = stage.enter("Ingrid", hub)
    stage.begin()
    left = open_channel(stage, alice, ingrid, Wei(ETHER), Wei(ETHER))
    right = open_channel(stage, bob, ingrid, Wei(ETHER), Wei(ETHER))

    # No transaction: the same machine is locked into both channels, or into neither.
    machine = add_machine(stage, alice, bob, left, Wei(ETHER // 2), lasts=86_400, virtual=True)
    signed = ingrid.wallet.count
    for number in range(500):
        alice.do(CommandPay(machine, Wei(3 * 10**13)))
        bob.do(CommandPay(machine, Wei(10**13)))
        if number % 100 == 0:
            stage.settle()
    stage.settle()
    assert ingrid.wallet.count == signed

    alice.do(CommandRemove(machine))
    wait_removed(stage, machine)
    nets = [party.channel(id).agreed for party, id in ((ingrid, left), (ingrid, right))]
    assert nets[0] is not None
    assert nets[1] is not None
    # Alice's channel counts what she paid Ingrid, Bob's what he paid her (he opened it).
    gain, loss = nets[0].state.net - FEE, -nets[1].state.net
    assert gain == loss == 500 * 2 * 10**13
    print(f"1,000 payments; Ingrid gains {gain} wei, loses {loss} wei, and keeps her fee of {FEE}")
