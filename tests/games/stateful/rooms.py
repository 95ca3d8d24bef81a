"""Who signed what: one room per channel, and the rules that an honest party in it keeps.

The driver holds everybody's keys, so what an honest party may sign is decided here, by the rules
of protocol section 5 that concern the chain: monotone signing, one unresolved proposal at a time,
solvency against its deposits, standing offers, nothing signed during a dispute. A dishonest party
signs anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from perun.crypto import sign
from perun.encoding import close_digest, open_digest, state_digest, withdraw_digest
from perun.spec import Contracts, Funds, Payout
from perun.spec.custody import Key
from perun.spec.properties import Promise, Role
from perun.types import (
    Address,
    Channel,
    Close,
    Digest,
    Nano,
    Open,
    Signature,
    State,
    Version,
    Wei,
    Withdraw,
)
from tests.games.stateful.cast import KEYS

NOTHING = Signature(b"")


@dataclass(slots=True)
class Entry:
    """A state and the signatures that exist on it. `shown`: both parties hold both."""

    state: State
    signatures: dict[Role, Signature] = field(default_factory=dict)
    shown: bool = False

    @property
    def full(self) -> bool:
        return len(self.signatures) == 2


@dataclass(slots=True)
class Offer:
    """A Close or Withdraw and the signatures on it."""

    message: Close | Withdraw
    signatures: dict[Role, Signature] = field(default_factory=dict)


@dataclass(slots=True)
class Room:
    channel: Channel
    key: Key
    honest: frozenset[Role]
    book: list[Entry] = field(default_factory=list)
    closes: list[Offer] = field(default_factory=list)
    withdraws: list[Offer] = field(default_factory=list)
    opens: list[tuple[Open, Signature]] = field(default_factory=list)
    kept: set[Nano] = field(default_factory=set)
    """Instances held in two channels: an honest hub drops none of them from a state."""
    promises: dict[Role, list[Promise]] = field(default_factory=dict)
    """What each honest party counts on, since the deadline of a dispute has passed."""
    payouts: list[Payout] = field(default_factory=list)
    ended: bool = False

    # ------------------------------------------------------------------------------ what it knows

    def key_of(self, role: Role) -> Address:
        return self.channel.alice_key if role is Role.ALICE else self.channel.bob_key

    def newest(self, role: Role) -> Entry | None:
        """The newest state that `role` holds fully signed; None: version 0."""
        full = [entry for entry in self.book if entry.full and (entry.shown or not self.honest)]
        return max(full, key=lambda entry: entry.state.version, default=None)

    def newest_version(self, role: Role) -> int:
        entry = self.newest(role)
        return entry.state.version if entry else 0

    def unresolved(self, role: Role) -> list[Entry]:
        """What `role` has signed above its newest fully signed state: others may hold it full."""
        newest = self.newest_version(role)
        return [
            entry
            for entry in self.book
            if role in entry.signatures and entry.state.version > newest
        ]

    def live(self, role: Role, now: int) -> Iterator[Offer]:
        for offer in self.closes + self.withdraws:
            if role in offer.signatures and now <= offer.message.valid_until:
                yield offer

    def count_on(self, role: Role) -> list[Promise]:
        newest = self.newest(role)
        states = [entry.state for entry in self.unresolved(role)]
        first = Promise(newest.state.net, newest.state.nanos) if newest else Promise(0)
        return [first, *(Promise(state.net, state.nanos) for state in states)]

    # ---------------------------------------------------------------------- what the honest refuse

    def may_sign_state(self, role: Role, state: State, world: Contracts) -> bool:
        if role not in self.honest:
            return True
        if self.ended or self.key in world.ms_contract.disputes or self.unresolved(role):
            return False
        top = max((entry.state.version for entry in self.book), default=0)
        if state.version <= top or not self.kept <= set(state.nanos):
            return False
        now = world.host.now
        if any(isinstance(offer.message, Close) for offer in self.live(role, now)):
            return False
        funds = world.ms_contract.funds.get(self.key, Funds())
        return all(_solvent(option, state) for option in self._options(role, funds, now))

    def _options(self, role: Role, funds: Funds, now: int) -> list[Funds]:
        """The holdings now, and after each live Withdraw (a live one is for the next index)."""
        options = [funds]
        for offer in self.live(role, now):
            message = offer.message
            if isinstance(message, Withdraw) and message.index == funds.withdrawals:
                alice, bob = funds.alice - message.alice_amount, funds.bob - message.bob_amount
                options.append(Funds(alice, bob))
        return options

    def may_sign_close(self, role: Role, close: Close, world: Contracts) -> bool:
        if role not in self.honest:
            return True
        now = world.host.now
        newest = self.newest(role)
        net, nanos = (newest.state.net, newest.state.nanos) if newest else (0, ())
        return not (
            self.ended
            or self.key in world.ms_contract.disputes
            or self.unresolved(role)
            or nanos
            or close.net != net
            or close.valid_until > now + self.channel.challenge
            or any(self.live(role, now))
            or any(now <= offer.valid_until for offer, _ in self.opens)
        )

    def may_sign_withdraw(self, role: Role, withdraw: Withdraw, world: Contracts) -> bool:
        if role not in self.honest:
            return True
        now = world.host.now
        funds = world.ms_contract.funds.get(self.key, Funds())
        if (
            self.ended
            or self.key in world.ms_contract.disputes
            or withdraw.index != funds.withdrawals
            or withdraw.valid_until > now + self.channel.challenge
            or any(self.live(role, now))
            or any(now <= offer.valid_until for offer, _ in self.opens)
        ):
            return False
        after = Funds(funds.alice - withdraw.alice_amount, funds.bob - withdraw.bob_amount)
        if after.alice + after.bob < 0:
            return False
        newest = self.newest(role)
        states = [entry.state for entry in self.unresolved(role)]
        states.append(newest.state if newest else State(self.key[1], Version(0), Wei(0)))
        return all(_solvent(after, state) for state in states)

    # ----------------------------------------------------------------------------------- signing

    def sign_state(self, entry: Entry, role: Role, world: Contracts) -> None:
        digest = state_digest(world.ms_contract.domain, entry.state)
        entry.signatures[role] = self._sign(role, digest)

    def sign_offer(self, offer: Offer, role: Role, world: Contracts) -> None:
        domain, message = world.ms_contract.domain, offer.message
        if isinstance(message, Close):
            digest = close_digest(domain, message)
        else:
            digest = withdraw_digest(domain, message)
        offer.signatures[role] = self._sign(role, digest)

    def _sign(self, role: Role, digest: Digest) -> Signature:
        key = KEYS.get(self.key_of(role))
        return sign(digest, key) if key else NOTHING

    def sign_open(self, account: Address, offer: Open, world: Contracts) -> Signature:
        key = KEYS.get(account)
        return sign(open_digest(world.ms_contract.domain, offer), key) if key else NOTHING

    def note_state(self, role: Role, state: State) -> None:
        """`role` has sent `state` itself."""
        for entry in self.book:
            if entry.state == state:
                entry.signatures.setdefault(role, NOTHING)
                return
        self.book.append(Entry(state, {role: NOTHING}))

    def note_offer(self, role: Role, close: Close) -> None:
        """`role` has sent `close` itself."""
        for offer in self.closes:
            if offer.message == close:
                offer.signatures.setdefault(role, NOTHING)
                return
        self.closes.append(Offer(close, {role: NOTHING}))

    # ------------------------------------------------------------------------------- for P3

    def has_agreed(self, role: Role, payout: Payout) -> bool:
        """Whether `role` signed what was paid, or sent it itself (which is recorded likewise)."""
        if payout.version is None:
            return any(
                offer.message.net == payout.net and role in offer.signatures
                for offer in self.closes
                if isinstance(offer.message, Close)
            )
        if payout.settling:
            return True  # the rest of a payout that was checked before
        listed = {answer.nano for answer in payout.resolved} | set(payout.remaining)
        return any(
            entry.state.version == payout.version
            and entry.state.net == payout.net
            and set(entry.state.nanos) == listed
            and role in entry.signatures
            for entry in self.book
        )


def _solvent(funds: Funds, state: State) -> bool:
    alice = funds.alice - state.net - sum(nano.alice_lock for nano in state.nanos)
    bob = funds.bob + state.net - sum(nano.bob_lock for nano in state.nanos)
    return alice >= 0 and bob >= 0
