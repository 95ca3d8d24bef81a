"""Calls of the stateful games, written down for the model in Coq to make again.

The games compare `perun.spec` with the bytecode after every call; here the same calls go to
`proofs/coq/Contract.v`, with all that strangers did meanwhile, and the money, disputes and credits
that they led to. So what is proved of that model is said of what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch

from perun.crypto import recover
from perun.encoding import close_digest, open_digest, state_digest, state_hash, withdraw_digest
from perun.spec import Contracts, Host
from perun.spec.custody import Dispute, Key
from perun.spec.nanos import read_outcome
from perun.spec.reverts import Refused, TokenRefused
from perun.types import ETH, Channel, Close, Nano, Open, Settlement, State, Withdraw
from proofs.terms import boolean, integer, listed
from tests.games.stateful.arena import Arena, Call
from tests.games.stateful.play import Play

PAYABLE = ("open", "openBoth", "deposit", "fund")
UNPLAIN = ("LyingToken", "InflatingToken")
"""Tokens that move other than what they report: their balances are left out."""
MOVES = 300


@dataclass(slots=True)
class Strangers:
    """What tokens, payees and nanocontracts did during one call."""

    brings: int | None = None
    pays: dict[bytes, set[bool]] = field(default_factory=dict)
    outcomes: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    refused: str | None = None

    @property
    def undelivered(self) -> list[bytes]:
        return [to for to, went in self.pays.items() if went == {False}]

    @property
    def fickle(self) -> bool:
        """Did one payee take one payout of a call and refuse another? The model has one answer."""
        return any(len(went) > 1 for went in self.pays.values())


@dataclass(slots=True)
class Recorder:
    """Writes the calls of one arena down as terms of Coq."""

    arena: Arena
    names: dict[bytes, int] = field(default_factory=lambda: {bytes(20): 0})
    words: dict[bytes, int] = field(default_factory=dict)
    known: dict[bytes, Channel] = field(default_factory=dict)
    states: dict[tuple[bytes, int, int], tuple[int, tuple[Nano, ...]]] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------------------------- writing

    def record(self, call: Call) -> Any:
        """In place of `Arena.model`: the same, written down."""
        before = self._seen(call)
        with _watched() as strangers:
            answer = Arena.model(self.arena, call)
        self._learn(call)
        if call.contract != "MSContract" or strangers.fickle:
            return answer
        if call.value and call.function not in PAYABLE:
            return answer
        after = self._seen(call)
        if before is not None and after is not None:
            self.cases.append(self._case(call, before, strangers, after))
        return answer

    def _case(self, call: Call, before: str, strangers: Strangers, after: str) -> str:
        answers = [
            f"({self._nano(nano)}, {integer(strangers.outcomes[nano.app, nano.id])})"
            for nano in _nanos(call)
            if (nano.app, nano.id) in strangers.outcomes
        ]
        expected = f"inl {strangers.refused}" if strangers.refused else f"inr {after}"
        brings = "None" if strangers.brings is None else f"(Some {integer(strangers.brings)})"
        unpaid = listed(str(self._name(to)) for to in strangers.undelivered)
        return (
            f"Build_Case {self.arena.now} {before} {brings} {unpaid} {listed(answers)} "
            f"{self._name(call.caller)} {call.value} {self._call(call)} ({expected})"
        )

    def _learn(self, call: Call) -> None:
        """What states mean whose hashes alone the contract keeps."""
        ms = self.arena.world.ms_contract
        for channel in _channels(call):
            identity = ms.channel_id(channel)
            self.known[identity] = channel
        if call.function == "register":
            channel, version, net, nanos = call.args[:4]
            self._meaning(ms.channel_id(channel), version, net, tuple(nanos))
        for payout in ms.payouts[-8:]:
            if payout.version is not None:
                identity = ms.channel_id(payout.channel)
                self._meaning(identity, payout.version, 0, tuple(payout.remaining))

    def _meaning(self, identity: bytes, version: int, net: int, nanos: tuple[Nano, ...]) -> None:
        try:
            digest = state_hash(identity, version, net, nanos)  # type: ignore[arg-type]
        except (OverflowError, ValueError):
            return
        self.states[identity, version, digest] = net, nanos

    def _seen(self, call: Call) -> str | None:
        """Balances, channels and credits that the call can reach; None if a state is not known."""
        self._learn(call)
        ms, host = self.arena.world.ms_contract, self.arena.world.host
        keys, accounts, assets = self.arena._reach(call)
        odd = {self.arena.stage.addresses[name] for name in UNPLAIN}
        own = ms.domain.contract
        balances = [
            f"({self._name(asset)}, {integer(host.balance(asset, own))})"
            for asset in sorted(assets)
            if asset not in odd and own not in accounts
        ]
        channels = []
        for key in sorted(keys):
            dispute = ms.disputes.get(key)
            meaning = self._dispute(key, dispute)
            if dispute is not None and meaning is None:
                return None
            funds = ms.holds(key)
            channels.append(
                f"({self._key(key)}, Build_Funds {integer(funds.alice)} {integer(funds.bob)} "
                f"{funds.withdrawals} {boolean(funds.drawn)}, {meaning or 'None'})"
            )
        purses = [
            f"(({self._name(asset)}, {self._name(account)}), {ms.credit(asset, account)})"
            for asset in sorted(assets)
            for account in sorted(accounts)
        ]
        return f"(Build_Seen {listed(balances)} {listed(channels)} {listed(purses)})"

    # --------------------------------------------------------------------------------------- terms

    def _dispute(self, key: Key, dispute: Dispute | None) -> str | None:
        if dispute is None:
            return None
        meaning = self.states.get((key[1], dispute.version, dispute.state_hash))
        if meaning is None:
            return None
        net, nanos = meaning
        return (
            f"Some (Build_Dispute {dispute.version} {dispute.deadline} {integer(net)} "
            f"{self._nanos(nanos)} {boolean(dispute.settling)})"
        )

    def _call(self, call: Call) -> str:
        a = call.args
        if call.function == "open":
            return f"(call_open {self._channel(a[0])} {integer(a[1])} {integer(a[2])})"
        if call.function == "deposit":
            return (
                f"(call_deposit {self._name(a[0])} {self._id(a[1])} {boolean(a[2])} "
                f"{integer(a[3])} {integer(a[4])})"
            )
        if call.function == "fund":
            return f"(call_fund {self._name(a[0])} {self._name(a[1])} {integer(a[2])})"
        if call.function == "claim":
            return f"(call_claim {self._name(a[0])} {integer(a[1])} {self._name(a[2])})"
        if call.function == "settle":
            return f"(call_settle {self._channel(a[0])} {integer(a[1])} {self._nanos(a[2])})"
        if call.function == "settleMany":
            items = (
                f"({self._channel(i.channel)}, {integer(i.net)}, {self._nanos(i.nanos)})"
                for i in a[0]
            )
            return f"(call_settle_many {listed(items)})"
        return self._agreed(call)

    def _agreed(self, call: Call) -> str:
        """The calls that carry signatures, each with the message that they should be over."""
        domain, a = self.arena.world.ms_contract.domain, call.args
        channel = a[0]
        identity = self.arena.world.ms_contract.channel_id(channel)
        ours, who = self._channel(channel), self._id(identity)
        if call.function == "openBoth":
            numbers = " ".join(integer(n) for n in a[1:4])
            digest = open_digest(domain, Open(identity, *a[1:4]))
            signature = self._signature(a[4], digest, f"(Open {who} {numbers})")
            return f"(call_open_both {ours} {numbers} {signature})"
        if call.function == "close":
            numbers = " ".join(integer(n) for n in a[1:4])
            digest = close_digest(domain, Close(identity, *a[1:4]))
            signed = self._both(a[4:6], digest, f"(Close {who} {numbers})")
            return f"(call_close {ours} {numbers} {signed})"
        if call.function == "withdraw":
            numbers = " ".join(integer(n) for n in a[1:5])
            digest = withdraw_digest(domain, Withdraw(identity, *a[1:5]))
            signed = self._both(a[5:7], digest, f"(Withdraw {who} {numbers})")
            return f"(call_withdraw {ours} {numbers} {signed})"
        _, version, net, nanos, by_alice, by_bob, evidence = a
        terms = f"{integer(version)} {integer(net)} {self._nanos(nanos)}"
        digest = state_digest(domain, State(identity, version, net, tuple(nanos)))
        signed = self._both((by_alice, by_bob), digest, f"(State {who} {terms})")
        return f"(call_register {ours} {terms} {signed} {len(evidence)})"

    def _both(self, signatures: Sequence[Any], digest: Any, message: str) -> str:
        return " ".join(self._signature(s, digest, message) for s in signatures)

    def _signature(self, signature: Any, digest: Any, message: str) -> str:
        if not signature:
            return "Unsigned"
        signer = recover(digest, signature)
        return f"(Signed {self._name(signer)} {message})" if signer else "Garbage"

    def _channel(self, c: Channel) -> str:
        parties = (c.alice, c.bob, c.alice_key, c.bob_key, c.asset)
        names = " ".join(str(self._name(party)) for party in parties)
        return f"(Build_Channel {names} {c.challenge} {c.nonce})"

    def _id(self, identity: bytes) -> str:
        known = self.known.get(identity)
        if known is None:
            return f"(no_channel {int.from_bytes(identity)})"
        return f"(id_of {self._channel(known)})"

    def _key(self, key: Key) -> str:
        return f"({self._name(key[0])}, {self._id(key[1])})"

    def _nanos(self, nanos: Iterable[Nano]) -> str:
        return listed(self._nano(nano) for nano in nanos)

    def _nano(self, n: Nano) -> str:
        # Ids and apps keep their order, which the contract looks at.
        return (
            f"(Build_Nano {int.from_bytes(n.app)} {int.from_bytes(n.id)} {n.alice_lock} "
            f"{n.bob_lock} {n.expiry} {boolean(n.swapped)})"
        )

    def _name(self, address: bytes) -> int:
        return self.names.setdefault(bytes(address), len(self.names))


@contextmanager
def _watched() -> Iterator[Strangers]:
    """What the model's host is asked during one call, and what it answers."""
    seen = Strangers()
    pull, pay, ask, run = Host.pull, Host.pay, Host.ask, Contracts.call

    def watch_pull(host: Host, asset: Any, *rest: Any) -> int:
        arrived = pull(host, asset, *rest)
        if asset != ETH:
            seen.brings = arrived
        return arrived

    def watch_pay(host: Host, asset: Any, payer: Any, to: Any, amount: Any) -> bool:
        went = pay(host, asset, payer, to, amount)
        seen.pays.setdefault(to, set()).add(went)
        return went

    def watch_ask(host: Host, app: Any, nano_id: Any) -> bytes | None:
        answer = ask(host, app, nano_id)
        shift = read_outcome(answer)
        if shift is not None:
            seen.outcomes[app, nano_id] = shift
        return answer

    def watch_call(world: Contracts, function: Any) -> Any:
        try:
            return run(world, function)
        except Refused as refused:
            seen.refused = type(refused).__name__
            if isinstance(refused, TokenRefused):
                seen.brings = None
            raise

    with (
        patch.object(Host, "pull", watch_pull),
        patch.object(Host, "pay", watch_pay),
        patch.object(Host, "ask", watch_ask),
        patch.object(Contracts, "call", watch_call),
    ):
        yield seen


