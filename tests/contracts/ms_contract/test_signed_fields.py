"""Every field of every message, and its domain, is what was signed: one bit off and it is nobody's.

`Statement` is here too, although VPM checks it: the rule is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import plain
from tests.support.channels import BasicChannel, new_channel
from tests.support.instances import new_machine, new_nano
from tests.support.reverts import reverts
from tests.support.stage import HOUR, Stage

Fields = dict[str, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A message: its fields with good values, and how it is sent."""

    type_string: str
    fields: Callable[[Stage], Fields]
    send: Callable[[BasicChannel, Fields, bytes, bytes], object]
    by_account: bool = False
    """Bob's account signs alone, else both keys do."""


def send_close(channel: BasicChannel, fields: Fields, alice: bytes, bob: bytes) -> object:
    values = fields["net"], fields["validUntil"], fields["toCredit"]
    return channel.stage.ms.send(channel.stage.carol, "close", channel.terms, *values, alice, bob)


def send_withdraw(channel: BasicChannel, fields: Fields, alice: bytes, bob: bytes) -> object:
    values = (fields[name] for name in ("index", "aliceAmount", "bobAmount", "validUntil"))
    return channel.stage.ms.send(
        channel.stage.carol, "withdraw", channel.terms, *values, alice, bob
    )


def send_state(channel: BasicChannel, fields: Fields, alice: bytes, bob: bytes) -> object:
    values = fields["version"], fields["net"], ()
    sender = channel.stage.carol  # answers a dispute that is open already
    return channel.stage.ms.send(sender, "register", channel.terms, *values, alice, bob, ())


def send_open(channel: BasicChannel, fields: Fields, alice: bytes, bob: bytes) -> object:
    values = fields["aliceAmount"], fields["bobAmount"], fields["validUntil"]
    return channel.stage.ms.send(
        channel.alice, "openBoth", channel.terms, *values, bob, value=fields["aliceAmount"]
    )


KINDS = {
    "Close": Kind(
        plain.CLOSE, lambda s: {"net": 3, "validUntil": s.now + 99, "toCredit": 1}, send_close
    ),
    "Withdraw": Kind(
        plain.WITHDRAW,
        lambda s: {"index": 0, "aliceAmount": 3, "bobAmount": 4, "validUntil": s.now + 99},
        send_withdraw,
    ),
    "State": Kind(plain.STATE, lambda _: {"version": 6, "net": 3}, send_state),
    "Open": Kind(
        plain.OPEN,
        lambda s: {"aliceAmount": 3, "bobAmount": 4, "validUntil": s.now + 99},
        send_open,
        by_account=True,
    ),
}


def ready(channel: BasicChannel, kind: Kind) -> BasicChannel:
    """With all the message needs, so that only the signer counts."""
    stage = channel.stage
    if kind.by_account:
        stage.ms.send(stage.bob, "fund", channel.asset, stage.bob.account, 50, value=50)
    else:
        channel.fund(10, 10)
    if kind.type_string == plain.STATE:
        channel.register(channel.alice, 0)
    return channel


def sign(channel: BasicChannel, kind: Kind, fields: Fields, **domain: Any) -> tuple[bytes, bytes]:
    """Signatures over these fields, in the domain of the stage unless told otherwise."""
    values: list[int | bytes] = [*fields.values()]
    if kind.type_string == plain.STATE:
        values.append(bytes(32))
    type_string = domain.pop("type_string", kind.type_string)
    separator = channel.stage.ms_separator
    if domain:
        parts = {
            "name": "Perun MSContract",
            "chain_id": channel.stage.chain_id,
            "contract": channel.stage.ms.address,
            **domain,
        }
        separator = plain.domain_separator(**parts)
    digest = plain.typed(separator, type_string, channel.id, *values)
    if kind.by_account:
        return b"", channel.bob.sign_with_account(digest)
    return channel.both(digest)


def refused(channel: BasicChannel, kind: Kind) -> Any:
    """The first signer is not who it should be."""
    expected = channel.bob.account if kind.by_account else channel.alice.key.address
    return reverts("WrongSigner", expected, ANY)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def test_message_as_signed_is_taken(stage: Stage, kind: Kind) -> None:
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    kind.send(channel, fields, *sign(channel, kind, fields))


