"""What stories are told with."""

from __future__ import annotations

from collections.abc import Callable

from perun.core.state import ChannelView, InstanceView, PeerId
from perun.encoding.messages import Message, decode
from perun.types import InstanceId, UnixTime
from tests.games.simulation.actor import Actor
from tests.games.simulation.game import Play
from tests.games.simulation.theatre import Theatre

Lost = Callable[[PeerId, PeerId, Message], bool]


class Story:
    """Alice, Ingrid and Bob with a channel each way, a machine of two and one over the hub."""

    def __init__(self, *crooks: str) -> None:
        self.playing = Play(crooks)
        self.world: Theatre = self.playing.world
        self.alice, self.ingrid, self.bob = self.world.actors
        self.crooks = self.playing.crooks
        self.mind = self.crooks.mind
        self.users = self.playing.users
        self.learn()

    def learn(self) -> None:
        """The conspirators look into their own nodes."""
        for actor in self.world.crooks:
            self.mind.learn(actor.node.books)

    # ------------------------------------------------------------------------------------- things

    def channel(self, one: Actor, two: Actor) -> ChannelView:
        """Their channel, as the first knows it."""
        return next(view for view in one.channels() if view.peer == two.peer)

    def direct(self, actor: Actor) -> InstanceView:
        """The machine between Alice and Bob."""
        return next(item for item in actor.instances() if not item.via and item.role is not None)

    def virtual(self, actor: Actor) -> InstanceView:
        """The machine over the hub."""
        return next(item for item in actor.instances() if item.via or item.role is None)

    def received(self, actor: Actor, id: InstanceId) -> int:
        """What a node says it was paid in a machine."""
        totals = actor.node.books.totals.get(id)
        return 0 if totals is None else totals.received

    def gain(self, actor: Actor) -> int:
        """What an actor has more, outside of channels, than at the beginning."""
        return self.world.wealth(actor) - self.world.start_wealth[actor.name]

    # -------------------------------------------------------------------------------------- doings

    def talk(self, lost: Lost | None = None) -> None:
        """Delivers everything but what is lost, until all is quiet."""
        world = self.world
        for _ in range(2_000):
            held = world.network.held
            if not held:
                return
            sender, receiver, frame = held[0]
            if lost is not None and lost(sender, receiver, decode(frame)):
                world.network.replace_held(0)
            else:
                world.deliver(0)
        raise AssertionError("they never stop talking")

    def blocks(self, count: int = 3, lost: Lost | None = None) -> None:
        """Ordinary blocks, and what is said about them."""
        for _ in range(count):
            self.world.step_time()
            self._all_talk(lost)

    def until(self, time: int, lost: Lost | None = None) -> None:
        """Blocks up to a time."""
        while self.world.chain.now < time:
            left = time - self.world.chain.now
            self.world.mine(at=self.world.chain.now + min(30, left))
            self._all_talk(lost)

    def _all_talk(self, lost: Lost | None) -> None:
        """Until nobody has anything to say, whatever is lost of it."""
        if lost is None:
            self.world.talk()
            return
        self.talk(lost)
        for actor in self.world.actors:
            actor.turn()
        self.talk(lost)

    def patience(self, lost: Lost | None = None) -> None:
        """Nothing comes for longer than anybody waits."""
        self.world.clock = UnixTime(self.world.clock + 15)
        for actor in self.world.actors:
            actor.turn()
        self.talk(lost)
        self.world.step_time()
        self.talk(lost)

    def say(
        self, sender: Actor, receiver: Actor, message: Message, via: Actor | None = None
    ) -> None:
        """A crook says something, and is heard at once."""
        frame = self.mind.letter(message, via.peer if via is not None else b"")
        self.world.network.deliver(sender.peer, receiver.peer, (frame,))
        self.world.deliver(len(self.world.network.held or ()) - 1)

    def end(self) -> None:
        """Everybody honest leaves, alone against everyone; every property is checked."""
        self.playing.checker.after_step()
        self.playing.finish(polite=False)


def of(sender: Actor, *kinds: type) -> Lost:
    """Loses what somebody says of some kinds; of any kind if none is named."""

    def lost(by: PeerId, _: PeerId, message: Message) -> bool:
        return by == sender.peer and (not kinds or isinstance(message, kinds))

    return lost


def to(receiver: Actor) -> Lost:
    """Loses everything for somebody."""

    def lost(_: PeerId, whom: PeerId, __: Message) -> bool:
        return receiver.peer == whom

    return lost


__all__ = ["Lost", "Story", "of", "to"]