def record(seed: int, wanted: int) -> tuple[int, list[str]]:
    """(the contract's name, at least `wanted` cases) of games from `seed` on."""
    cases: list[str] = []
    while len(cases) < wanted:
        rng = Random(seed)
        play = Play(Random(0))
        recorder = Recorder(play.arena)
        own = recorder._name(play.arena.world.ms_contract.domain.contract)
        play.arena.model = recorder.record  # type: ignore[method-assign]
        for _ in range(MOVES):
            play.reseed(rng.getrandbits(32))
            play.step()
        play.finish()
        cases += recorder.cases
        seed += 1
    return own, cases[:wanted]


def as_coq(own: int, cases: Sequence[str]) -> str:
    """A file that Coq takes only if its model does the same in every case."""
    lines = ";\n".join(cases)
    return (
        "From Perun Require Import Replay.\n"
        f"Definition cases : list Case := [\n{lines}\n].\n"
        "Definition wrong := Eval vm_compute in disagreements "
        f"{own} cases.\nPrint wrong.\n"
        "Goal wrong = []. reflexivity. Qed.\n"
    )


def _channels(call: Call) -> Iterator[Channel]:
    for arg in call.args:
        if isinstance(arg, Channel):
            yield arg
        elif isinstance(arg, (list, tuple)):
            yield from (item.channel for item in arg if isinstance(item, Settlement))


def _nanos(call: Call) -> Iterator[Nano]:
    for arg in call.args:
        if isinstance(arg, (list, tuple)):
            for item in arg:
                if isinstance(item, Nano):
                    yield item
                elif isinstance(item, Settlement):
                    yield from item.nanos
