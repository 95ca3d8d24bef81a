"""Two payments under one secret: both happen or neither, whoever stops in the middle."""

from perun.core.config import HubPolicy, Policy
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.crypto.hashing import keccak
from perun.demo.moves import add_lock, open_channel, playground, wait_removed
from perun.demo.stage import ETHER
from perun.types import Preimage, Wei

AMOUNT = Wei(ETHER // 10)

with playground() as stage:
    alice, bob = stage.enter("Alice"), stage.enter("Bob")
    ingrid = stage.enter("Ingrid", Policy(greatest_deposit=Wei(ETHER), hub=HubPolicy()))
    stage.begin()
    direct = open_channel(stage, alice, bob, Wei(ETHER), Wei(ETHER))
    left = open_channel(stage, alice, ingrid, Wei(ETHER), Wei(ETHER))
    open_channel(stage, bob, ingrid, Wei(ETHER), Wei(ETHER))

    # Bob knows the secret. He pays Alice directly, she pays him over Ingrid, for less long.
    secret = Preimage(stage.secret("of Bob"))
    to_alice = add_lock(stage, bob, alice, direct, AMOUNT, keccak(secret), 7_200)
    to_bob = add_lock(stage, alice, bob, left, AMOUNT, keccak(secret), 3_600, virtual=True)

    bob.do(CommandReveal(to_bob, secret))  # to be paid he has to show it …
    wait_removed(stage, to_bob)
    learnt = alice.books.instances[to_bob].preimage
    assert learnt == secret
    alice.do(CommandReveal(to_alice, learnt))  # … and with it Alice is paid
    wait_removed(stage, to_alice)

    agreed = alice.channel(direct).agreed, alice.channel(left).agreed
    assert agreed[0] is not None
    assert agreed[1] is not None
    assert (agreed[0].state.net, agreed[1].state.net) == (-AMOUNT, AMOUNT)
    print("Bob paid in one channel what he was paid in another; no transaction was sent")
