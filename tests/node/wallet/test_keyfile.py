from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount

from perun.crypto import SecretKey
from perun.crypto.interop import checksum
from perun.wallet import KeyfileError, decrypt, encrypt, read_keyfile, write_keyfile

KEY = SecretKey(b"\x05" * 32)
QUICK = 2  # scrypt's n: no protection, no waiting


def test_key_comes_back_with_the_right_password() -> None:
    assert decrypt(encrypt(KEY, "open", work=QUICK), "open").secret == KEY.secret


def test_other_wallets_read_it() -> None:
    text = encrypt(KEY, "open", work=QUICK)
    assert bytes(EthAccount.decrypt(text, "open")) == KEY.secret
    assert json.loads(text)["version"] == 3


def test_secret_is_not_in_the_file() -> None:
    assert KEY.secret.hex() not in encrypt(KEY, "open", work=QUICK)


def test_wrong_password_is_said() -> None:
    with pytest.raises(KeyfileError, match="password is wrong"):
        decrypt(encrypt(KEY, "open", work=QUICK), "shut")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "7", "[" * 2_000, '{"crypto": {}}', '{"version": 3}']
)
def test_anything_else_is_no_keyfile(text: str) -> None:
    with pytest.raises(KeyfileError, match="no keyfile"):
        decrypt(text, "open")


def test_exchanged_address_is_noticed() -> None:
    content = json.loads(encrypt(KEY, "open", work=QUICK))
    content["address"] = "11" * 20
    with pytest.raises(KeyfileError, match="another key"):
        decrypt(json.dumps(content), "open")


def test_file_is_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    write_keyfile(path, KEY, "open", work=QUICK)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_keyfile(path, "open").address == KEY.address
    with pytest.raises(KeyfileError):
        write_keyfile(path, KEY, "other", work=QUICK)
    assert read_keyfile(path, "open").address == KEY.address


def test_file_that_found_no_room_is_not_left_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "key.json"
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(KeyfileError, match="No space left"):
            write_keyfile(path, KEY, "open", work=QUICK)
    assert not path.exists()
    write_keyfile(path, KEY, "open", work=QUICK)
    assert read_keyfile(path, "open").address == KEY.address


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyfileError, match="cannot be read"):
        read_keyfile(tmp_path / "none", "open")


def _changed(**more: Any) -> bytes:
    return json.dumps({**json.loads(encrypt(KEY, "open", work=QUICK)), **more}).encode()


def _renamed(names: Callable[[str], str]) -> bytes:
    """The same with other names of everything that has one."""

    def rename(value: Any) -> Any:
        return {names(k): rename(v) for k, v in value.items()} if isinstance(value, dict) else value

    return json.dumps(rename(json.loads(_changed()))).encode()


def _with_parameters(change: Callable[[Any], Any]) -> bytes:
    crypto = json.loads(_changed())["crypto"]
    parameters = {name: change(value) for name, value in crypto["kdfparams"].items()}
    return _changed(crypto={**crypto, "kdfparams": parameters})


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _point(value: Any) -> Any:
    return float(value) if isinstance(value, int) else value


FOREIGN = {
    "byte order mark": b"\xef\xbb\xbf" + _changed(),
    "UTF-16": _changed().decode().encode("utf-16"),
    "UTF-16 without a mark": _changed().decode().encode("utf-16-be"),
    "white space around": b"\r\n" + _changed() + b"\r\n",
    "checksummed address": _changed(address=checksum(KEY.address)),
    "0X": _changed(address="0X" + KEY.address.hex().upper()),
    "no address": json.dumps({"crypto": json.loads(_changed())["crypto"], "version": 3}).encode(),
    "empty address": _changed(address=""),
    "null address": _changed(address=None),
    "0x alone": _changed(address="0x"),
    "address of another coding": _changed(address="XE86MA0MDVXB6UGPTNGW4Z1PD4YIQWGEQT"),
    "version as text": _changed(version="3"),
    "version with a point": _changed(version=3.0),
    "parameters as text": _with_parameters(_text),
    "parameters with a point": _with_parameters(_point),
    "capitals": _renamed(str.capitalize),
    "more than is defined": _changed(id=None, name="", meta="{}", hidden={"a": [1]}),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_other_wallets_write_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    assert read_keyfile(path, "open").address == KEY.address


@pytest.mark.parametrize("version", [1, 2, 4, "three", None, True, "3" * 30, 3.5])
def test_other_versions_are_no_keyfile(version: Any) -> None:
    with pytest.raises(KeyfileError, match="no keyfile"):
        decrypt(_changed(version=version).decode(), "open")


def test_endless_file_is_no_keyfile() -> None:
    with pytest.raises(KeyfileError):
        read_keyfile(Path("/dev/zero"), "open")


@pytest.mark.parametrize(
    ("kdf", "params"),
    [
        ("pbkdf2", {"c": 2 * 10**9, "prf": "hmac-sha256", "dklen": 32}),
        ("pbkdf2", {"c": 1, "prf": "hmac-sha256", "dklen": 2 * 10**9}),
        ("scrypt", {"n": 2**20, "r": 8, "p": 1_000, "dklen": 32}),
        ("scrypt", {"n": 2**24, "r": 8, "p": 1, "dklen": 32}),
        ("scrypt", {"n": 1_024, "r": 1, "p": 10**8, "dklen": 32}),
        ("scrypt", {"n": 1_024, "r": "8 ", "p": 1, "dklen": 32}),
    ],
)
def test_file_that_would_compute_for_hours_is_no_keyfile(kdf: str, params: dict[str, Any]) -> None:
    crypto = {
        "kdf": kdf,
        "kdfparams": {**params, "salt": "ab" * 32},
        "cipher": "aes-128-ctr",
        "ciphertext": "00" * 32,
        "cipherparams": {"iv": "00" * 16},
        "mac": "00" * 32,
    }
    with pytest.raises(KeyfileError, match="no keyfile"):
        decrypt(json.dumps({"version": 3, "crypto": crypto}), "x")
