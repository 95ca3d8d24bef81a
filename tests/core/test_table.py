"""Every cell of the table phase × input: taken up, or refused with a typed error and no change."""

from __future__ import annotations

import itertools
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from msgspec.structs import replace

from perun.core import inputs as i
from perun.core.chain_view import Dispute
from perun.core.faults import NotAllowedNow, PeerNotAllowed
from perun.core.inputs import Received
from perun.core.rules.phases import Phase, phase
from perun.core.state import CloseOffer, Held, Intent, OwnProposal, Purpose, Stage
from perun.core.step import step
from perun.core.table import TABLE
from perun.crypto.hashing import keccak
from perun.encoding import messages as m
from perun.errors import Misuse, PeerFault
from perun.testing.parties import World, key_of
from perun.testing.stories import (
    OPEN_HANDED,
    SECRET,
    add_lock,
    add_machine,
    hub_policy,
    open_channel,
)
from perun.types import (
    Close,
    InstanceId,
    Lock,
    Salt,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

SIG = Signature(b"\x01" * 65)
LOCK = Lock(Wei(1), False, bytes(32), UnixTime(0), Salt(bytes(32)))


class Cell:
    """A channel with a machine and a lock, put into any phase."""

    def __init__(self) -> None:
        self.world = World()
        self.alice = self.world.party("alice", OPEN_HANDED)
        self.bob = self.world.party("bob", OPEN_HANDED)
        self.world.advance()
        self.id = open_channel(self.world, self.alice, self.bob, 1_000, 1_000)
        self.machine = add_machine(self.world, self.alice, self.id, 10, 10)
        self.lock = add_lock(self.world, self.alice, self.id, 5, keccak(SECRET))
        self.books = self.bob.node.books
        self.original = self.books.channels[self.id]

    def enter(self, wanted: Phase) -> None:
        view = replace(self.original)
        now = self.books.chain.head_time
        state = State(self.id, Version(9), Wei(0))
        dispute = Dispute(Version(2), Wei(0), (), UnixTime(now + 100))
        match wanted:
            case Phase.OFFERED:
                view = replace(view, stage=Stage.OFFERED)
            case Phase.INVITED:
                view = replace(view, stage=Stage.INVITED)
            case Phase.PROPOSED:
                proposal = OwnProposal(state, Intent(Purpose.TRANSFER), SIG)
                view = replace(view, proposals=(proposal,), signed=Version(9))
            case Phase.HOLDING:
                view = replace(view, held=Held(state, SIG, Intent(Purpose.TRANSFER)))
            case Phase.CLOSING:
                close = Close(self.id, Wei(0), UnixTime(now + 100))
                view = replace(view, close=CloseOffer(close, SIG))
            case Phase.LEAVING:
                view = replace(view, leaving=True)
            case Phase.DISPUTED:
                view = replace(view, head=replace(view.head, dispute=dispute))
            case Phase.DECIDED:
                over = replace(dispute, deadline=UnixTime(now - 1))
                view = replace(view, head=replace(view.head, dispute=over))
            case Phase.SETTLING:
                rest = replace(dispute, settling=True)
                view = replace(view, head=replace(view.head, dispute=rest))
            case Phase.ENDED:
                view = replace(view, head=replace(view.head, ended=True))
        self.books.channels[self.id] = view
        assert phase(view, self.books.chain) is wanted

    def input(self, kind: type) -> i.Input:
        id, now = self.id, self.books.chain.head_time
        far, random = UnixTime(now + 5_000), Salt(b"\x09" * 32)
        state = State(id, Version(10), Wei(0))
        made: dict[type, object] = {
            i.CommandJoin: i.CommandJoin(id, True),
            i.CommandFund: i.CommandFund(id, Wei(5)),
            i.CommandTransfer: i.CommandTransfer(id, Wei(5)),
            i.CommandAnswer: i.CommandAnswer(id, Version(9), True),
            i.CommandAddMachine: i.CommandAddMachine(id, Wei(5), Wei(5), far, Seconds(600), random),
            i.CommandReplace: i.CommandReplace(
                self.machine, Wei(5), Wei(5), far, Seconds(600), random
            ),
            i.CommandRemove: i.CommandRemove(self.machine),
            i.CommandClose: i.CommandClose(id),
            i.CommandWithdraw: i.CommandWithdraw(id, Wei(5)),
            i.CommandDispute: i.CommandDispute(id),
            i.ChainChannel: i.ChainChannel(id, self.original.head, self.original.final),
            m.Propose: m.Propose(state, SIG, 0),
            m.AnswerState: m.AnswerState(id, Version(9), SIG),
            m.ShowState: m.ShowState(state, SIG, SIG),
            m.AcceptChannel: m.AcceptChannel(id, SIG, False),
            m.RefuseChannel: m.RefuseChannel(id, "no"),
            m.OfferClose: m.OfferClose(Close(id, Wei(0), far), SIG),
            m.AnswerClose: m.AnswerClose(id, SIG),
            m.OfferWithdraw: m.OfferWithdraw(Withdraw(id, 0, Wei(1), Wei(1), far), SIG),
            m.AnswerWithdraw: m.AnswerWithdraw(id, 0, SIG),
            m.RequestInstance: m.RequestInstance(id, LOCK, True),
            m.GrantInstance: m.GrantInstance(id, InstanceId(self.machine), Wei(0), far),
        }
        value = made.get(kind) or self.of_a_kind(kind)
        if isinstance(value, i.ChainChannel | i.Command):
            return value  # type: ignore[return-value]
        return Received(self.alice.peer, value)  # type: ignore[arg-type]

    def of_a_kind(self, command: type) -> i.Command:
        """A command of some kind of nanocontract: about this channel, or the lock in it."""
        named: dict[str, object] = {"channel": self.id, "instance": self.lock, "end": b""}
        hints = {name: hint for name, hint in get_type_hints(command).items() if name[0] != "_"}
        return command(*(named.get(name, _any_value(hint)) for name, hint in hints.items()))  # type: ignore[no-any-return]


def _any_value(hint: Any) -> object:
    """Something of that type, unless a command has a reason to look closer."""
    if get_origin(hint) is tuple:
        return ()
    plain = hint
    while not isinstance(plain, type):
        plain = plain.__supertype__
    return 5 if plain is int else plain(bytes(32))


@pytest.fixture(scope="module")
def cell() -> Cell:
    return Cell()


KINDS = [kind for kind, row in TABLE.items() if row.channel or kind is i.ChainChannel]
CELLS = list(itertools.product(KINDS, Phase))


@pytest.mark.parametrize(
    ("kind", "wanted"), CELLS, ids=[f"{kind.__name__}-{p.value}" for kind, p in CELLS]
)
def test_cell(cell: Cell, kind: type, wanted: Phase) -> None:
    cell.enter(wanted)
    before = (dict(cell.books.channels), dict(cell.books.instances), dict(cell.books.totals))
    error: Exception | None = None
    try:
        step(cell.books, cell.input(kind))
    except (Misuse, PeerFault) as refusal:
        error = refusal

    refused_by_phase = isinstance(error, NotAllowedNow | PeerNotAllowed) and (
        f"the channel is {wanted.value}" in str(error)
    )
    assert refused_by_phase is (wanted not in TABLE[kind].phases)
    after = (dict(cell.books.channels), dict(cell.books.instances), dict(cell.books.totals))
    assert after == before


class VirtualCell(Cell):
    """A machine over a hub, and Alice's channel with the hub put into any phase."""

    def __init__(self) -> None:
        self.world = World()
        self.alice = self.world.party("alice", OPEN_HANDED)
        bob, hub = self.world.party("bob", OPEN_HANDED), self.world.party("ingrid", hub_policy())
        self.world.advance()
        self.id = open_channel(self.world, self.alice, hub, 1_000, 1_000)
        open_channel(self.world, bob, hub, 1_000, 1_000)
        self.machine = add_machine(self.world, self.alice, self.id, 10, 10, bob)
        self.books = self.alice.node.books
        self.original = self.books.channels[self.id]


@pytest.mark.parametrize("wanted", Phase, ids=lambda phase: phase.value)
@pytest.mark.parametrize("kind", [i.CommandReplace, i.CommandRemove], ids=lambda k: k.__name__)
def test_cell_of_a_virtual_machine(kind: type, wanted: Phase) -> None:
    cell = VirtualCell()
    cell.enter(wanted)
    random, far = Salt(b"\x09" * 32), UnixTime(cell.books.chain.head_time + 5_000)
    replacing = i.CommandReplace(cell.machine, Wei(5), Wei(5), far, Seconds(600), random)
    command = replacing if kind is i.CommandReplace else i.CommandRemove(cell.machine)
    refused = ""
    try:
        step(cell.books, command)
    except NotAllowedNow as refusal:
        refused = str(refusal)
    assert (f"the channel is {wanted.value}" in refused) is (wanted not in TABLE[kind].phases)


def test_stranger_is_refused_in_every_cell(cell: Cell) -> None:
    stranger = b"\x02" + key_of("mallory").public_key.data[:32]
    for kind in KINDS:
        received = cell.input(kind)
        if isinstance(received, Received):
            with pytest.raises(PeerFault):
                step(cell.books, replace(received, sender=stranger))


def test_every_input_and_message_has_a_row() -> None:
    """A new one is a line in the table; payments and what is signed are looked up before it."""
    inputs = {*get_args(i.Input), *commands(i.Command)} - {i.Command, Received, i.Signed}
    inputs -= {i.CommandPay}
    messages = set(get_args(m.Message)) - {m.Pay, m.Paid, m.NotPaid}
    assert TABLE.keys() == (inputs | messages) - NOT_OF_THE_CORE


def commands(kind: type) -> set[type]:
    """All that there are: some stand with their kind of nanocontract."""
    return set(kind.__subclasses__())


NOT_OF_THE_CORE = {m.Over, m.Note, m.Noted}
"""The runtime's, and the program's above."""
