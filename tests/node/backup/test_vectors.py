"""Backups and towers as the committed vectors have them, made by other code than ours."""

from __future__ import annotations

from typing import Any

import msgspec

import tests.vectors
from perun.backup.entries import Entry, chain, open_entry
from perun.backup.keys import BackupKeys
from perun.backup.requests import Request
from perun.daemon.keyring import Keyring
from perun.encoding.wire_data import backup_digest, tower_digest
from perun.tower.requests import Request as TowerRequest


def raw(value: Any) -> Any:
    """Hex as bytes."""
    if isinstance(value, dict):
        return {key: raw(item) for key, item in value.items()}
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    return value


IT = raw(tests.vectors.load("services"))
KEYRING = Keyring.of(IT["phrase"], int(IT["number"]))
KEYS = BackupKeys(KEYRING.backup)
AT = int(IT["at"])


def test_keys_of_a_phrase() -> None:
    assert KEYRING.backup == IT["root"]
    assert KEYS.name == IT["owner"]
    assert KEYS.slot(KEYRING.number) == IT["slot"]
    assert KEYS.seal(IT["slot"]) == IT["seal"]


def test_entries() -> None:
    entries = [Entry.parse(IT[name]) for name in ("snapshot", "entry")]
    assert chain(entries) == entries
    assert [open_entry(KEYS, IT["slot"], entry) for entry in entries] == [IT["content"]] * 2


def test_request_to_a_place() -> None:
    asked = Request.sign(KEYS, "put", AT, IT["slot"], IT["snapshot"])
    assert backup_digest("put", AT, IT["slot"], IT["snapshot"]) == IT["put"]["digest"]
    assert asked.signature == IT["put"]["signature"]
    assert msgspec.msgpack.encode(asked) == IT["put"]["request"]
    assert Request.parse(IT["put"]["request"]) == asked


def test_request_to_a_tower() -> None:
    told = TowerRequest.sign(KEYRING.node, IT["host"], AT, IT["content"])
    assert tower_digest(IT["host"], AT, IT["content"]) == IT["watch"]["digest"]
    assert told.signature == IT["watch"]["signature"]
    assert msgspec.msgpack.encode(told) == IT["watch"]["request"]
    assert TowerRequest.parse(IT["watch"]["request"]) == told