def names(kind: Kind) -> list[str]:
    """Of all fields but the channel, as the type string has them."""
    return [part.split()[1] for part in kind.type_string[:-1].split(",")[1:]]


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, kind in KINDS.items() for field in names(kind)]
)
def test_changed_field_is_refused(stage: Stage, name: str, field: str) -> None:
    kind = KINDS[name]
    channel = ready(new_channel(stage), kind)
    signed = kind.fields(stage)
    signatures = sign(channel, kind, signed)
    if field == "nanos":  # the only field whose value is not a number
        nanos = (new_nano(stage.vpm, 1),)
        call = (channel.terms, signed["version"], signed["net"], nanos, *signatures, ())
        with refused(channel, kind):
            stage.ms.send(stage.carol, "register", *call)
        return
    for change in (signed[field] ^ 1, signed[field] + 2):
        if field == "index":  # the contract looks at the index before it looks at signers
            signatures = sign(channel, kind, {**signed, field: change})
            sent = signed
        else:
            sent = {**signed, field: change}
        with refused(channel, kind):
            kind.send(channel, sent, *signatures)


TERMS = ["alice", "bob", "alice_key", "bob_key", "asset", "challenge", "nonce"]


@pytest.mark.parametrize("field", TERMS)
def test_message_of_a_channel_with_other_terms_is_refused(
    stage: Stage, kind: Kind, field: str
) -> None:
    """Each term is part of the id, and the id is signed."""
    signed_for = new_channel(stage)
    other = {
        "alice": stage.ingrid.account,
        "bob": stage.ingrid.account,
        "alice_key": stage.ingrid.key.address,
        "bob_key": stage.ingrid.key.address,
        "asset": stage.token.address,
        "challenge": HOUR + 1,
        "nonce": signed_for.terms.nonce + 10**6,
    }
    signed_for = BasicChannel(
        stage,
        signed_for.alice,
        signed_for.bob,
        msgspec.structs.replace(signed_for.terms, **{field: other[field]}),
    )
    fields = kind.fields(stage)
    signatures = sign(signed_for, kind, fields)
    channel = ready(new_channel(stage), kind)
    with refused(channel, kind):
        kind.send(channel, fields, *signatures)


@pytest.mark.parametrize(
    "domain",
    [
        {"chain_id": 1},
        {"contract": bytes(20)},
        {"name": "Perun VPM"},
        {"name": "Perun MSContract "},
    ],
    ids=["chain", "contract", "name", "almost the name"],
)
def test_message_of_another_domain_is_refused(
    stage: Stage, kind: Kind, domain: dict[str, Any]
) -> None:
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    with refused(channel, kind):
        kind.send(channel, fields, *sign(channel, kind, fields, **domain))


def test_message_of_another_deployment_is_refused(stage: Stage, kind: Kind) -> None:
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    other = stage.deploy("MSContract").address
    with refused(channel, kind):
        kind.send(channel, fields, *sign(channel, kind, fields, contract=other))


def test_message_of_another_type_is_refused(stage: Stage, kind: Kind) -> None:
    """The same words under the type string of another message."""
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    for other in KINDS.values():
        if other is not kind:
            with refused(channel, kind):
                kind.send(
                    channel, fields, *sign(channel, kind, fields, type_string=other.type_string)
                )


@pytest.mark.parametrize("name", ["Close", "Withdraw", "State"])
def test_signatures_of_the_two_sides_are_not_exchanged(stage: Stage, name: str) -> None:
    kind = KINDS[name]
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    by_alice, by_bob = sign(channel, kind, fields)
    with reverts("WrongSigner", channel.alice.key.address, channel.bob.key.address):
        kind.send(channel, fields, by_bob, by_alice)


# ---------------------------------------------------------------------- lists and statements


