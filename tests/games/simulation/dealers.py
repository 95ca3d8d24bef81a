"""Users at hands, deals, streams and bets, and crooks who bring any evidence that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from msgspec.structs import replace

from perun.bindings import coin_flip, escrow, hash_chain, price_bet, rock_paper_scissors
from perun.bindings.calls import Call
from perun.core.inputs import Command
from perun.core.nanocontracts.escrow import CommandAward, CommandDeal, CommandLetGo
from perun.core.nanocontracts.hash_chain import (
    STREAMS,
    CommandSettle,
    CommandStream,
    CommandTick,
)
from perun.core.nanocontracts.instances import app_of
from perun.core.nanocontracts.price_bet import CommandBet, CommandPrice
from perun.core.nanocontracts.rock_paper_scissors import CommandThrow, with_hand
from perun.core.state import InstanceView, LegStatus, PeerId, Role
from perun.crypto.signatures import sign
from perun.encoding.hash_chain import tick_hash
from perun.encoding.messages import LetGo, Message, ShowPrice, Ticked, Ticks
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.types import (
    Award,
    Bet,
    ChannelId,
    Deal,
    DealId,
    Flip,
    Hands,
    Preimage,
    Price,
    Seconds,
    Signature,
    Stream,
    StreamId,
    UnixTime,
    Wei,
)
from tests.games.simulation.actor import Actor
from tests.games.simulation.crooks import Crooks
from tests.games.simulation.players import Players
from tests.games.simulation.theatre import Theatre
from tests.games.simulation.users import Users

T = TypeVar("T", Deal, Bet, Stream)

_STAKES: Final = ((Wei(40), Wei(40)), (Wei(60), Wei(20)), (Wei(20), Wei(50)))
_CHALLENGE: Final = Seconds(900)
_FEED: Final = b"a thing in another".ljust(32, b"\0")
_STRIKE: Final = Wei(1_000)


class Dealers:
    """Every method draws its choices from numbers, as in `Users`."""

    def __init__(self, world: Theatre, users: Users, crooks: Crooks, players: Players) -> None:
        self.world: Theatre = world
        self._users = users
        self._crooks = crooks
        self._players = players

    # ---------------------------------------------------------------------------------- inviting

    def throw(self, who: int, which: int, stakes: int, virtual: int) -> bool:
        """Rock, paper, scissors."""
        actor = self.world.actors[who % 3]
        own, peer = _STAKES[stakes % 3]
        secret = with_hand(actor.random(), stakes // 3 % 3)
        return self._invite(
            actor,
            which,
            virtual,
            lambda channel, end: CommandThrow(
                channel, own, peer, self._until(stakes), _CHALLENGE, actor.random(), secret, end
            ),
        )

    def deal(self, who: int, which: int, stakes: int, virtual: int) -> bool:
        """A deal in escrow; in some something moves if nobody says anything."""
        actor, arbiter = self.world.actors[who % 3], self.world.outsiders.arbiter.address
        own, peer = _STAKES[stakes % 3]
        late = (Wei(0), Wei(own // 2), Wei(-peer))[stakes // 3 % 3]
        due = UnixTime(self.world.chain.now + 200)
        return self._invite(
            actor,
            which,
            virtual,
            lambda channel, end: CommandDeal(
                channel,
                arbiter,
                own,
                peer,
                late,
                due,
                self._until(stakes),
                _CHALLENGE,
                actor.random(),
                end,
            ),
        )

    def bet(self, who: int, which: int, stakes: int, virtual: int) -> bool:
        """On what the reporter says of a moment that is soon."""
        actor, reporter = self.world.actors[who % 3], self.world.outsiders.reporter.address
        own, peer = _STAKES[stakes % 3]
        time = UnixTime(self.world.chain.now + 20 + stakes % 300)
        slope = Wei(1 if stakes % 2 else -1)
        return self._invite(
            actor,
            which,
            virtual,
            lambda channel, end: CommandBet(
                channel,
                reporter,
                _FEED,
                time,
                _STRIKE,
                slope,
                Wei(3),
                own,
                peer,
                self._until(stakes),
                _CHALLENGE,
                actor.random(),
                end,
            ),
        )

    def stream(self, who: int, which: int, tick: int, virtual: int) -> bool:
        """In which who invites pays; the other end's node takes it by itself."""
        actor = self.world.actors[who % 3]
        return self._invite(
            actor,
            which,
            virtual,
            lambda channel, end: CommandStream(
                channel,
                Wei(60 + tick % 60),
                Wei(1 + tick % 5),
                self._until(tick),
                _CHALLENGE,
                actor.random(),
                end,
            ),
        )

    def _until(self, number: int) -> UnixTime:
        return UnixTime(self.world.chain.now + 800 + number % 900)

    def _invite(
        self,
        actor: Actor,
        which: int,
        virtual: int,
        command: Callable[[ChannelId, PeerId], Command],
    ) -> bool:
        """Somebody next door or over the hub; most have waited for it."""
        view = self._users.channel(actor, which)
        if view is None:
            return False
        end = self._users.end(actor, view, virtual % 2 == 0)
        done = actor.do(command(view.id, end.peer if end else PeerId(b"")))
        if done and virtual % 4 < 2:
            self.world.talk()
            self._players.consent(self.world.actors.index(actor) + 1, 0, 1, virtual)
            self.world.talk()
        return done

    # ---------------------------------------------------------------------------------- deciding

    def award(self, who: int, which: int, shift: int, again: int) -> bool:
        """The arbiter says something of a deal, or what it has said before, to one end."""
        found = self._listed(who, which, Deal)
        if found is None:
            return False
        actor, one, deal = found
        known = list(self.world.outsiders.about(one.id, deal).values())
        if known and again % 4:
            said, signature = known[again % len(known)]
        else:
            said = shift % (deal.alice_lock + deal.bob_lock + 1) - deal.bob_lock
            signature = self.world.outsiders.award(one.id, said)
        return actor.do(CommandAward(one.id, Wei(said), signature))

    def let_go(self, who: int, which: int, shift: int, _: int) -> bool:
        """A user names the shift at which a deal may go; often one that both like."""
        found = self._listed(who, which, Deal)
        if found is None:
            return False
        actor, one, deal = found
        named = (0, deal.alice_lock, -deal.bob_lock, deal.alice_lock // 3)[shift % 4]
        if actor.witness is not None:
            actor.witness.stakes.named.setdefault(one.id, set()).add(named)
        return actor.do(CommandLetGo(one.id, Wei(named)))

    def report(self, who: int, which: int, price: int, again: int) -> bool:
        """The reporter says a price, or what it has said before, to one end of a bet."""
        found = self._listed(who, which, Bet)
        if found is None:
            return False
        actor, one, bet = found
        known = list(self.world.outsiders.about(one.id, bet).values())
        if known and again % 4:
            said, signature = known[again % len(known)]
        else:
            said = _STRIKE + price % 401 - 200
            signature = self.world.outsiders.report(bet, said)
        return actor.do(CommandPrice(one.id, Wei(said), signature))

    # ---------------------------------------------------------------------------------- streams

    def tick(self, who: int, which: int, ticks: int, _: int) -> bool:
        """Some ticks of a stream, now and then more than its lock has, or by who is paid."""
        found = self._listed(who, which, Stream)
        if found is None:
            return False
        actor, one, stream = found
        pays, amount, lives = one.role is Role.ALICE, (1 + ticks % 12) * stream.tick, actor.lives
        if pays and actor.witness is not None:
            # Counted first, as in `Actor.do`.
            actor.witness.stakes.wants(one.id, amount)
        done = actor.do(CommandTick(one.id, 1 + ticks % 12))
        if pays and actor.witness is not None and not done and actor.lives == lives:
            actor.witness.stakes.wants(one.id, -amount)
        return done

    def settle(self, who: int, which: int, *_: int) -> bool:
        """Either end has enough of a stream."""
        found = self._listed(who, which, Stream)
        return found is not None and found[0].do(CommandSettle(found[1].id))

    # ------------------------------------------------------------------------------------ crooks

    def evidence(self, who: int, which: int, pick: int, _: int) -> bool:
        """Brings to the chain whatever there is about any instance, good for a crook or not."""
        if not self._crooks.learn():
            return False
        found = [
            call
            for crook in self.world.crooks
            for one in crook.instances()
            for call in self._calls(one, pick)
        ]
        return bool(found) and self._crooks.send(found[which % len(found)], who)

    def word(self, who: int, which: int, amount: int, _: int) -> bool:
        """Says what nobody has signed, or its own key only, about what it has with somebody."""
        if not self._crooks.learn():
            return False
        found = [
            (crook, one)
            for crook in self.world.crooks
            for one in crook.instances()
            if isinstance(one.terms, Deal | Bet | Stream) and one.role is not None
        ]
        if not found:
            return False
        crook, one = found[which % len(found)]
        for message in self._made_up(crook, one, amount):
            frame = self._crooks.mind.letter(message, one.via)
            self.world.network.deliver(crook.peer, one.end, (frame,))
        return True

    def _made_up(self, crook: Actor, one: InstanceView, amount: int) -> Iterator[Message]:
        terms, mind = one.terms, self._crooks.mind
        if isinstance(terms, Deal):
            wins = terms.alice_lock if one.role is Role.BOB else -terms.bob_lock
            shift = Wei(wins if amount % 2 else amount % 3)
            signature = mind.sign(crook.key.address, Award(DealId(one.id), shift))
            yield LetGo(one.id, shift, signature if amount % 4 else Signature(b""))
        elif isinstance(terms, Bet):
            up = (one.role is Role.BOB) == (terms.slope > 0)
            price = Wei(terms.strike + (200 if up else -200))
            said = price_digest(PRICE_DOMAIN, Price(terms.feed, terms.time, price))
            yield ShowPrice(one.id, price, sign(said, crook.key))
        elif isinstance(terms, Stream) and one.role is Role.BOB:
            yield Ticked(one.id, Wei(amount % terms.lock), amount % 2 == 0)
        elif isinstance(terms, Stream):
            view = STREAMS.of(one)
            more = replace(view, ticks=min(1_024, view.ticks + 1 + amount % 9))
            root = view.root or bytes(32)
            words = (more.base, root, more.ticks, view.value or root, view.signature)
            yield Ticks(one.id, *words, amount % 2 == 0)

    def _calls(self, one: InstanceView, pick: int) -> Iterator[Call]:
        terms, deployment = one.terms, self.world.deployment
        app = app_of(deployment, terms)
        if isinstance(terms, Flip | Hands):
            for role in Role:
                secret = Preimage(one.secrets[role])
                if secret and isinstance(terms, Flip):
                    yield coin_flip.reveal(app, terms, role is Role.BOB, secret)
                elif secret and isinstance(terms, Hands):
                    yield rock_paper_scissors.reveal(app, terms, role is Role.BOB, secret)
        elif isinstance(terms, Deal):
            yield escrow.late(app, terms)
            for shift, signature in self.world.outsiders.about(one.id, terms).values():
                yield escrow.award(app, terms, Wei(shift), signature)
        elif isinstance(terms, Bet):
            for price, signature in self.world.outsiders.about(one.id, terms).values():
                yield price_bet.submit_price(app, terms, Wei(price), signature)
        elif isinstance(terms, Stream) and one.role is not None:
            view = STREAMS.of(one)
            if view.signature:
                # Fewer ticks than were given: hashed once more for each.
                ticks, value = pick % (view.ticks + 1), view.value
                for _ in range(view.ticks - ticks):
                    value = tick_hash(StreamId(one.id), value)
                shown = (view.base, view.root, ticks, value, view.signature)
                yield hash_chain.submit_ticks(app, terms, *shown)

    # ------------------------------------------------------------------------------------ choices

    def _listed(self, who: int, which: int, kind: type[T]) -> tuple[Actor, InstanceView, T] | None:
        """An end of one of this kind that is locked, this actor's first."""
        actors = self.world.actors
        for actor in (*actors[who % 3 :], *actors[: who % 3]):
            found = [
                (actor, one, one.terms)
                for one in actor.instances()
                if isinstance(one.terms, kind)
                and one.role is not None
                and one.legs[0].status is LegStatus.LISTED
            ]
            if found:
                return found[which % len(found)]
        return None
