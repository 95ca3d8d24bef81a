"""One of the three: a node on the scripted chain, whose power fails and who may be watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perun.app.app import App
from perun.chain.service import ChainService
from perun.core.config import Policy
from perun.core.effects import Sign
from perun.core.inputs import (
    Command,
    CommandAddMachine,
    CommandClose,
    CommandPay,
    CommandReplace,
    CommandTransfer,
    Signed,
)
from perun.core.nanocontracts.escrow import CommandDeal
from perun.core.nanocontracts.hash_chain import CommandStream
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
)
from perun.core.nanocontracts.price_bet import CommandBet
from perun.core.nanocontracts.rock_paper_scissors import CommandThrow
from perun.core.nanocontracts.turn_game import (
    CommandGame,
)
from perun.core.notices import Notice
from perun.core.signing import digest
from perun.core.state import ChannelView, InstanceView, PeerId
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.errors import BrokenInvariant, ChainFault, Misuse, PeerFault, StoreFault
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for, peer_id
from perun.store.memory import MemoryStore
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.parties import key_of
from perun.testing.pool import ScriptedAccount
from perun.types import ChannelId, Nonce, Salt, Signature
from tests.games.simulation.disk import JournalDisk, Power
from tests.games.simulation.violated import Violated
from tests.games.simulation.witness import GREATEST_FEE, Witness

if TYPE_CHECKING:
    from tests.games.simulation.theatre import Theatre

_MOST_TURNS = 200

_INVITES = (
    CommandAddMachine,
    CommandGame,
    CommandThrow,
    CommandDeal,
    CommandBet,
    CommandStream,
)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a store, of one moment."""

    store: MemoryStore
    channels: frozenset[ChannelId]
    earned: int
    """What its user had earned by then and no peer can keep back."""


