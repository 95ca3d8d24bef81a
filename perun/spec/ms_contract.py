"""`MSContract`: custody, agreement and dispute of every basic channel (protocol, section 3).

The life of a channel, seen from here:

    nothing ──open, openBoth, deposit──▶ open ──register──▶ disputed ──settle──▶ settling
       ▲                                  │ ▲                 │   │                 │
       │                                  │ └── deposit,      │   └─register: newer │
       │                                  │     withdraw      │     states replace  │
       ├──────────── close ───────────────┴───────────────────┘     older ones      │
       └──────────── settle, once no nano is left ──────────────────────────────────┘

While open, money comes and goes by agreement. `register` starts a clock that never stops and
never starts again; until it is over the highest version wins, after it the winner is paid out,
free money at once and locked money nano by nano. Here is the dispute; what both agree on is in
`agreement`, below it.

Each function reads: what refuses the call, what is stored, what is announced, what is paid.
A refused call changes nothing (`perun.spec.contracts` undoes it, as the EVM does). Where several
reasons refuse a call, the order in which they stand here is the contract's; the protocol leaves
it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from perun.encoding import state_hash
from perun.spec.agreement import Agreement
from perun.spec.consent import check_state, free_money
from perun.spec.custody import Dispute, Funds, Key, Payout
from perun.spec.nanos import resolve
from perun.spec.reverts import (
    DeadlineTooFar,
    DisputeStillOpen,
    EmptyChannel,
    NotAParty,
    NotInDispute,
    StateMismatch,
    TooMuchEvidence,
)
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    Nano,
    Settlement,
    Signature,
    UnixTime,
    Version,
    Wei,
)

MAX_DEADLINE = 2**34 - 1
"""Deadlines are stored in 34 bits [B6]."""


@dataclass(slots=True)
class MSContract(Agreement):
    """The whole contract: the ways of `Agreement`, and the way out of somebody who is alone."""

    # ---------------------------------------------------------------------------------- disputes

    def register(
        self,
        caller: Address,
        channel: Channel,
        version: Version,
        net: Wei,
        nanos: tuple[Nano, ...],
        signature_alice: Signature,
        signature_bob: Signature,
        evidence: Sequence[bytes],
    ) -> None:
        """Open a dispute with a state, or answer one with a newer state, and pass evidence on.

        A version that is not higher is not even looked at and does no harm: what somebody else
        registers meanwhile can never make an answer fail [A5, P10].
        """
        key = self._key(channel)
        known = self.disputes.get(key)
        if known:
            self._in_time(known.deadline)
            deadline = known.deadline
        else:
            deadline = self._first_deadline(key, channel, caller)
        if not known or version > known.version:
            check_state(
                self.domain,
                key,
                self.holds(key),
                channel,
                caller,
                version,
                net,
                nanos,
                signature_alice,
                signature_bob,
            )
            registered = state_hash(key[1], version, net, nanos)
            self.disputes[key] = Dispute(version, deadline, registered)
            self.host.emit("Registered", key[1], version, net, nanos, deadline)
        if len(evidence) > len(nanos):
            raise TooMuchEvidence(len(evidence), len(nanos))
        for index, piece in enumerate(evidence):
            if piece and not self.host.tell(nanos[index].app, piece):
                self.host.emit("EvidenceFailed", key[1], index)

    def settle(self, channel: Channel, net: Wei, nanos: tuple[Nano, ...]) -> None:
        """After the deadline: pay free money at once, and every nano that is resolved.

        What is still locked stays behind as the channel's only money, in a dispute over
        "net 0 and the nanos that remain", and only `settle` can touch it again [B3].
        """
        key = self._key(channel)
        known = self.disputes.get(key)
        if not known:
            raise NotInDispute(key[1])
        if self.host.now <= known.deadline:
            raise DisputeStillOpen(key[1], known.deadline, self.host.now)
        given = state_hash(key[1], known.version, net, nanos)
        if given != known.state_hash:
            raise StateMismatch(key[1], given, known.state_hash)
        self._settle(key, known, channel, net, nanos)

    def settle_many(self, settlements: Sequence[Settlement]) -> None:
        """`settle` for many; an item that does not match is skipped and stops nobody [C4]."""
        for item in settlements:
            try:
                self.settle(item.channel, item.net, item.nanos)
            except (NotInDispute, DisputeStillOpen, StateMismatch):
                self.host.emit("SettleSkipped", self.channel_id(item.channel))

    # ------------------------------------------------------------------------------------- views

    def holdings(self, asset: Asset, channel: ChannelId) -> tuple[int, int, int, bool, bool]:
        """(alice, bob, withdrawals, drawn, disputed)."""
        funds = self.holds((asset, channel))
        disputed = (asset, channel) in self.disputes
        return funds.alice, funds.bob, funds.withdrawals, funds.drawn, disputed

    def dispute(self, asset: Asset, channel: ChannelId) -> tuple[int, int, bool, int]:
        """(version, deadline, settling, low 173 bits of the state hash); zeros if there is none."""
        known = self.disputes.get((asset, channel))
        if not known:
            return 0, 0, False, 0
        return known.version, known.deadline, known.settling, known.state_hash

    # ------------------------------------------------------------------- what refuses, in detail

    def _first_deadline(self, key: Key, channel: Channel, caller: Address) -> UnixTime:
        """Who may open a dispute, of what, and until when it lasts."""
        if caller not in (channel.alice, channel.bob, channel.alice_key, channel.bob_key):
            raise NotAParty(key[1], caller)
        funds = self.holds(key)
        if funds.alice == 0 and funds.bob == 0:
            raise EmptyChannel(key[1])
        deadline = UnixTime(self.host.now + channel.challenge)
        if deadline > MAX_DEADLINE:
            raise DeadlineTooFar(deadline)
        return deadline

    def _settle(
        self, key: Key, known: Dispute, channel: Channel, net: Wei, nanos: tuple[Nano, ...]
    ) -> None:
        before = self.holds(key)
        answers = [(nano, resolve(nano, self.host)) for nano in nanos]
        resolved = tuple(answer for _, answer in answers if answer)
        remaining = tuple(nano for nano, answer in answers if not answer)
        if known.settling and not resolved:
            return  # nothing new

        alice, bob = free_money(key, before, net, nanos)
        alice += sum(answer.alice for answer in resolved)
        bob += sum(answer.bob for answer in resolved)
        if remaining:
            rest = state_hash(key[1], known.version, Wei(0), remaining)
            locked_alice = sum(nano.alice_lock for nano in remaining)
            locked_bob = sum(nano.bob_lock for nano in remaining)
            self._store(key, replace(before, alice=locked_alice, bob=locked_bob))
            self.disputes[key] = replace(known, state_hash=rest, settling=True)
        else:
            self._store(key, Funds())
            del self.disputes[key]
        self.host.emit("Settled", key[1], alice, bob, remaining)
        payout = Payout(
            channel, before, net, resolved, remaining, alice, bob, known.version, known.settling
        )
        self._pay_out(payout, 0)
