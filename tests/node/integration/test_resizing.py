"""A virtual channel between real nodes is resized up, down and renewed: no transaction, no wei."""

from __future__ import annotations

from perun.bindings import ms_contract_calls
from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandClose, CommandPay, CommandRemove, CommandReplace
from perun.core.notices import InstanceAdded, VirtualReady
from perun.demo.character import Character
from perun.demo.moves import (
    add_machine,
    has_ended,
    open_channel,
    playground,
    wait_removed,
)
from perun.demo.stage import ETHER, PURSE, Stage
from perun.types import ETH, MachineId, Salt, Seconds, UnixTime, Wei

FEE = Wei(10**12)
SHARE = Wei(ETHER // 10)
HUB = Policy(greatest_deposit=Wei(ETHER), hub=HubPolicy(base_fee=FEE))


def replaced(
    stage: Stage,
    who: Character,
    old: MachineId,
    own: int,
    peer: int,
    lasts: int,
    ends: list[Character],
) -> MachineId:
    """One end's machine in the place of the old, ready on both sides."""
    known = {notice.instance for notice in who.heard(InstanceAdded)}
    salt = Salt(stage.secret(f"salt {len(known)} {who.name} again"))
    validity = UnixTime(stage.now + lasts)
    who.do(CommandReplace(old, Wei(own), Wei(peer), validity, Seconds(600), salt))

    def ready() -> list[MachineId]:
        fresh = {notice.instance for notice in who.heard(InstanceAdded)} - known
        return [
            MachineId(id)
            for id in fresh
            if all(VirtualReady(id) in end.heard(VirtualReady) for end in ends)
        ]

    stage.patient(lambda: bool(ready()), "the replacement")
    (new,) = ready()
    return new


def pay(
    stage: Stage, payer: Character, payee: Character, machine: MachineId, amounts: list[int]
) -> None:
    payer.do(*(CommandPay(machine, Wei(amount)) for amount in amounts))
    due = payee.books.totals[machine].received if machine in payee.books.totals else 0

    def arrived() -> bool:
        totals = payee.books.totals.get(machine)
        return totals is not None and totals.received == due + sum(amounts)

    stage.patient(arrived, "the payments")


def test_resized_up_down_and_renewed_without_a_transaction_and_to_the_wei() -> None:
    with playground("tester") as stage:
        alice, bob = stage.enter("Alice"), stage.enter("Bob")
        ingrid = stage.enter("Ingrid", HUB)
        ends = [alice, bob]
        stage.begin()
        left = open_channel(stage, alice, ingrid, SHARE, SHARE)
        right = open_channel(stage, bob, ingrid, SHARE, SHARE)
        everybody = [*ends, ingrid]
        nonces = [stage.endpoint().next_nonce(party.address) for party in everybody]

        old = add_machine(stage, alice, bob, left, Wei(SHARE // 2), 4_000, virtual=True)
        pay(stage, alice, bob, old, [7, SHARE // 4])
        # Up: both machines side by side would lock more than there is.
        up = replaced(stage, alice, old, SHARE // 2, SHARE, 4_000, ends)
        signed = ingrid.wallet.count
        pay(stage, bob, alice, up, [SHARE - 5, 5])
        pay(stage, alice, bob, up, [11])
        # Down, at Bob's wish, who is the new machine's Alice and pays its fee.
        down = replaced(stage, bob, up, SHARE // 20, SHARE // 10, 4_000, ends)
        assert ingrid.wallet.count == signed + 2  # two states
        pay(stage, alice, bob, down, [50_000])
        # Power cuts of everybody, then renewed, and used when the ones before are over.
        for party in everybody:
            party.cut_power()
            party.switch_on()
        stage.look()
        last = replaced(stage, alice, down, SHARE // 5, SHARE // 20, 9_000, ends)
        stage.jump(UnixTime(stage.now + 6_000))
        pay(stage, alice, bob, last, [70_000])
        pay(stage, bob, alice, last, [69_999])
        bob.do(CommandRemove(last))
        wait_removed(stage, last)
        assert nonces == [stage.endpoint().next_nonce(party.address) for party in everybody]

        gained = 7 + SHARE // 4 - SHARE + 11 + 50_000 + 70_000 - 69_999  # Bob's, from Alice
        fees = {"Alice": 3 * FEE, "Bob": FEE, "Ingrid": -4 * FEE}
        gains = {"Alice": -gained, "Bob": gained, "Ingrid": 0}
        for party, id in ((alice, left), (bob, right)):
            party.do(CommandClose(id))
        stage.until(lambda: has_ended(alice, left) and has_ended(bob, right), "the end")
        stage.until(lambda: has_ended(ingrid, left) and has_ended(ingrid, right), "the end")
        for party in everybody:
            had = PURSE + gains[party.name] - fees[party.name] - party.gas_paid
            assert stage.balance(party.address) + credit(stage, party) == had


def credit(stage: Stage, party: Character) -> int:
    """What the contract keeps for an account: a hub is paid out to its credit."""
    endpoint = stage.endpoint()
    query = ms_contract_calls.credit(stage.deployment.contract.contract, ETH, party.address)
    return endpoint.ask(query, stage.head.number)
