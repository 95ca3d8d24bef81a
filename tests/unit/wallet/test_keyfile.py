from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account as EthAccount

from perun.crypto import SecretKey
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


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyfileError, match="cannot be read"):
        read_keyfile(tmp_path / "none", "open")