@pytest.mark.parametrize(
    "change",
    [
        {"app": b"\x01" * 20},
        {"id": b"\x01" * 32},
        {"alice_lock": 3},
        {"bob_lock": 3},
        {"expiry": 10},
        {"swapped": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_changed_field_of_a_nano_is_refused(
    stage: Stage, funded: BasicChannel, change: dict[str, Any]
) -> None:
    nanos = (new_nano(stage.vpm, 1, 2, 2, 9), new_nano(stage.vpm, 2, 2, 2, 9))
    funded.register(stage.alice, 0)
    signatures = funded.state(2, 0, nanos)
    changed = (nanos[0], msgspec.structs.replace(nanos[1], **change))
    for listed in (changed, nanos[:1], (*nanos, new_nano(stage.vpm, 3))):
        with reverts("WrongSigner", stage.alice.key.address, ANY):
            funded.register(stage.carol, 2, 0, listed, signatures)


@given(bit=st.integers(0, 65 * 8 - 1), side=st.integers(0, 1))
def test_signature_with_a_bit_flipped_is_refused(
    stage: Stage, funded: BasicChannel, bit: int, side: int
) -> None:
    signatures = list(funded.both(funded.close_digest(3)))
    flipped = bytearray(signatures[side])
    flipped[bit // 8] ^= 1 << bit % 8
    signatures[side] = bytes(flipped)
    expected = (funded.alice, funded.bob)[side].key.address
    with reverts("WrongSigner", expected, ANY):
        stage.ms.ask("close", funded.terms, 3, 2**40 - 1, 0, *signatures, by=stage.carol)


MACHINE_TERMS = {
    "alice": b"\x01" * 20,
    "bob": b"\x01" * 20,
    "alice_lock": 11,
    "bob_lock": 11,
    "validity": 2**33,
    "challenge": HOUR + 1,
    "salt": bytes(32),
}


@pytest.mark.parametrize("field", MACHINE_TERMS)
def test_statement_for_a_machine_with_other_terms_is_refused(stage: Stage, field: str) -> None:
    machine = new_machine(stage)
    signed = machine.statements(7)[1]
    other = machine.changed(**{field: MACHINE_TERMS[field]})
    with reverts("WrongSigner", other.terms.alice, ANY):
        stage.vpm.send(stage.carol, "submitStatements", other.terms, 7, signed, 0, b"")


@pytest.mark.parametrize("change", [-1, 1])
def test_statement_with_another_total_is_refused(stage: Stage, change: int) -> None:
    machine = new_machine(stage)
    signed = machine.statements(7)[1]
    with reverts("WrongSigner", machine.terms.alice, ANY):
        stage.vpm.send(stage.carol, "submitStatements", machine.terms, 7 + change, signed, 0, b"")


@pytest.mark.parametrize(
    "domain", [{"chain_id": 1}, {"contract": bytes(20)}, {"name": "Perun MSContract"}]
)
def test_statement_of_another_domain_is_refused(stage: Stage, domain: dict[str, Any]) -> None:
    machine = new_machine(stage)
    parts = {"name": "Perun VPM", "chain_id": stage.chain_id, "contract": stage.vpm.address}
    separator = plain.domain_separator(**{**parts, **domain})
    signed = machine.alice.sign(plain.typed(separator, plain.STATEMENT, machine.id, 7))
    with reverts("WrongSigner", machine.terms.alice, ANY):
        stage.vpm.send(stage.carol, "submitStatements", machine.terms, 7, signed, 0, b"")


# ---------------------------------------------------------------------- forms of a signature


def compact(signature: bytes) -> bytes:
    """64 bytes (EIP-2098)."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


def counted_from_0(signature: bytes) -> bytes:
    """`v` as some hardware wallets give it."""
    return signature[:64] + bytes([signature[64] - 27])


@pytest.mark.parametrize("form", [compact, counted_from_0], ids=lambda form: form.__name__)
def test_every_form_is_taken_for_every_message(stage: Stage, kind: Kind, form: Any) -> None:
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    signatures = (form(signed) if signed else b"" for signed in sign(channel, kind, fields))
    kind.send(channel, fields, *signatures)


@pytest.mark.parametrize("form", [compact, counted_from_0], ids=lambda form: form.__name__)
def test_every_form_of_a_statement_is_taken(stage: Stage, form: Any) -> None:
    machine = new_machine(stage)
    by_alice, signed, by_bob, signed_by_bob = machine.statements(7, 4)
    arguments = (by_alice, form(signed), by_bob, form(signed_by_bob))
    stage.vpm.send(stage.carol, "submitStatements", machine.terms, *arguments)
    assert machine.totals()[:2] == (7, 4)


@pytest.mark.parametrize("length", [1, 32, 63, 66, 96, 130])
def test_signature_of_another_length_is_refused(stage: Stage, kind: Kind, length: int) -> None:
    """Not even a sender may bring a broken signature of its own."""
    channel = ready(new_channel(stage), kind)
    fields = kind.fields(stage)
    alice, bob = sign(channel, kind, fields)
    broken = [(signed * 2)[:length] if signed else b"" for signed in (alice, bob)]
    expected = channel.bob.account if kind.by_account else channel.alice.key.address
    with reverts("WrongSigner", expected, bytes(20)):
        kind.send(channel, fields, *broken)
