"""What is secret does not stand in logs and tracebacks, which show what they are given."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import walk_packages
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import fields

import perun
from perun import crypto
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.core.notices import PreimageLearnt
from perun.crypto import SecretKey, interop
from perun.encoding.messages import Propose
from perun.types import ChannelId, InstanceId, Preimage, Record, Signature, State, Version, Wei

SECRET = bytes(range(32, 64))
ID = InstanceId(b"\x07" * 32)


def _every_record() -> list[type[Record]]:
    """Of all parts that need no web3 to be loaded."""
    found: set[type[Record]] = set()
    for part in ("types", "core", "encoding", "node", "store", "wallet", "wire"):
        module = import_module(f"perun.{part}")
        names = [
            info.name for info in walk_packages(getattr(module, "__path__", []), f"perun.{part}.")
        ]
        for each in (module, *map(import_module, names)):
            found |= {
                kind
                for kind in vars(each).values()
                if inspect.isclass(kind) and issubclass(kind, Record)
            }
    return sorted(found, key=lambda kind: kind.__qualname__)


SECRETIVE = [
    kind
    for kind in _every_record()
    if {"preimage", "seed", "secret"} & {field.name for field in fields(kind)}
]


def test_records_with_secrets_are_found() -> None:
    assert {CommandReveal, PreimageLearnt, Propose} <= set(SECRETIVE)


@pytest.mark.parametrize("kind", SECRETIVE, ids=lambda kind: kind.__name__)
def test_record_does_not_show_its_secret(kind: type[Record]) -> None:
    values = {
        field.name: SECRET if field.name in ("preimage", "seed", "secret") else b"\x01"
        for field in fields(kind)
    }
    # What is in it beside the secret does not matter, nor whether it could be made so.
    stub: Any = SimpleNamespace(**values, __struct_fields__=kind.__struct_fields__)
    shown = kind.__repr__(stub)
    assert SECRET.hex() not in shown
    assert repr(SECRET) not in shown


def test_secret_of_a_lock_is_not_shown_where_it_is_said() -> None:
    secret = Preimage(SECRET)
    state = State(ChannelId(bytes(32)), Version(2), Wei(0))
    proposal = Propose(state, Signature(bytes(65)), 2, preimage=secret)
    for record in (CommandReveal(ID, secret), PreimageLearnt(ID, secret), proposal):
        assert SECRET.hex() not in f"{record!r} {record}"
        assert "secret" in repr(record)
        assert record.preimage == secret


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, lambda key: f"{[key]}"])
def test_new_key_is_not_shown(show: Any) -> None:
    key = perun.new_key()
    assert key.to_hex()[2:] not in show(key)
    assert str(int(key)) not in show(key)
    assert key.public_key.to_address() in show(key)


def test_hidden_key_is_the_key_that_others_know() -> None:
    secret = SecretKey(SECRET)
    key = interop.eth_private_key(secret)
    assert key.to_bytes() == SECRET
    assert interop.secret_key(key).secret == secret.secret
    assert SECRET.hex() not in f"{secret!r} {secret} {crypto.SecretKey(SECRET)!r}"
