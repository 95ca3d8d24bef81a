"""What the three users tell their nodes, and what they then have the right to expect."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.indexes import holds_ours
from perun.core.inputs import (
    CommandAddMachine,
    CommandAnswer,
    CommandClose,
    CommandDispute,
    CommandFund,
    CommandOffer,
    CommandPay,
    CommandRemove,
    CommandReplace,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.nanocontracts.coin_flip import (
    CommandFlip,
)
from perun.core.nanocontracts.hash_chain import CommandSettle
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
    CommandReveal,
)
from perun.core.state import ChannelView, InstanceView, LegStatus, Role, Stage
from perun.crypto.hashing import keccak
from perun.testing.stories import hub_policy
from perun.types import ETH, Lock, Machine, MachineId, Preimage, Seconds, Stream, UnixTime, Wei
from tests.games.simulation.actor import Actor
from tests.games.simulation.theatre import Theatre
from tests.games.simulation.violated import Violated

_MOST_CHANNELS = 5
_MOST_ROUNDS = 400
_STAKES = ((60, 60, 2**15), (100, 20, 2**14), (30, 90, 50_000))
"""What who invites, and who is invited, may lose; in how many of 65,536 cases the first does."""


class Users:
    """Three users; every method draws its choices from numbers and says whether it did anything."""

    def __init__(self, world: Theatre) -> None:
        self.world = world
        self.secrets: dict[bytes, Preimage] = {}
        """Preimages by hash, known to a lock's receiver from the start."""
        self.started_leaving = 0

    def _actor(self, number: int) -> Actor:
        return self.world.actors[number % 3]

    def channel(self, actor: Actor, number: int) -> ChannelView | None:
        """One of an actor's that is agreed on, and has not ended."""
        live = [view for view in actor.live() if view.stage is Stage.JOINED]
        return live[number % len(live)] if live else None

    def _instance(self, actor: Actor, number: int, kind: type = object) -> InstanceView | None:
        found = [
            instance
            for instance in actor.node.books.instances.values()
            if instance.role is not None
            and instance.legs[0].status in (LegStatus.LISTED, LegStatus.REMOVING)
            and isinstance(instance.terms, kind)
        ]
        return found[number % len(found)] if found else None

    # -------------------------------------------------------------------------------------- money

    def transfer(self, who: int, which: int, amount: int, _: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        if view is None:
            return False
        return actor.do(CommandTransfer(view.id, Wei(1 + amount % 300)))

    def pay(self, who: int, which: int, amount: int, times: int) -> bool:
        actor = self._actor(who)
        instance = self._instance(actor, which, Machine)
        if instance is None:
            return False
        return any(
            actor.do(CommandPay(MachineId(instance.id), Wei(1 + amount % 60)))
            for _ in range(1 + times % 3)
        )

    def answer(self, who: int, which: int, *_: int) -> bool:
        actor = self._actor(who)
        for view in actor.live():
            if view.held is not None and not view.held.answering:
                command = CommandAnswer(view.id, view.held.state.version, False, "no, thank you")
                return actor.do(command)
        return False

    def withdraw(self, who: int, which: int, own: int, peer: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        if view is None:
            return False
        return actor.do(CommandWithdraw(view.id, Wei(own % 400), Wei(peer % 100)))

    def fund(self, who: int, which: int, amount: int, _: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        return view is not None and actor.do(CommandFund(view.id, Wei(1 + amount % 500)))

    # ---------------------------------------------------------------------------------- instances

    def end(self, actor: Actor, view: ChannelView, virtual: bool) -> Actor | None:
        """The far end of a virtual channel over the hub; None for one in the channel itself."""
        hub = self.world.actor("ingrid")
        if not virtual or view.peer != hub.peer or actor is hub:
            return None
        return self.world.actor("bob" if actor.name == "alice" else "alice")

    def machine(self, who: int, which: int, locks: int, life: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        if view is None:
            return False
        end = self.end(actor, view, locks % 4 != 0)
        own, peer = ((200, 100), (150, 0), (0, 120), (80, 90))[locks // 4 % 4]
        command = CommandAddMachine(
            view.id,
            Wei(own),
            Wei(peer),
            UnixTime(self.world.chain.now + 700 + life % 1_500),
            Seconds(900),
            actor.random(),
            end.peer if end else b"",
        )
        return actor.do(command)

    def price(self, fee: int, *_: int) -> bool:
        """The hub charges a fee, or none: then who pays none opens at once."""
        hub = self.world.actor("ingrid")
        hub.policy = replace(hub.policy, hub=hub_policy(base_fee=Wei(fee % 2)).hub)
        hub.node.books.config = replace(hub.node.books.config, policy=hub.policy)
        return True

    def resize(self, who: int, which: int, locks: int, life: int) -> bool:
        actor = self._actor(who)
        instance = self._instance(actor, which, Machine)
        if instance is None:
            return False
        return actor.do(
            CommandReplace(
                MachineId(instance.id),
                Wei(50 + locks % 200),
                Wei(locks % 70),
                UnixTime(self.world.chain.now + 700 + life % 1_500),
                Seconds(900),
                actor.random(),
            )
        )

    def lock(self, who: int, which: int, amount: int, virtual: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        if view is None:
            return False
        end = self.end(actor, view, virtual % 2 == 0)
        preimage = Preimage(actor.random())
        self.secrets[keccak(preimage)] = preimage
        command = CommandLock(
            view.id,
            Wei(1 + amount % 150),
            keccak(preimage),
            UnixTime(self.world.chain.now + 800 + amount % 900),
            actor.random(),
            end.peer if end else b"",
        )
        return actor.do(command)

    def flip(self, who: int, which: int, stakes: int, virtual: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        if view is None:
            return False
        end = self.end(actor, view, virtual % 2 == 0)
        own, peer, odds = _STAKES[stakes % len(_STAKES)]
        command = CommandFlip(
            view.id,
            Wei(own),
            Wei(peer),
            odds,
            UnixTime(self.world.chain.now + 700 + stakes % 900),
            Seconds(900),
            actor.random(),
            Preimage(actor.random()),
            end.peer if end else b"",
        )
        return actor.do(command)

    def reveal(self, who: int, which: int, *_: int) -> bool:
        actor = self._actor(who)
        instance = self._instance(actor, which, Lock)
        lock = None if instance is None else instance.lock
        if instance is None or lock is None:
            return False
        receiver = Role.ALICE if lock.bob_pays else Role.BOB
        if instance.role is not receiver or instance.preimage is not None:
            return False
        time = max(self.world.clock, self.world.chain.now)
        counts = (
            instance.legs[0].status is LegStatus.LISTED
            and time + self.world.limits.freshness <= lock.deadline - self.world.limits.margin
        )
        if not counts:
            return False  # Too late to be sure of it: a careful user keeps the secret.
        lives = actor.lives
        self.world.shown_secrets.add(lock.hash)
        done = actor.do(CommandReveal(instance.id, self.secrets[lock.hash]))
        if done and actor.lives == lives and actor.witness is not None:
            actor.witness.revealed[instance.id] = lock.amount
        return done

    def remove(self, who: int, which: int, *_: int) -> bool:
        actor = self._actor(who)
        instance = self._instance(actor, which)
        return instance is not None and actor.do(CommandRemove(instance.id))

    # ----------------------------------------------------------------------------------- channels

    def offer(self, who: int, whom: int, draw: int, _: int) -> bool:
        actor = self._actor(who)
        peers = [other for other in self.world.actors if other is not actor]
        peer = peers[whom % 2]
        if len(actor.channels()) >= _MOST_CHANNELS or len(peer.channels()) >= _MOST_CHANNELS:
            return False
        return actor.do(
            CommandOffer(
                peer.peer,
                peer.account.address,
                ETH,
                Seconds(900),
                actor.nonce(),
                Wei(300),
                Wei(300),
                draw % 2 == 0 and peer.name == "ingrid",
            )
        )

    def close(self, who: int, which: int, *_: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        return view is not None and actor.do(CommandClose(view.id))

    def leave(self, who: int, which: int, *_: int) -> bool:
        actor = self._actor(who)
        view = self.channel(actor, which)
        return view is not None and actor.do(CommandDispute(view.id))

    # -------------------------------------------------------------------------------------- the end

    def leave_all(self, *, polite: bool) -> None:
        """Accidents end, crooks fall silent; everybody honest gets out, alone if need be."""
        world = self.world
        world.calm_down()
        for actor in world.crooks:
            world.network.leave(actor.peer)
        world.clock = UnixTime(max(world.clock, world.chain.now))
        honest = world.honest
        world.meet_all()
        world.talk()
        world.step_time()
        self.started_leaving = world.chain.now
        if polite:
            self._part()
        for _ in range(_MOST_ROUNDS):
            for actor in honest:
                self._go(actor)
            if not any(self._waits(actor) for actor in honest):
                return
            world.talk()
            world.jump()
        stuck = [(a.name, view) for a in honest for view in a.live() if self._money(a, view)]
        raise Violated("P5: money is not out", stuck=stuck)

    def _go(self, actor: Actor) -> None:
        """To the chain with everything; also with what an old copy knows as an offer."""
        for view in actor.live():
            undecided = not view.leaving and view.head.dispute is None and not view.head.ended
            if undecided and (view.stage is Stage.JOINED or holds_ours(view)):
                actor.do(CommandDispute(view.id))

    def _part(self) -> None:
        """By agreement: remove what is listed, close what is empty."""
        world = self.world
        for _ in range(6):
            for actor in world.honest:
                for instance in list(actor.node.books.instances.values()):
                    if instance.role is not None and instance.legs[0].status is LegStatus.LISTED:
                        streams = isinstance(instance.terms, Stream)
                        end = CommandSettle if streams else CommandRemove
                        actor.do(end(instance.id))
                world.talk()
            for actor in world.honest:
                for view in actor.live():
                    if view.agreed is None or not view.agreed.state.nanos:
                        actor.do(CommandClose(view.id))
                world.talk()
            for _ in range(3):
                world.step_time()
                world.talk()

    def _money(self, actor: Actor, view: ChannelView) -> bool:
        """Whether anything of the actor's may still be in a channel."""
        if view.stage is not Stage.JOINED:
            return holds_ours(view)
        return bool(
            view.head.alice
            or view.head.bob
            or view.final.alice
            or view.final.bob
            or view.deposits  # taken back by a reorganisation, and on its way again
        )

    def _waits(self, actor: Actor) -> bool:
        return any(self._money(actor, view) for view in actor.live())
