"""All moves by name, and the accidents: of the wire, of the chain, of the power."""

from __future__ import annotations

from collections.abc import Callable

from perun.testing.pool import PooledTransaction
from tests.games.simulation.crooks import Crooks
from tests.games.simulation.dealers import Dealers
from tests.games.simulation.players import Players
from tests.games.simulation.theatre import BLOCK, FINALITY, Theatre
from tests.games.simulation.users import Users
from tests.games.simulation.wishes import Wishes

Make = Callable[[int, int, int, int], bool]

_MOST_LEFT_OUT = 2
"""Blocks in a row that may leave an honest party's transaction out."""

_BLOCKS_BETWEEN_REORGANISATIONS = 6


class Moves:
    """Makes moves; each says whether it could do anything."""

    def __init__(
        self,
        world: Theatre,
        users: Users,
        crooks: Crooks,
        wishes: Wishes,
        players: Players,
        dealers: Dealers,
    ) -> None:
        self.world = world
        self._by_name: dict[str, Make] = {
            "talk": self._talk,
            "deliver": self._deliver,
            "pay": users.pay,
            "transfer": users.transfer,
            "machine": users.machine,
            "price": users.price,
            "remove": users.remove,
            "resize": users.resize,
            "lock": users.lock,
            "flip": users.flip,
            "game": players.invite,
            "consent": players.consent,
            "play": players.play,
            "throw": dealers.throw,
            "deal": dealers.deal,
            "award": dealers.award,
            "let go": dealers.let_go,
            "bet": dealers.bet,
            "report": dealers.report,
            "stream": dealers.stream,
            "tick": dealers.tick,
            "settle": dealers.settle,
            "give up": players.give_up,
            "clock": players.clock,
            "reveal": users.reveal,
            "withdraw": users.withdraw,
            "close": users.close,
            "leave": users.leave,
            "fund": users.fund,
            "offer": users.offer,
            "answer": users.answer,
            "drop": self._drop,
            "repeat": self._repeat,
            "reorder": self._reorder,
            "scramble": self._scramble,
            "reconnect": self._reconnect,
            "hang up": self._hang_up,
            "lose a link": self._lose_link,
            "replay": self._replay,
            "wish": wishes.wish,
            "wish again": wishes.again,
            "request": wishes.request,
            "pay a request": wishes.pay_link,
            "refund": wishes.refund,
            "lie: note": wishes.lie,
            "block": self._block,
            "jump": self._jump,
            "wait": self._wait,
            "reorganise": self._reorganise,
            "cut off": self._cut_off,
            "power cut": self._power_cut,
            "kill": self._kill,
            "back up": self._back_up,
            "put back": self._put_back,
            "signer sleeps": self._signer_sleeps,
            "signer wakes": self._signer_wakes,
            "lie: propose": crooks.propose,
            "lie: alter": crooks.alter,
            "lie: replay": crooks.replay,
            "lie: register": crooks.register,
            "lie: forge": crooks.forge,
            "lie: submit": crooks.submit,
            "lie: pay": crooks.pay,
            "lie: offer": crooks.offer,
            "lie: use offers": crooks.use_offers,
            "lie: reveal": crooks.reveal,
            "lie: position": players.old,
            "lie: evidence": dealers.evidence,
            "lie: word": dealers.word,
            "lie: dust": crooks.dust,
            "lie: show": crooks.show,
        }

    @property
    def names(self) -> frozenset[str]:
        """Every move there is."""
        return frozenset(self._by_name)

    def make(self, move: tuple[str, int, int, int, int]) -> bool:
        """Makes one; whether anything happened."""
        name, *numbers = move
        done = self._by_name[name](*numbers)
        for actor in self.world.actors:
            actor.turn()
        return done

    # --------------------------------------------------------------------------------------- wire

    def _held(self) -> int:
        return len(self.world.network.held or ())

    def _talk(self, most: int, *_: int) -> bool:
        count = 0
        while self._held() and count < 1 + most % 12:
            self.world.deliver(0)
            count += 1
        return count > 0

    def _deliver(self, which: int, *_: int) -> bool:
        """One letter, out of turn."""
        if not self._held():
            return False
        self.world.deliver(which % self._held())
        return True

    def _drop(self, which: int, *_: int) -> bool:
        if not self._held():
            return False
        self.world.network.replace_held(which % self._held())
        return True

    def _repeat(self, which: int, *_: int) -> bool:
        held = self.world.network.held
        if not held:
            return False
        index = which % len(held)
        self.world.network.replace_held(index, held[index], held[index])
        return True

    def _reorder(self, which: int, *_: int) -> bool:
        """A letter is delayed behind all others."""
        held = self.world.network.held
        if not held or len(held) < 2:
            return False
        held.append(held.pop(which % len(held)))
        return True

    def _scramble(self, which: int, place: int, bits: int, _: int) -> bool:
        held = self.world.network.held
        if not held:
            return False
        index = which % len(held)
        sender, receiver, frame = held[index]
        at = place % len(frame)
        broken = frame[:at] + bytes((frame[at] ^ (1 + bits % 255),)) + frame[at + 1 :]
        if place % 4 == 0:
            broken = frame[:at]  # and some end in the middle
        held[index] = (sender, receiver, broken)
        return True

    def _reconnect(self, one: int, *_: int) -> bool:
        actors = self.world.actors
        self.world.meet(actors[one % 3], actors[(one + 1) % 3])
        return True

    def _hang_up(self, one: int, other: int, *_: int) -> bool:
        """A session ends, and another begins."""
        lines, actors = self.world.lines, self.world.actors
        if lines is None:
            return False
        lines.hang_up(actors[one % 3].peer, actors[(one + 1 + other % 2) % 3].peer)
        return True

    def _lose_link(self, who: int, *_: int) -> bool:
        """With all that was under way on it; the others find out when they say something."""
        lines = self.world.lines
        if lines is None:
            return False
        lines.lose_link(self.world.actors[who % 3].peer)
        return True

    def _replay(self, which: int, *_: int) -> bool:
        """A packet of any time, again."""
        lines = self.world.lines
        return lines is not None and lines.replay(which)

    # --------------------------------------------------------------------------------------- chain

    def _block(self, order: int, left_out: int, gap: int, _: int) -> bool:
        """A block whose builder chooses order and, within limits, content."""
        world = self.world
        pool = list(world.chain.pool.values())
        chosen: list[PooledTransaction] = []
        for place, waiting in enumerate(pool):
            may_wait = world.waited.get(waiting.hash, 0) < _MOST_LEFT_OUT
            if left_out >> place & 1 and left_out % 3 == 0 and may_wait:
                world.seen["transactions left out of a block"] += 1
            else:
                chosen.append(waiting)
        if order % 2:
            # A crook who builds blocks, or bribes who does: its transactions go first.
            chosen.sort(key=lambda item: (world.is_honest(item), item.nonce))
            world.seen["blocks with crooks first"] += bool(world.crooks and chosen)
        world.mine(chosen, at=max(world.clock, world.chain.now + 1 + gap % (2 * BLOCK)))
        return True

    def _jump(self, *_: int) -> bool:
        self.world.talk()
        for _block in range(FINALITY + 1):
            self.world.step_time()
            self.world.talk()
        self.world.jump()
        return True

    def _wait(self, seconds: int, *_: int) -> bool:
        """Our clocks go on and no block comes: patience ends, then freshness."""
        world = self.world
        if world.clock - world.chain.now > world.limits.freshness:
            return False
        world.pass_time(world.clock + 1 + seconds % 70)
        return True

    def _reorganise(self, depth: int, keep: int, *_: int) -> bool:
        world = self.world
        height = world.chain.head.number
        if height - world.reorganised_at < _BLOCKS_BETWEEN_REORGANISATIONS:
            return False
        world.reorganise(1 + depth % FINALITY, keep=keep % 2 == 0)
        if depth % 3 == 0:
            for actor in world.actors:
                actor.look()
        # Builders go on: the new branch is at least as long.
        for _ in range(1 + depth % FINALITY):
            world.mine()
        return True

    def _cut_off(self, who: int, *_: int) -> bool:
        """One of them misses a block."""
        actor = self.world.actors[who % 3]
        actor.endpoint.reachable = False
        self.world.step_time()
        actor.endpoint.reachable = True
        return True

    # --------------------------------------------------------------------------------------- power

    def _power_cut(self, who: int, write: int, after: int, between: int) -> bool:
        """At one of the next writes."""
        power = self.world.actors[who % 3].power
        power.fail_at(write % 6, after=after % 2 == 0, between=between % 2 == 0)
        return True

    def _kill(self, who: int, *_: int) -> bool:
        self.world.actors[who % 3].restart()
        return True

    def _back_up(self, who: int, *_: int) -> bool:
        """A copy of a store, for a bad day."""
        if self.world.lines is None:
            return False
        self.world.actors[who % 3].back_up()
        return True

    def _put_back(self, who: int, mark: int, *_: int) -> bool:
        """Somebody honest loses its store, and has an old copy; once in a game."""
        world = self.world
        actor = world.actors[who % 3]
        if not actor.honest or any(one.copied_at is not None for one in world.actors):
            return False
        # Behind its back: then it depends on a peer that shows what it knows.
        marked = bool(world.crooks) or mark % 2 == 0
        done = actor.put_back(marked=marked)
        world.seen["stale copies with a mark" if marked else "stale copies without"] += done
        return done

    def _signer_sleeps(self, who: int, *_: int) -> bool:
        """A device that nobody touches for a while."""
        actor = self.world.actors[who % 3]
        if actor.asked is not None:
            return False
        actor.asked = []
        return True

    def _signer_wakes(self, who: int, *_: int) -> bool:
        asleep = [actor for actor in self.world.actors if actor.asked is not None]
        if not asleep:
            return False
        asleep[who % len(asleep)].wake_signer()
        return True
