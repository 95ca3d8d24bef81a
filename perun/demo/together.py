"""The acts in which everybody keeps to the rules: deposits, payments, a swap."""

from __future__ import annotations

from perun.bindings import ms_contract_calls
from perun.chain.wishes import Wish
from perun.core.inputs import (
    CommandPay,
    CommandRemove,
    CommandTransfer,
)
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.crypto.hashing import keccak
from perun.demo.character import Character
from perun.demo.moves import add_lock, add_machine, open_channel, wait_removed
from perun.demo.play import BASE_FEE, DAY, GREATEST_PAYMENT, OPEN_FEE, Play
from perun.demo.stage import ETHER
from perun.types import ETH, ChannelId, MachineId, Preimage, Wei
from perun.units import format_ether

__all__ = ["open_direct_channel", "open_hub_channels", "pay_directly", "pay_virtually", "swap"]


def open_hub_channels(play: Play) -> None:
    """Ingrid's credit; Alice's channel with her out of it, Bob's by deposits."""
    stage, alice, bob, ingrid = play.stage, play.alice, play.bob, play.ingrid
    credit = Wei(2 * ETHER)
    contract = stage.deployment.contract.contract
    ingrid.send(
        Wish(b"fund", "Fund", ms_contract_calls.fund(contract, ETH, ingrid.address, credit))
    )
    play.tally.deposited[ingrid.name] += credit
    stage.until(
        lambda: any(item.amount == credit for item in ingrid.books.credits.values()),
        "Ingrid's credit",
    )
    play.note(ingrid, "keeps a credit of 2 ETH in the contract, to open channels from")

    ether = Wei(ETHER)
    open_channel(stage, alice, ingrid, ether, ether, draw=True, fee=OPEN_FEE)
    play.tally.deposited[alice.name] += ETHER
    play.tally.fee(alice.name, ingrid.name, OPEN_FEE)
    play.note(alice, "opens a channel with Ingrid: both sides funded by one openBoth")

    _open(play, bob, ingrid, ETHER, ETHER)
    play.note(bob, "opens a channel with Ingrid; she puts her share in once his is final")


def open_direct_channel(play: Play) -> None:
    """Alice and Bob's own, with a first transfer."""
    alice, bob = play.alice, play.bob
    play.direct = _open(play, alice, bob, ETHER, ETHER // 2)
    play.note(alice, "opens a channel with Bob: 1 ETH and 0.5 ETH")
    lost = Wei(ETHER // 5)
    alice.do(CommandTransfer(play.direct, lost))
    play.tally.pay(alice.name, bob.name, lost)
    play.stage.patient(lambda: play.agreed(bob).state.net == lost, "the transfer")
    play.old = play.agreed(bob)
    play.note(alice, "pays Bob 0.2 ETH by a new state; remember it, Bob will")


def _open(play: Play, opener: Character, other: Character, own: int, theirs: int) -> ChannelId:
    play.tally.deposited[opener.name] += own
    play.tally.deposited[other.name] += theirs
    return open_channel(play.stage, opener, other, Wei(own), Wei(theirs))


def pay_directly(play: Play) -> None:
    """Statements both ways in their own channel."""
    stage, lock = play.stage, Wei(ETHER // 4)
    machine = add_machine(stage, play.alice, play.bob, play.direct, lock, DAY)
    play.note("both", f"lock a machine with {format_ether(lock)} ETH each")
    play.pay(machine, play.payments, "Alice ⇄ Bob", play.payments)
    play.arrived(machine)
    play.alice.do(CommandRemove(machine))
    wait_removed(stage, machine)
    play.note("both", "take it out again at what was paid: one new state, no transaction")


def pay_virtually(play: Play) -> None:
    """The same over Ingrid, who signs nothing meanwhile; Bob's power fails on the way."""
    stage, alice, bob, ingrid = play.stage, play.alice, play.bob, play.ingrid
    channel, lock = alice.channel_with(ingrid), Wei(ETHER // 4)
    machine = add_machine(stage, alice, bob, channel, lock, DAY, virtual=True)
    play.tally.fee(alice.name, ingrid.name, BASE_FEE)
    play.note("both", f"have a virtual channel; Ingrid's fee was {format_ether(BASE_FEE)}")
    before = ingrid.wallet.count
    half = play.payments // 2
    play.pay(machine, half, "Alice ⇄ Ingrid ⇄ Bob", play.payments)
    _power_cut(play, machine)
    play.pay(machine, play.payments - half, "Alice ⇄ Ingrid ⇄ Bob", play.payments, half)
    play.arrived(machine)
    play.hub_signed += ingrid.wallet.count - before
    play.note(ingrid, f"has signed nothing in all this: {play.hub_signed} signatures")
    alice.do(CommandRemove(machine))
    wait_removed(stage, machine)
    play.note("both", "close it: Ingrid gains in one channel what she loses in the other")
    stage.block()


def _power_cut(play: Play, machine: MachineId) -> None:
    """Bob's power fails while payments are on their way to him, and while he pays."""
    alice, bob = play.alice, play.bob
    for _ in range(20):
        amount = Wei(play.dice.randrange(1, GREATEST_PAYMENT))
        alice.do(CommandPay(machine, amount))
        play.tally.pay(alice.name, bob.name, amount)
    alice.node.turn()  # they leave Alice; Bob has not looked yet
    bob.cut_power()
    play.note(bob, "loses power with 20 payments in his inbox, none of them on his disk")
    amount = Wei(play.dice.randrange(1, GREATEST_PAYMENT))
    alice.do(CommandPay(machine, amount))
    play.tally.pay(alice.name, bob.name, amount)
    play.stage.settle()
    bob.switch_on()
    play.stage.until(
        lambda: bob.books.totals[machine].received == alice.books.totals[machine].sent,
        "the payments after the power cut",
    )
    play.note(bob, "restarts on his store; Alice shows her newest total, nothing is lost")


def swap(play: Play) -> None:
    """Bob pays Alice directly, Alice pays Bob over Ingrid: both or neither, by one secret."""
    stage, alice, bob, ingrid = play.stage, play.alice, play.bob, play.ingrid
    amount = Wei(ETHER // 10)
    secret = Preimage(stage.secret("swap"))
    hashed = keccak(secret)
    first = add_lock(stage, bob, alice, play.direct, amount, hashed, 7_200)
    play.note(bob, "locks 0.1 ETH for Alice in their channel, under the hash of a secret")
    ours = alice.channel_with(ingrid)
    second = add_lock(stage, alice, bob, ours, amount, hashed, 3_600, virtual=True)
    play.tally.fee(alice.name, ingrid.name, BASE_FEE)
    play.note(alice, "locks 0.1 ETH for Bob over Ingrid, under the same hash, for less long")
    bob.do(CommandReveal(second, secret))
    stage.patient(
        lambda: alice.books.instances[second].preimage is not None,
        "Alice learning the secret",
    )
    wait_removed(stage, second)
    play.note(bob, "shows the secret to be paid; it reaches Alice on the way")
    alice.do(CommandReveal(first, secret))
    wait_removed(stage, first)
    play.tally.pay(alice.name, bob.name, amount)
    play.tally.pay(bob.name, alice.name, amount)
    play.note(alice, "is paid with it: money has changed channels without a transaction")
