"""What a row is told with: channels and machines that sign, encode and send like their parties."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.gas.bench import ETHER, Bench, Sending
from perun import encoding
from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.testing.owners import Owner
from perun.types import (
    ETH,
    Asset,
    Channel,
    ChannelId,
    Close,
    Digest,
    InstanceId,
    Machine,
    Nano,
    Nonce,
    Open,
    Salt,
    Seconds,
    Settlement,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

CHALLENGE = Seconds(3600)
SOON = 1000
"""How long offers live in these rows, in seconds."""
NOTHING = Signature(b"")


@dataclass
class Scene:
    """A row while it is measured: the bench, and the steps that count."""

    bench: Bench
    name: str
    asset: Asset = ETH
    steps: dict[str, int] = field(default_factory=dict)
    _drawn: int = 0

    def measure(self, label: str, sending: Sending, sender: Owner) -> None:
        """Sends, and counts the gas under a label of its own."""
        if label in self.steps:
            raise ValueError(f"{self.name} has two steps {label!r}")
        self.steps[label] = sending(sender)

    def draw(self) -> bytes:
        """32 bytes, other ones each time, the same ones in every run."""
        self._drawn += 1
        return self.bench.hash(f"{self.name} {self._drawn}")

    def value(self, amount: int) -> int:
        """The ETH to send along with an amount of the row's asset."""
        return amount if self.asset == ETH else 0

    def channel(self, alice: Owner | None = None, bob: Owner | None = None) -> Basic:
        """A new channel of the row's asset, Alice and Bob if nobody else is named."""
        return Basic(self, alice or self.bench.alice, bob or self.bench.bob)

    def open_channel(self, alice: Owner | None = None, bob: Owner | None = None) -> Basic:
        """The same with both deposits made, 1 ETH or token each."""
        channel = self.channel(alice, bob)
        channel.deposit(channel.alice)(channel.alice)
        channel.deposit(channel.bob)(channel.bob)
        return channel

    def machine(
        self, lock: int = ETHER // 2, alice: SecretKey | None = None, bob: SecretKey | None = None
    ) -> Payments:
        """A payment machine over the parties' session keys if none are given."""
        return Payments(self, lock, alice or self.bench.alice.key, bob or self.bench.bob.key)

    def fund(self, account: Owner, amount: int) -> Sending:
        """Gives an account credit."""
        call = self.bench.call
        return call(
            "MSContract", "fund", self.asset, account.account, amount, value=self.value(amount)
        )


