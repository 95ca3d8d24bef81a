"""Signatures of a batch, checked and made side by side: the answers are those of one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from perun.core.effects import Sign
from perun.core.inputs import CommandPay, CommandRemove, CommandTransfer
from perun.core.state import Totals
from perun.encoding.messages import Pay, decode, encode
from perun.errors import BadSignature
from perun.store.memory import MemoryStore
from perun.testing.network import Letter
from perun.testing.parties import DEPLOYMENT, MemorySigner, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, open_channel
from perun.types import ChannelId, MachineId, Signature, Wei
from perun.wallet.local import LocalWallet

MANY = 12


class Town:
    """Alice and Bob with many channels, a machine in each, that have been paid in once."""

    def __init__(self) -> None:
        self.world = World()
        self.alice = self.world.party("alice", OPEN_HANDED)
        self.bob = self.world.party("bob", OPEN_HANDED)
        self.channels: list[ChannelId] = []
        self.machines: list[MachineId] = []
        for _ in range(MANY):
            channel = open_channel(self.world, self.alice, self.bob, 1_000, 1_000)
            self.channels.append(channel)
            self.machines.append(add_machine(self.world, self.alice, channel, 300, 300))
        self.pay()

    def pay(self) -> None:
        """One wei in each machine, at once."""
        self.alice.node.post([CommandPay(machine, Wei(1)) for machine in self.machines])
        self.world.settle()

    def received(self, party: Party) -> list[int]:
        """What has come in, by machine."""
        return [party.node.books.totals[machine].received for machine in self.machines]


@pytest.fixture
def town() -> Town:
    return Town()


class BatchOnly(LocalWallet):
    """A wallet that is asked for batches only, and counts them."""

    batches: Sequence[int] = ()

    def sign(self, sign: Sign) -> tuple[Signature, ...]:
        raise AssertionError("asked one by one")

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        self.batches = (*self.batches, len(signs))
        return super().sign_all(signs)


def record_payments(party: Party) -> list[Totals]:
    """Rows of payments that it stores from now on, in order."""
    written: list[Totals] = []
    store = party.store
    assert isinstance(store, MemoryStore)
    write = store.write
    party.node._store.write = lambda rows, drops=(): (  # type: ignore[method-assign]
        written.extend(row for row in rows if isinstance(row, Totals)),  # type: ignore[func-returns-value]
        write(rows, drops),
    )[1]
    return written


def test_a_forged_statement_in_a_batch_is_refused_and_the_others_count(town: Town) -> None:
    def forge(letter: Letter) -> list[Letter]:
        message = decode(letter[2])
        if isinstance(message, Pay) and message.machine == town.machines[3]:
            changed = bytes([message.signature[0] ^ 1]) + message.signature[1:]
            message = Pay(message.machine, message.paid, Signature(changed))
        return [(letter[0], letter[1], encode(message))]

    town.world.network.rule = forge
    town.pay()
    assert town.received(town.bob) == [1 if place == 3 else 2 for place in range(MANY)]
    assert [type(error) for _, error in town.bob.faults] == [BadSignature]


def test_the_same_statement_is_checked_again_each_time(town: Town) -> None:
    """What was found good once says nothing of a copy under another machine or total."""
    letters: list[Pay] = []

    def keep(letter: Letter) -> list[Letter]:
        message = decode(letter[2])
        if isinstance(message, Pay):
            letters.append(message)
            return []
        return [letter]

    town.world.network.rule = keep
    town.pay()
    town.world.network.rule = None
    for message in letters:
        raised = Pay(message.machine, Wei(message.paid + 1), message.signature)
        for one in (message, raised):
            town.world.network.inject(town.alice.peer, town.bob.peer, one)
    town.world.settle()
    assert town.received(town.bob) == [2] * MANY
    assert [type(error) for _, error in town.bob.faults] == [BadSignature] * MANY


def test_a_batch_of_payments_is_signed_at_once_and_each_has_its_record(town: Town) -> None:
    wallet = BatchOnly(DEPLOYMENT, [town.alice.key])
    town.alice.node._batch_signer = wallet
    written = record_payments(town.alice)
    town.pay()
    assert wallet.batches == (MANY,)
    assert [row.machine for row in written] == town.machines
    assert all(row.sent == row.asked == 2 for row in written)
    assert town.received(town.bob) == [2] * MANY


def test_payments_in_one_machine_are_signed_at_once_and_each_has_its_record(town: Town) -> None:
    wallet = BatchOnly(DEPLOYMENT, [town.alice.key])
    town.alice.node._batch_signer = wallet
    written = record_payments(town.alice)
    town.alice.node.post([CommandPay(town.machines[0], Wei(1))] * 5)
    town.world.settle()
    assert wallet.batches == (5,)
    assert len(written) == 5
    assert (written[-1].sent, written[-1].asked) == (6, 6)
    assert town.received(town.bob)[0] == 6


def test_a_removal_waits_for_the_payments_that_were_asked_for_before(town: Town) -> None:
    wallet = BatchOnly(DEPLOYMENT, [town.alice.key])
    town.alice.node._batch_signer = wallet
    machine = town.machines[0]
    town.alice.node.post([CommandPay(machine, Wei(1)), CommandRemove(machine)])
    town.world.settle()
    assert wallet.batches[:2] == (1, 1)
    assert town.received(town.bob)[0] == 2


def test_transfers_in_many_channels_are_signed_and_answered_at_once(town: Town) -> None:
    wallets = [BatchOnly(DEPLOYMENT, [party.key]) for party in (town.alice, town.bob)]
    for party, wallet in zip((town.alice, town.bob), wallets, strict=True):
        party.node._batch_signer = wallet
    town.alice.node.post([CommandTransfer(channel, Wei(5)) for channel in town.channels])
    town.world.settle()
    assert [wallet.batches for wallet in wallets] == [(MANY,), (MANY,)]
    for channel in town.channels:
        full = town.bob.node.books.channels[channel].agreed
        assert full is not None
        assert full.state.net == 5


def test_a_slow_signer_is_asked_as_before(town: Town) -> None:
    signer = town.alice.signer
    assert isinstance(signer, MemorySigner)
    signer.slow = []
    town.pay()
    assert len(signer.slow) == MANY
    assert town.received(town.bob) == [1] * MANY
