"""Beginnings of stories: funded channels, machines, virtual channels."""

from __future__ import annotations

from perun.core.books import Books
from perun.core.config import HubPolicy, Policy
from perun.core.inputs import (
    CommandAddMachine,
    CommandConsent,
    CommandOffer,
)
from perun.core.nanocontracts.coin_flip import (
    CommandFlip,
)
from perun.core.nanocontracts.escrow import (
    CommandDeal,
)
from perun.core.nanocontracts.hash_chain import CommandStream
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
)
from perun.core.nanocontracts.price_bet import CommandBet
from perun.core.nanocontracts.rock_paper_scissors import CommandThrow, with_hand
from perun.core.nanocontracts.turn_game import (
    CommandGame,
)
from perun.core.state import InstanceView, Invitation
from perun.testing.parties import Party, World
from perun.testing.rules import TIC_TAC_TOE
from perun.types import (
    ETH,
    MAX_AMOUNT,
    Address,
    Asset,
    ChannelId,
    InstanceId,
    Lock,
    MachineId,
    Preimage,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = [
    "GAMBLER",
    "OPEN_HANDED",
    "add_lock",
    "add_machine",
    "consent",
    "flip_coin",
    "throw_hand",
    "open_stream",
    "propose_bet",
    "propose_deal",
    "hub_policy",
    "invite_to_game",
    "leave_invitation_open",
    "machine_command",
    "open_channel",
]

OPEN_HANDED = Policy(greatest_deposit=MAX_AMOUNT, greatest_fee=Wei(10**6))
"""Joins and deposits without asking."""


def hub_policy(**more: object) -> Policy:
    """A hub that charges nothing unless told."""
    return Policy(
        greatest_deposit=MAX_AMOUNT,
        hub=HubPolicy(greatest_draw=Wei(10**30), **more),  # type: ignore[arg-type]
    )


def open_channel(
    world: World, alice: Party, bob: Party, own: int, peer: int, asset: Asset = ETH
) -> ChannelId:
    """A channel with both deposits final; `alice` is its Alice."""
    before = set(alice.node.books.channels)
    alice.do(
        CommandOffer(
            bob.peer, bob.account.address, asset, Seconds(600), alice.nonce(), Wei(own), Wei(peer)
        )
    )
    world.settle()
    (id,) = set(alice.node.books.channels) - before
    for _ in range(20):
        final = alice.node.books.channels[id].final
        if (final.alice, final.bob) == (own, peer):
            return id
        world.advance()
    raise AssertionError("the deposits never became final")


def leave_invitation_open(books: Books, channel: ChannelId) -> None:
    """A node has invited somebody over its hub, who has not answered: so it does not sign its half
    of what others invite it to before the hub has granted. Until the next block."""
    via = books.channels[channel].peer
    terms = Lock(Wei(1), False, bytes(32), UnixTime(0), Salt(bytes(32)))
    books.load(Invitation(Salt(bytes(channel)), channel, terms, b"nobody", via))


def machine_command(
    alice: Party,
    channel: ChannelId,
    own: int,
    peer: int,
    end: Party | None = None,
    life: int = 10_000,
) -> CommandAddMachine:
    """What adds a machine; `alice` is its Alice."""
    return CommandAddMachine(
        channel,
        Wei(own),
        Wei(peer),
        UnixTime(alice.ledger.time + life),
        Seconds(600),
        alice.random(),
        end.peer if end else b"",
    )


def add_machine(
    world: World,
    alice: Party,
    channel: ChannelId,
    own: int,
    peer: int,
    end: Party | None = None,
    life: int = 10_000,
) -> MachineId:
    """A machine that is listed, and for a virtual channel ready; `alice` is its Alice."""
    before = set(alice.node.books.instances)
    alice.do(machine_command(alice, channel, own, peer, end, life))
    world.settle()
    (id,) = set(alice.node.books.instances) - before
    return MachineId(id)


def add_lock(
    world: World,
    payer: Party,
    channel: ChannelId,
    amount: int,
    hash: bytes,
    end: Party | None = None,
    life: int = 5_000,
) -> InstanceId:
    """A hash time lock that `payer` pays, listed."""
    before = set(payer.node.books.instances)
    payer.do(
        CommandLock(
            channel,
            Wei(amount),
            hash,
            UnixTime(world.ledger.time + life),
            payer.random(),
            end.peer if end else b"",
        )
    )
    world.settle()
    (id,) = set(payer.node.books.instances) - before
    return id


GAMBLER = Policy(greatest_deposit=Wei(10**30), greatest_fee=Wei(10**6), greatest_loss=Wei(10**30))
"""Lets others invite it to flips, at odds that are not against it."""


def flip_coin(
    world: World,
    alice: Party,
    channel: ChannelId,
    own: int,
    peer: int,
    odds: int = 2**15,
    end: Party | None = None,
    life: int = 10_000,
) -> None:
    """`alice` invites to a coin flip; nothing is waited for."""
    alice.do(
        CommandFlip(
            channel,
            Wei(own),
            Wei(peer),
            odds,
            UnixTime(world.ledger.time + life),
            Seconds(600),
            alice.random(),
            Preimage(alice.random()),
            end.peer if end else b"",
        )
    )


def throw_hand(
    world: World,
    alice: Party,
    channel: ChannelId,
    own: int,
    peer: int,
    hand: int,
    end: Party | None = None,
    life: int = 10_000,
) -> None:
    """`alice` invites to rock, paper, scissors; whoever is invited answers by `consent`."""
    alice.do(
        CommandThrow(
            channel,
            Wei(own),
            Wei(peer),
            UnixTime(world.ledger.time + life),
            Seconds(600),
            alice.random(),
            with_hand(alice.random(), hand),
            end.peer if end else b"",
        )
    )


def invite_to_game(
    world: World,
    alice: Party,
    channel: ChannelId,
    own: int,
    peer: int,
    end: Party | None = None,
    life: int = 10_000,
    setup: int = 0,
    bank: int = 600,
) -> None:
    """`alice` invites to tic-tac-toe; nothing is waited for. Setup 0: she begins."""
    alice.do(
        CommandGame(
            channel,
            TIC_TAC_TOE,
            setup.to_bytes(32, "big"),
            Wei(own),
            Wei(peer),
            UnixTime(world.ledger.time + life),
            Seconds(600),
            Seconds(bank),
            Seconds(bank),
            alice.random(),
            end.peer if end else b"",
        )
    )


def propose_deal(
    world: World,
    alice: Party,
    channel: ChannelId,
    arbiter: Address,
    own: int,
    peer: int,
    end: Party | None = None,
    life: int = 10_000,
    late: tuple[int, int] = (0, 0),
) -> None:
    """`alice` invites to a deal in escrow; nothing is waited for. Late: what moves, and when."""
    alice.do(
        CommandDeal(
            channel,
            arbiter,
            Wei(own),
            Wei(peer),
            Wei(late[0]),
            UnixTime(world.ledger.time + late[1]),
            UnixTime(world.ledger.time + life),
            Seconds(600),
            alice.random(),
            end.peer if end else b"",
        )
    )


def open_stream(
    world: World,
    alice: Party,
    channel: ChannelId,
    lock: int,
    tick: int,
    end: Party | None = None,
    life: int = 10_000,
) -> None:
    """`alice` invites to a stream in which she pays; nothing is waited for."""
    until = UnixTime(world.ledger.time + life)
    behind = end.peer if end else b""
    alice.do(
        CommandStream(channel, Wei(lock), Wei(tick), until, Seconds(600), alice.random(), behind)
    )


def propose_bet(
    world: World,
    alice: Party,
    channel: ChannelId,
    oracle: Address,
    own: int,
    peer: int,
    end: Party | None = None,
    life: int = 10_000,
    wait: int = 100,
) -> None:
    """`alice` invites to a bet: 1 moves to the other for each 10 above 2,000."""
    now = world.ledger.time
    alice.do(
        CommandBet(
            channel,
            oracle,
            b"ETH in USD".ljust(32, b"\0"),
            UnixTime(now + wait),
            Wei(2_000),
            Wei(1),
            Wei(10),
            Wei(own),
            Wei(peer),
            UnixTime(now + life),
            Seconds(600),
            alice.random(),
            end.peer if end else b"",
        )
    )


def consent(party: Party, accept: bool = True, word: bytes = b"") -> None:
    """The user of `party` answers the only invitation that waits."""
    (held,) = [one for one in party.node.books.invitations.values() if one.theirs]
    party.do(CommandConsent(held.id, accept, word=word))


def instance(party: Party, id: InstanceId) -> InstanceView:
    """What a party knows of an instance."""
    return party.node.books.instances[id]


SECRET = Preimage(b"\x07" * 32)
"""A secret that is not."""