class Basic:
    """A basic channel; its methods prepare calls. `signed_by`: whose signatures go along."""

    def __init__(self, scene: Scene, alice: Owner, bob: Owner) -> None:
        self._scene = scene
        self._bench = scene.bench
        self.alice = alice
        self.bob = bob
        self.terms = Channel(
            alice.account,
            bob.account,
            alice.key.address,
            bob.key.address,
            scene.asset,
            CHALLENGE,
            Nonce(int.from_bytes(scene.draw()[:8], "big")),
        )
        self.id: ChannelId = encoding.channel_id(self._bench.domain, self.terms)

    def _call(self, function: str, *arguments: object, value: int = 0) -> Sending:
        return self._bench.call("MSContract", function, *arguments, value=value)

    def _soon(self) -> UnixTime:
        return UnixTime(self._bench.now + SOON)

    def _signatures(self, digest: Digest, signed_by: tuple[Owner, ...]) -> tuple[bytes, bytes]:
        alice, bob = (
            sign(digest, party.key) if party in signed_by else NOTHING
            for party in (self.alice, self.bob)
        )
        return alice, bob

    def open(self, amount: int = ETHER) -> Sending:
        value = self._scene.value(amount)
        return self._call("open", self.terms, amount, self._soon(), value=value)

    def deposit(self, side: Owner, amount: int = ETHER) -> Sending:
        value, to_bob = self._scene.value(amount), side is self.bob
        where = (self.terms.asset, self.id, to_bob)
        return self._call("deposit", *where, amount, self._soon(), value=value)

    def open_both(self, share: int = ETHER) -> Sending:
        """Alice's share comes with the call, Bob's account has signed for his."""
        until = self._soon()
        message = Open(self.id, Wei(share), Wei(ETHER), until)
        signature = sign(encoding.open_digest(self._bench.domain, message), self.bob.account_key)
        value = self._scene.value(share)
        return self._call("openBoth", self.terms, share, ETHER, until, signature, value=value)

    def close(
        self, net: int, signed_by: tuple[Owner, ...], to_credit: int = 0, compact: bool = False
    ) -> Sending:
        until = self._soon()
        message = Close(self.id, Wei(net), until, to_credit)
        digest = encoding.close_digest(self._bench.domain, message)
        signatures = self._signatures(digest, signed_by)
        if compact:
            signatures = (shortened(signatures[0]), shortened(signatures[1]))
        return self._call("close", self.terms, net, until, to_credit, *signatures)

    def withdraw(
        self, index: int, amounts: tuple[int, int], signed_by: tuple[Owner, ...]
    ) -> Sending:
        until = self._soon()
        message = Withdraw(self.id, index, Wei(amounts[0]), Wei(amounts[1]), until)
        digest = encoding.withdraw_digest(self._bench.domain, message)
        signatures = self._signatures(digest, signed_by)
        return self._call("withdraw", self.terms, index, *amounts, until, *signatures)

    def register(
        self,
        version: int,
        net: int,
        signed_by: tuple[Owner, ...],
        nanos: tuple[Nano, ...] = (),
        evidence: tuple[bytes, ...] = (),
    ) -> Sending:
        message = State(self.id, Version(version), Wei(net), nanos)
        digest = encoding.state_digest(self._bench.domain, message)
        signatures = self._signatures(digest, signed_by)
        return self._call("register", self.terms, version, net, nanos, *signatures, evidence)

    def settle(self, net: int, nanos: tuple[Nano, ...] = ()) -> Sending:
        return self._call("settle", self.terms, net, nanos)

    def settlement(self, net: int) -> Settlement:
        return Settlement(self.terms, Wei(net), ())


class Payments:
    """A payment machine with the keys that sign its statements."""

    def __init__(self, scene: Scene, lock: int, alice: SecretKey, bob: SecretKey) -> None:
        self._bench = scene.bench
        self._alice = alice
        self._bob = bob
        self.terms = Machine(
            alice.address,
            bob.address,
            Wei(lock),
            Wei(lock),
            UnixTime(self._bench.now + 50_000),
            CHALLENGE,
            Salt(scene.draw()),
        )
        self.id = encoding.machine_id(self._bench.vpm_domain, self.terms)
        self.final_time = self.terms.validity + self.terms.challenge
        self.nano = Nano(
            self._bench.addresses["VPM"],
            InstanceId(self.id),
            self.terms.alice_lock,
            self.terms.bob_lock,
            UnixTime(self.final_time),
            False,
        )

    def _statement(self, paid: int, key: SecretKey) -> Signature:
        if paid == 0:
            return NOTHING
        message = Statement(self.id, Wei(paid))
        return sign(encoding.statement_digest(self._bench.vpm_domain, message), key)

    def evidence(self, by_alice: int, by_bob: int) -> bytes:
        """Both totals with their signatures; a total of 0 has none."""
        return encoding.statements_evidence(
            self.terms,
            Wei(by_alice),
            self._statement(by_alice, self._alice),
            Wei(by_bob),
            self._statement(by_bob, self._bob),
        )

    def submit_statements(self, by_alice: int, by_bob: int) -> Sending:
        return self._bench.call(
            "VPM",
            "submitStatements",
            self.terms,
            by_alice,
            self._statement(by_alice, self._alice),
            by_bob,
            self._statement(by_bob, self._bob),
        )

    def submit(self, by_alice: int, by_bob: int) -> Sending:
        return self._bench.call("VPM", "submit", self.evidence(by_alice, by_bob))


def in_order(machines: list[Payments]) -> list[Payments]:
    """As a state must list them: ascending by id (they share their contract)."""
    return sorted(machines, key=lambda machine: machine.id)


def shortened(signature: bytes) -> bytes:
    """The 64 bytes of EIP-2098: the parity of `v` in the top bit of `s`."""
    if not signature:
        return signature
    high = signature[32] | (signature[64] - 27) << 7
    return signature[:32] + bytes((high,)) + signature[33:64]
