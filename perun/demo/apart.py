"""The acts in which somebody does not: an old state registered, a hub gone silent."""

from __future__ import annotations

from collections.abc import Callable

from perun.bindings import ms_contract_calls
from perun.bindings.calls import transaction
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.reports import Paid
from perun.core.inputs import CommandClaim, CommandDispute
from perun.core.rules.worth import enforcing_costs
from perun.core.state import SignedState
from perun.demo.character import Character
from perun.demo.moves import add_machine, has_ended
from perun.demo.play import BASE_FEE, DAY, Play
from perun.demo.stage import ETHER
from perun.demo.wheels import StoryFailed
from perun.types import ETH, MachineId, MachineRecord, UnixTime, Wei
from perun.units import format_ether

__all__ = ["cheat", "leave_alone"]


def cheat(play: Play) -> None:
    """Bob registers an old state; Alice answers, and settles."""
    stage, alice, bob = play.stage, play.alice, play.bob
    agreed = play.agreed(alice)
    bob.cut_power()
    paid = _register_by_hand(play, bob, play.old)
    play.note(
        bob,
        f"switches his node off and registers version {play.old.state.version}, "
        f"{format_ether(play.old.state.net - agreed.state.net)} ETH better for him",
    )
    stage.until(
        lambda: (
            (found := alice.channel(play.direct).head.dispute) is not None
            and found.version == agreed.state.version
        ),
        "Alice's answer",
    )
    play.note(alice, f"answers at once with version {agreed.state.version}")
    dispute = alice.channel(play.direct).head.dispute
    assert dispute is not None
    stage.jump(UnixTime(dispute.deadline + 1))
    stage.until(lambda: has_ended(alice, play.direct), "the settlement")
    bob.switch_on()
    stage.until(lambda: has_ended(bob, play.direct), "Bob seeing the end")
    bob.transactions.append(paid())
    play.note(alice, "settles after the deadline: both are paid what was signed last")


def _register_by_hand(play: Play, cheat: Character, old: SignedState) -> Callable[[], Paid]:
    """A transaction that his own node would never send."""
    stage = play.stage
    endpoint = stage.endpoint()
    call = ms_contract_calls.register(
        stage.deployment.contract.contract,
        play.alice.channel(play.direct).channel,
        old.state,
        old.peer,
        old.own,
    )
    fees = first_fees(FeePolicy(), stage.head.base_fee, endpoint.tip())
    params = transaction(
        call,
        sender=cheat.address,
        chain_id=endpoint.chain_id,
        nonce=endpoint.next_nonce(cheat.address),
        gas=endpoint.estimate(call, cheat.address),
        fees=fees,
    )
    raw, hashed = cheat.wallet.account(cheat.address).sign_transaction(params)
    endpoint.send(raw)

    def paid() -> Paid:
        mined = endpoint.mined(hashed)
        if mined is None or not mined.succeeded:
            raise StoryFailed("the registration of Bob's old state")
        return Paid(b"cheat", hashed, mined.block, True, mined.gas_used, mined.paid, "Register")

    return paid


def leave_alone(play: Play) -> None:
    """Ingrid is gone; both ends get out with what the chain and their stores know."""
    stage, alice, bob, ingrid = play.stage, play.alice, play.bob, play.ingrid
    ours, theirs = alice.channel_with(ingrid), bob.channel_with(ingrid)
    lock = Wei(ETHER // 5)
    machine = add_machine(stage, alice, bob, ours, lock, DAY // 4, virtual=True)
    play.tally.fee(alice.name, ingrid.name, BASE_FEE)
    before = ingrid.wallet.count
    count = max(1, play.payments // 10)
    # A total that the gas to submit it would eat is not worth enforcing: nobody would.
    costs = [
        enforcing_costs(party.books.config.limits, party.books.chain) for party in (alice, bob)
    ]
    play.pay(machine, count, "Alice ⇄ Ingrid ⇄ Bob", count, least=max(costs))
    play.arrived(machine)
    play.hub_signed += ingrid.wallet.count - before
    ingrid.cut_power()
    play.note(ingrid, "is gone, with a virtual channel open over her")
    alice.do(CommandDispute(ours))
    bob.do(CommandDispute(theirs))
    stage.until(
        lambda: (
            alice.channel(ours).head.dispute is not None
            and bob.channel(theirs).head.dispute is not None
            and _both_submitted(play, machine)
        ),
        "both registering alone",
    )
    play.note("both", "register their channels and submit what they were paid last")
    submitted = alice.books.instances[machine].head
    assert isinstance(submitted, MachineRecord)
    deadlines = [submitted.deadline]
    for party, id in ((alice, ours), (bob, theirs)):
        dispute = party.channel(id).head.dispute
        assert dispute is not None
        deadlines.append(dispute.deadline)
    stage.jump(UnixTime(max(deadlines) + 1))
    stage.until(lambda: has_ended(alice, ours) and has_ended(bob, theirs), "both being out")
    play.note("both", "are out with everything, one challenge later, without her")
    ingrid.switch_on()
    stage.until(
        lambda: has_ended(ingrid, ours) and has_ended(ingrid, theirs),
        "Ingrid seeing the end",
    )
    _claim(play, ingrid)
    play.note(ingrid, "comes back, finds her share paid out, and claims her credit")


def _both_submitted(play: Play, machine: MachineId) -> bool:
    on = play.alice.books.instances[machine].head
    totals = play.alice.books.totals[machine]
    return isinstance(on, MachineRecord) and (
        (on.paid_by_alice, on.paid_by_bob) == (totals.sent, totals.received)
    )


def _claim(play: Play, party: Character) -> None:
    held = [credit for credit in party.books.credits.values() if credit.amount]
    for credit in held:
        party.do(CommandClaim(ETH, credit.amount, party.address))
    play.stage.until(
        lambda: not any(credit.amount for credit in party.books.credits.values()),
        f"{party.name}'s claim",
    )
