"""A basic channel with its two parties at hand: signs what it is told and sends it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from perun.testing.owners import Owner
from perun.types import Channel
from tests.support import plain
from tests.support.contracts import Receipt
from tests.support.plain import to_abi
from tests.support.stage import FOREVER, HOUR, Stage, address_of

_nonces = itertools.count(1)

Signatures = tuple[bytes, bytes]
NO_SIGNATURES: Signatures = (b"", b"")


class Holdings(NamedTuple):
    """What `holdings` answers."""

    alice: int
    bob: int
    withdrawals: int = 0
    drawn: bool = False
    disputed: bool = False


class Dispute(NamedTuple):
    """What `dispute` answers."""

    version: int
    deadline: int
    settling: bool
    state_hash: int


NO_DISPUTE = Dispute(0, 0, False, 0)


@dataclass(frozen=True, slots=True)
class BasicChannel:
    """A channel of the stage's MSContract. Amounts in the asset's smallest unit."""

    stage: Stage
    alice: Owner
    bob: Owner
    terms: Channel

    @property
    def id(self) -> bytes:
        """32 bytes, as the protocol computes it."""
        return plain.record_id(self.stage.ms_separator, self.terms)

    @property
    def asset(self) -> bytes:
        return self.terms.asset

    # ------------------------------------------------------------------ views

    def holdings(self) -> Holdings:
        return Holdings(*self.stage.ms.ask("holdings", self.asset, self.id))

    def dispute(self) -> Dispute:
        return Dispute(*self.stage.ms.ask("dispute", self.asset, self.id))

    def credits(self) -> tuple[int, int]:
        """Alice's and Bob's credit."""
        return tuple(self.stage.credit(self.asset, who) for who in (self.alice, self.bob))

    # ------------------------------------------------------------------ what is signed

    def both(self, digest: bytes) -> Signatures:
        """Both keys' signatures."""
        return self.alice.sign(digest), self.bob.sign(digest)

    def state_digest(self, version: int, net: int = 0, nanos: Sequence[Any] = ()) -> bytes:
        values = (self.id, version, net, plain.nanos_hash(nanos))
        return plain.typed(self.stage.ms_separator, plain.STATE, *values)

    def close_digest(self, net: int = 0, valid_until: int = FOREVER, to_credit: int = 0) -> bytes:
        values = (self.id, net, valid_until, to_credit)
        return plain.typed(self.stage.ms_separator, plain.CLOSE, *values)

    def withdraw_digest(
        self, index: int, alice: int = 0, bob: int = 0, valid_until: int = FOREVER
    ) -> bytes:
        values = (self.id, index, alice, bob, valid_until)
        return plain.typed(self.stage.ms_separator, plain.WITHDRAW, *values)

    def open_digest(self, alice: int, bob: int, valid_until: int) -> bytes:
        values = (self.id, alice, bob, valid_until)
        return plain.typed(self.stage.ms_separator, plain.OPEN, *values)

    def state(self, version: int, net: int = 0, nanos: Sequence[Any] = ()) -> Signatures:
        """Both signatures over a state; version 0 has none."""
        return self.both(self.state_digest(version, net, nanos)) if version else NO_SIGNATURES

    # ------------------------------------------------------------------ transactions

    def fund(self, alice: int = 0, bob: int = 0) -> BasicChannel:
        """The treasury deposits for both sides."""
        for to_bob, amount in ((False, alice), (True, bob)):
            if amount:
                value = 0 if any(self.asset) else amount
                self.stage.ms.send(
                    self.stage.treasury, "deposit", self.asset, self.id, to_bob, amount, FOREVER,
                    value=value,
                )  # fmt: skip
        return self

    def close(
        self,
        by: Any,
        net: int = 0,
        valid_until: int = FOREVER,
        to_credit: int = 0,
        signatures: Signatures | None = None,
        gas: int | None = None,
    ) -> Receipt:
        """Close; both sign unless signatures are given."""
        signed = signatures or self.both(self.close_digest(net, valid_until, to_credit))
        arguments = (self.terms, net, valid_until, to_credit, *signed)
        return self.stage.ms.send(by, "close", *arguments, gas=gas)

    def withdraw(
        self,
        by: Any,
        index: int = 0,
        alice: int = 0,
        bob: int = 0,
        valid_until: int = FOREVER,
        signatures: Signatures | None = None,
        gas: int | None = None,
    ) -> Receipt:
        """Withdraw; both sign unless signatures are given."""
        signed = signatures or self.both(self.withdraw_digest(index, alice, bob, valid_until))
        arguments = (self.terms, index, alice, bob, valid_until, *signed)
        return self.stage.ms.send(by, "withdraw", *arguments, gas=gas)

    def register(
        self,
        by: Any,
        version: int,
        net: int = 0,
        nanos: Sequence[Any] = (),
        signatures: Signatures | None = None,
        evidence: Sequence[bytes] = (),
        gas: int | None = None,
    ) -> Receipt:
        """Register; both sign unless signatures are given or the version is 0."""
        signed = signatures or self.state(version, net, nanos)
        arguments = (self.terms, version, net, tuple(nanos), *signed, tuple(evidence))
        return self.stage.ms.send(by, "register", *arguments, gas=gas)

    def settle(
        self, by: Any, net: int = 0, nanos: Sequence[Any] = (), gas: int | None = None
    ) -> Receipt:
        return self.stage.ms.send(by, "settle", self.terms, net, tuple(nanos), gas=gas)

    def wait_until_settleable(self) -> None:
        """The next transaction comes one second after the deadline."""
        self.stage.at(self.dispute().deadline + 1)


def new_channel(
    stage: Stage,
    alice: Owner | None = None,
    bob: Owner | None = None,
    asset: Any = bytes(20),
    challenge: int = HOUR,
) -> BasicChannel:
    """A channel with a fresh id, by default Alice's and Bob's in ETH with an hour's challenge."""
    alice, bob = alice or stage.alice, bob or stage.bob
    terms = Channel(
        alice.account, bob.account, alice.key.address, bob.key.address, address_of(asset),
        challenge, next(_nonces),
    )  # fmt: skip
    return BasicChannel(stage, alice, bob, terms)


def sorted_nanos(*nanos: Any) -> tuple[Any, ...]:
    """In the order a state lists them: ascending by (id, app)."""
    return tuple(sorted(nanos, key=lambda nano: (to_abi(nano)[1], to_abi(nano)[0])))
