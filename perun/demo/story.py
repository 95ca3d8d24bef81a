"""The story, act by act. Everything is done by the nodes; the story gives the commands, cuts the
power, cheats, and keeps a ledger of its own to compare the chain with at the end."""

from __future__ import annotations

import random
from collections.abc import Callable

from perun.bindings import ms_contract_calls
from perun.bindings.calls import transaction
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.reports import Paid
from perun.chain.wishes import Wish
from perun.core.config import HubPolicy, Policy
from perun.core.inputs import (
    CommandClaim,
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandReveal,
    CommandTransfer,
)
from perun.core.state import SignedState
from perun.crypto.hashing import keccak
from perun.demo.ledger import Ledger, Result
from perun.demo.moves import add_lock, add_machine, has_ended, open_channel, wait_removed
from perun.demo.party import Party
from perun.demo.stage import ETHER, Stage, StoryFailed
from perun.demo.telling import Act, Note, Progress, Tell
from perun.types import (
    ETH,
    ChannelId,
    MachineId,
    Preimage,
    UnixTime,
    Wei,
)
from perun.units import format_ether

__all__ = ["Story"]

GWEI = 10**9
_DAY = 86_400
_BASE_FEE = Wei(20_000 * GWEI)
_OPEN_FEE = Wei(50_000 * GWEI)
_GREATEST_PAYMENT = 20_000 * GWEI
_BATCH = 250
_PLAIN_TRANSFER = 21_000