class _Wire:
    """Shows what leaves to the witness, then hands it to the network."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        network = actor.world.network
        self._wire = network.join(actor.peer, actor.node.receive, actor.node.meet)

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """See `perun.ports.Wire`."""
        actor = self._actor
        for frame in frames:
            if actor.witness is not None:
                actor.witness.left(frame)
        self._wire.send(peer, frames, via)


class Actor:
    """A party: keys, disk, node and way to the chain. `witness` is None for a crook."""

    def __init__(self, name: str, world: Theatre, policy: Policy, *, honest: bool) -> None:
        self.name, self.world, self.policy, self.honest = name, world, policy, honest
        self.key, self.account = key_of(name), key_of(name + "'s account")
        self.peer = peer_id(self.key.public_key)
        self.power = Power()
        self.store, self.journal = world.disks(self.power), JournalDisk(self.power)
        self.endpoint = ScriptedEndpoint(world.chain)
        self.witness = Witness(self) if honest else None
        self.notices: list[Notice] = []
        self.faults: list[Exception] = []
        self.listeners: list[Callable[[Notice], None]] = []
        self.asked: list[Sign] | None = None
        """What a slow signer has not answered yet; None: it is quick."""
        self.lives = 0
        self.app: App | None = None
        """The program above, where the whole of a node is played."""
        self.backup: Backup | None = None
        self.copied_at: int | None = None
        """When an old copy took its store's place."""
        self._count = 0
        self.start()

    # --------------------------------------------------------------------------------------- life

    def start(self) -> None:
        """(Re)starts on whatever the disks hold."""
        self.lives += 1
        self.power.restore()
        if self.lives > 1:
            self.store.reopen()
        if self.asked is not None:
            self.asked = []  # the node asks again for what it still wants
        world = self.world
        config = config_for(
            world.deployment,
            self.key.public_key,
            keccak(b"seed of " + self.name.encode()),
            self.account.address,
            self.policy,
            world.limits,
        )
        self.chain = ChainService(
            self.endpoint,
            world.deployment,
            ScriptedAccount(self.account.address),
            lambda inputs: self.node.post(inputs),
            limits=world.limits,
            journal=self.journal,
        )
        self.app = None if world.lines is None else App(world.app_settings, self.random)
        self.node = Node(
            open_books(config, self.store, self.app, world.rules),
            self.store,
            self,
            self.chain,
            world,
            self._told,
            lambda _, error: self.faults.append(error),
            self.app,
        )
        if self.witness is not None:
            self.witness.forget_unwritten()
        self.node.start()
        self.node.connect(_Wire(self))
        if self.lives > 1:
            self.look()

    def restart(self) -> None:
        """Its process is killed and started again."""
        self.world.network.leave(self.peer)
        self.world.seen["restarts"] += 1
        self.start()

    def back_up(self) -> None:
        """Copies its store, as a backup does."""
        earned = 0 if self.witness is None else self.witness.safe
        self.backup = Backup(self.store.copy(), frozenset(self.node.books.channels), earned)

    def put_back(self, *, marked: bool) -> bool:
        """Its store is lost, and its backup takes the place; False: it would not know of a channel.

        Args:
            marked: as `perun restore` does it. Else somebody has put back the disk behind its back.
        """
        backup = self.backup
        if backup is None or self.copied_at is not None:
            return False
        if backup.channels != frozenset(self.node.books.channels):
            return False
        self.copied_at = self.world.clock
        self.store = self.store.put_back(backup.store, marked=marked)
        self.journal = JournalDisk(self.power)
        if self.witness is not None:
            self.witness.copied, self.witness.heard_all = True, False
            self.witness.safe_at_backup = backup.earned
            if not marked:
                self.witness.forget_offers()
        self.restart()
        return True

    def sign(self, wish: Sign) -> tuple[Signature, ...] | None:
        """See `perun.ports.Signer`: what is asked counts as signed, so the witness looks now."""
        if self.witness is not None:
            self.witness.about_to_sign(wish)
        if self.asked is not None:
            self.asked.append(wish)
            return None
        return self._signatures(wish)

    def wake_signer(self) -> None:
        """The device or its user has come back: everything that was asked is signed."""
        asked, self.asked = self.asked or [], None
        self.node.post([Signed(wish, self._signatures(wish)) for wish in asked])
        self.turn()

    def _signatures(self, wish: Sign) -> tuple[Signature, ...]:
        keys = {self.key.address: self.key, self.account.address: self.account}
        return tuple(
            sign(digest(self.world.deployment, item.message), keys[item.key]) for item in wish.items
        )

    def _told(self, notice: Notice) -> None:
        self.notices.append(notice)
        if self.witness is not None:
            self.witness.told(notice)
        for listener in self.listeners:
            listener(notice)

    # --------------------------------------------------------------------------------------- doing

    def turn(self) -> None:
        """Works until nothing is left to do; a power cut on the way restarts it."""
        try:
            for _ in range(_MOST_TURNS):
                if self.witness is not None and self.node.busy:
                    self.witness.before_turn()
                if not self.node.turn() and not self.node.busy:
                    return
        except StoreFault:
            self.world.seen["power cuts"] += 1
            if self.witness is not None:
                self.witness.heard_all = False
            self.restart()
            self.turn()
            return
        except (Violated, BrokenInvariant, AssertionError, KeyError) as error:
            # A crook's own node may meet what it never signed; an honest one never.
            if self.honest:
                raise
            self.faults.append(error)
            return
        raise Violated("the node never comes to rest", name=self.name)

    def look(self) -> None:
        """Looks at the chain, works, and sends what follows."""
        for _ in range(2):
            try:
                self.chain.poll()
            except ChainFault:
                self.world.seen["rounds cut off from the chain"] += 1
            except StoreFault:
                self.world.seen["power cuts"] += 1
                self.restart()
            self.turn()

    def do(self, command: Command) -> bool:
        """A command of its user; whether the node took it."""
        before, lives, cost = len(self.faults), self.lives, _cost(command)
        if self.witness is not None:
            # Counted first: if the power fails in the middle nobody knows whether it was done.
            self.witness.ordered += cost
            if isinstance(command, CommandClose):
                self.witness.told_to_close.add(command.channel)
            if isinstance(command, CommandLock):
                self.witness.locked[command.hash] = command.amount
        self.node.post((command,))
        self.turn()
        refused = any(isinstance(error, Misuse) for error in self.faults[before:])
        if self.witness is not None:
            if refused and self.lives == lives:
                self.witness.ordered -= cost
            elif isinstance(command, CommandPay):
                self.witness.paid_by_hand += command.amount
        self.world.seen[f"{'refused' if refused else 'did'} {type(command).__name__}"] += 1
        return not refused

    def random(self) -> Salt:
        """32 bytes that nobody used before; the same in every run of the same game."""
        self._count += 1
        return Salt(keccak(f"{self.name} {self._count}".encode()))

    def nonce(self) -> Nonce:
        """A nonce that nobody used before."""
        return Nonce(int.from_bytes(self.random()[:8], "big"))

    # --------------------------------------------------------------------------------------- views

    def channels(self) -> list[ChannelView]:
        """All its channels, in an order that does not depend on their ids."""
        return list(self.node.books.channels.values())

    def instances(self) -> list[InstanceView]:
        """All instances it takes part in, oldest first."""
        return list(self.node.books.instances.values())

    def live(self) -> list[ChannelView]:
        """Those that have not ended."""
        return [view for view in self.channels() if not view.final.ended]

    def heard_ready(self, id: bytes) -> bool:
        """Whether the other end's signed `Ready` is on its disk or in its memory."""
        instance = self.node.books.instances.get(id)  # type: ignore[call-overload]
        return instance is not None and bool(instance.ready)

    def peer_faults(self) -> list[PeerFault]:
        """What others got wrong, as its node saw it."""
        return [error for error in self.faults if isinstance(error, PeerFault)]


def _cost(command: Command) -> int:
    """What a user gives away by a command, at most. Payments count when they are signed, locks when
    somebody has shown the secret."""
    if isinstance(command, CommandTransfer):
        return command.amount
    if isinstance(command, CommandLock):
        return GREATEST_FEE if command.end else 0
    if isinstance(command, _INVITES):
        return GREATEST_FEE if command.end else 0
    if isinstance(command, CommandReplace):
        return GREATEST_FEE
    return 0