class Story:
    """Told once."""

    def __init__(self, stage: Stage, payments: int, tell: Tell) -> None:
        """The cast enters, each with 10 ETH and an empty store.

        Args:
            payments: how many in each of the two great series.
        """
        self._stage = stage
        self._payments = payments
        self._tell = tell
        self._dice = random.Random(stage.seed)  # noqa: S311  # amounts of a demonstration
        self._ledger = Ledger()
        self._act = 0
        hub = HubPolicy(base_fee=_BASE_FEE, open_fee=_OPEN_FEE, greatest_draw=Wei(2 * ETHER))
        self.alice = stage.enter("Alice")
        self.bob = stage.enter("Bob")
        self.ingrid = stage.enter("Ingrid", Policy(greatest_deposit=Wei(2 * ETHER), hub=hub))
        self._hub_signed = 0

    # ------------------------------------------------------------------------------------- telling

    def _next(self, title: str) -> None:
        self._act += 1
        self._tell(Act(self._act, title))

    def _note(self, who: Party | str, text: str) -> None:
        name = who if isinstance(who, str) else who.name
        self._tell(Note(self._stage.now, self._stage.head.number, name, text))

    # ---------------------------------------------------------------------------------------- acts

    def play(self) -> Result:
        """From the first deposit to the last wei.

        Raises:
            StoryFailed: something that the protocol promises did not happen.
            ChainFault: the chain went away.
        """
        self._stage.begin()
        self._before = {
            party.name: self._stage.balance(party.address) for party in self._stage.cast
        }
        self._next("Deposits")
        self._open_hub_channels()
        self._open_direct_channel()
        self._next(f"{self._payments:,} payments in a channel of two")
        self._pay_directly()
        self._next(f"{self._payments:,} payments in a virtual channel over Ingrid")
        self._pay_virtually()
        self._next("A hash-locked swap")
        self._swap()
        self._next("Bob registers an old state")
        self._cheat()
        self._next("Ingrid goes silent")
        self._leave_alone()
        self._next("Everybody is out")
        return self._count()

    def _open_hub_channels(self) -> None:
        stage, alice, bob, ingrid = self._stage, self.alice, self.bob, self.ingrid
        credit = Wei(2 * ETHER)
        contract = stage.deployment.contract.contract
        ingrid.send(
            Wish(b"fund", "Fund", ms_contract_calls.fund(contract, ETH, ingrid.address, credit))
        )
        self._ledger.deposited[ingrid.name] += credit
        stage.until(
            lambda: any(item.amount == credit for item in ingrid.books.credits.values()),
            "Ingrid's credit",
        )
        self._note(ingrid, "keeps a credit of 2 ETH in the contract, to open channels from")

        ether = Wei(ETHER)
        open_channel(stage, alice, ingrid, ether, ether, draw=True, fee=_OPEN_FEE)
        self._ledger.deposited[alice.name] += ETHER
        self._ledger.fee(alice.name, ingrid.name, _OPEN_FEE)
        self._note(alice, "opens a channel with Ingrid: both sides funded by one openBoth")

        self._open(bob, ingrid, ETHER, ETHER)
        self._note(bob, "opens a channel with Ingrid; she puts her share in once his is final")

    def _open_direct_channel(self) -> None:
        alice, bob = self.alice, self.bob
        self._direct = self._open(alice, bob, ETHER, ETHER // 2)
        self._note(alice, "opens a channel with Bob: 1 ETH and 0.5 ETH")
        lost = Wei(ETHER // 5)
        alice.do(CommandTransfer(self._direct, lost))
        self._ledger.pay(alice.name, bob.name, lost)
        self._stage.patient(lambda: self._agreed(bob).state.net == lost, "the transfer")
        self._old = self._agreed(bob)
        self._note(alice, "pays Bob 0.2 ETH by a new state; remember it, Bob will")

    def _open(self, opener: Party, other: Party, own: int, theirs: int) -> ChannelId:
        self._ledger.deposited[opener.name] += own
        self._ledger.deposited[other.name] += theirs
        return open_channel(self._stage, opener, other, Wei(own), Wei(theirs))

    def _agreed(self, party: Party) -> SignedState:
        agreed = party.channel(self._direct).agreed
        if agreed is None:
            raise StoryFailed(f"a signed state of {party.name}")
        return agreed

    # ------------------------------------------------------------------------------------ payments

    def _pay(
        self,
        machine: MachineId,
        count: int,
        what: str,
        total: int,
        done: int = 0,
        least: int = 1,
    ) -> None:
        """Payments both ways, in batches, as fast as the nodes go; each at least `least`."""
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            for _ in range(size):
                payer, payee = self._pair()
                amount = Wei(least + self._dice.randrange(_GREATEST_PAYMENT))
                payer.do(CommandPay(machine, amount))
                self._ledger.pay(payer.name, payee.name, amount)
            self._stage.settle()
            self._tell(Progress(done + start + size, total, what))

    def _pair(self) -> tuple[Party, Party]:
        pair = (self.alice, self.bob)
        return pair if self._dice.random() < 0.5 else pair[::-1]

    def _arrived(self, machine: MachineId) -> None:
        """Both sides agree on both totals, statement by statement."""
        mine, theirs = self.alice.books.totals[machine], self.bob.books.totals[machine]
        if (mine.sent, mine.received) != (theirs.received, theirs.sent):
            raise StoryFailed("the arrival of every payment")

    def _pay_directly(self) -> None:
        stage, lock = self._stage, Wei(ETHER // 4)
        machine = add_machine(stage, self.alice, self.bob, self._direct, lock, _DAY)
        self._note("both", f"lock a machine with {format_ether(lock)} ETH each")
        self._pay(machine, self._payments, "Alice ⇄ Bob", self._payments)
        self._arrived(machine)
        self.alice.do(CommandRemove(machine))
        wait_removed(stage, machine)
        self._note("both", "take it out again at what was paid: one new state, no transaction")

    def _pay_virtually(self) -> None:
        stage, alice, bob, ingrid = self._stage, self.alice, self.bob, self.ingrid
        channel, lock = alice.channel_with(ingrid), Wei(ETHER // 4)
        machine = add_machine(stage, alice, bob, channel, lock, _DAY, virtual=True)
        self._ledger.fee(alice.name, ingrid.name, _BASE_FEE)
        self._note("both", f"have a virtual channel; Ingrid's fee was {format_ether(_BASE_FEE)}")
        before = ingrid.wallet.count
        half = self._payments // 2
        self._pay(machine, half, "Alice ⇄ Ingrid ⇄ Bob", self._payments)
        self._power_cut(machine)
        self._pay(machine, self._payments - half, "Alice ⇄ Ingrid ⇄ Bob", self._payments, half)
        self._arrived(machine)
        self._hub_signed += ingrid.wallet.count - before
        self._note(ingrid, f"has signed nothing in all this: {self._hub_signed} signatures")
        alice.do(CommandRemove(machine))
        wait_removed(stage, machine)
        self._note("both", "close it: Ingrid gains in one channel what she loses in the other")
        stage.block()

    def _power_cut(self, machine: MachineId) -> None:
        """Bob's power fails while payments are on their way to him, and while he pays."""
        alice, bob = self.alice, self.bob
        for _ in range(20):
            amount = Wei(self._dice.randrange(1, _GREATEST_PAYMENT))
            alice.do(CommandPay(machine, amount))
            self._ledger.pay(alice.name, bob.name, amount)
        alice.node.turn()  # they leave Alice; Bob has not looked yet
        bob.cut_power()
        self._note(bob, "loses power with 20 payments in his inbox, none of them on his disk")
        amount = Wei(self._dice.randrange(1, _GREATEST_PAYMENT))
        alice.do(CommandPay(machine, amount))
        self._ledger.pay(alice.name, bob.name, amount)
        self._stage.settle()
        bob.switch_on()
        self._stage.until(
            lambda: bob.books.totals[machine].received == alice.books.totals[machine].sent,
            "the payments after the power cut",
        )
        self._note(bob, "restarts on his store; Alice shows her newest total, nothing is lost")

    # ---------------------------------------------------------------------------------------- swap

    def _swap(self) -> None:
        """Bob pays Alice directly, Alice pays Bob over Ingrid: both or neither, by one secret."""
        stage, alice, bob, ingrid = self._stage, self.alice, self.bob, self.ingrid
        amount = Wei(ETHER // 10)
        secret = Preimage(stage.secret("swap"))
        hashed = keccak(secret)
        first = add_lock(stage, bob, alice, self._direct, amount, hashed, 7_200)
        self._note(bob, "locks 0.1 ETH for Alice in their channel, under the hash of a secret")
        ours = alice.channel_with(ingrid)
        second = add_lock(stage, alice, bob, ours, amount, hashed, 3_600, virtual=True)
        self._ledger.fee(alice.name, ingrid.name, _BASE_FEE)
        self._note(alice, "locks 0.1 ETH for Bob over Ingrid, under the same hash, for less long")
        bob.do(CommandReveal(second, secret))
        stage.patient(
            lambda: alice.books.instances[second].preimage is not None,
            "Alice learning the secret",
        )
        wait_removed(stage, second)
        self._note(bob, "shows the secret to be paid; it reaches Alice on the way")
        alice.do(CommandReveal(first, secret))
        wait_removed(stage, first)
        self._ledger.pay(alice.name, bob.name, amount)
        self._ledger.pay(bob.name, alice.name, amount)
        self._note(alice, "is paid with it: money has changed channels without a transaction")

    # -------------------------------------------------------------------------------------- cheats

    def _cheat(self) -> None:
        stage, alice, bob = self._stage, self.alice, self.bob
        agreed = self._agreed(alice)
        bob.cut_power()
        paid = self._register_by_hand(bob, self._old)
        self._note(
            bob,
            f"switches his node off and registers version {self._old.state.version}, "
            f"{format_ether(self._old.state.net - agreed.state.net)} ETH better for him",
        )
        stage.until(
            lambda: (
                (found := alice.channel(self._direct).head.dispute) is not None
                and found.version == agreed.state.version
            ),
            "Alice's answer",
        )
        self._note(alice, f"answers at once with version {agreed.state.version}")
        dispute = alice.channel(self._direct).head.dispute
        assert dispute is not None
        stage.jump(UnixTime(dispute.deadline + 1))
        stage.until(lambda: has_ended(alice, self._direct), "the settlement")
        bob.switch_on()
        stage.until(lambda: has_ended(bob, self._direct), "Bob seeing the end")
        bob.transactions.append(paid())
        self._note(alice, "settles after the deadline: both are paid what was signed last")

    def _register_by_hand(self, cheat: Party, old: SignedState) -> Callable[[], Paid]:
        """A transaction that his own node would never send."""
        stage = self._stage
        endpoint = stage.endpoint()
        call = ms_contract_calls.register(
            stage.deployment.contract.contract,
            self.alice.channel(self._direct).channel,
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

    # --------------------------------------------------------------------------------------- alone

    def _leave_alone(self) -> None:
        stage, alice, bob, ingrid = self._stage, self.alice, self.bob, self.ingrid
        ours, theirs = alice.channel_with(ingrid), bob.channel_with(ingrid)
        lock = Wei(ETHER // 5)
        machine = add_machine(stage, alice, bob, ours, lock, _DAY // 4, virtual=True)
        self._ledger.fee(alice.name, ingrid.name, _BASE_FEE)
        before = ingrid.wallet.count
        count = max(1, self._payments // 10)
        # A total that the gas to submit it would eat is not worth enforcing: nobody would.
        dust = stage.limits.dust
        self._pay(machine, count, "Alice ⇄ Ingrid ⇄ Bob", count, least=dust)
        self._arrived(machine)
        self._hub_signed += ingrid.wallet.count - before
        ingrid.cut_power()
        self._note(ingrid, "is gone, with a virtual channel open over her")
        alice.do(CommandDispute(ours))
        bob.do(CommandDispute(theirs))
        stage.until(
            lambda: (
                alice.channel(ours).head.dispute is not None
                and bob.channel(theirs).head.dispute is not None
                and self._both_submitted(machine)
            ),
            "both registering alone",
        )
        self._note("both", "register their channels and submit what they were paid last")
        deadlines = [alice.books.instances[machine].head.deadline]
        for party, id in ((alice, ours), (bob, theirs)):
            dispute = party.channel(id).head.dispute
            assert dispute is not None
            deadlines.append(dispute.deadline)
        stage.jump(UnixTime(max(deadlines) + 1))
        stage.until(lambda: has_ended(alice, ours) and has_ended(bob, theirs), "both being out")
        self._note("both", "are out with everything, one challenge later, without her")
        ingrid.switch_on()
        stage.until(
            lambda: has_ended(ingrid, ours) and has_ended(ingrid, theirs),
            "Ingrid seeing the end",
        )
        self._claim(ingrid)
        self._note(ingrid, "comes back, finds her share paid out, and claims her credit")

    def _both_submitted(self, machine: MachineId) -> bool:
        on = self.alice.books.instances[machine].head
        totals = self.alice.books.totals[machine]
        return (on.paid_by_alice, on.paid_by_bob) == (totals.sent, totals.received)

    def _claim(self, party: Party) -> None:
        held = [credit for credit in party.books.credits.values() if credit.amount]
        for credit in held:
            party.do(CommandClaim(ETH, credit.amount, party.address))
        self._stage.until(
            lambda: not any(credit.amount for credit in party.books.credits.values()),
            f"{party.name}'s claim",
        )

    # ------------------------------------------------------------------------------------- the end

    def _count(self) -> Result:
        stage, ledger = self._stage, self._ledger
        stage.until(
            lambda: all(party.chain.submitter.idle for party in stage.cast),
            "the last transaction becoming final",
        )
        lines = tuple(
            ledger.line(
                party.name,
                self._before[party.name],
                stage.balance(party.address),
                party.gas_used,
                party.gas_paid,
            )
            for party in stage.cast
        )
        gas, cost = sum(line.gas_used for line in lines), sum(line.gas_cost for line in lines)
        count = sum(ledger.sent_count.values())
        on_chain = count * _PLAIN_TRANSFER
        return Result(
            chain="",
            seed=stage.seed,
            payments=count,
            lines=lines,
            left_in_contract=stage.balance(stage.deployment.contract.contract),
            hub_signatures_during_payments=self._hub_signed,
            gas_used=gas,
            gas_cost=Wei(cost),
            on_chain_gas=on_chain,
            on_chain_cost=Wei(on_chain * cost // max(gas, 1)),
        )
