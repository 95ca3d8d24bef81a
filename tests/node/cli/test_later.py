"""What our programs put off is there when it is asked for, and as it was."""

from __future__ import annotations

import subprocess
import sys

_FIRST = "import sys; from perun.cli.later import put_off_curve; put_off_curve()\n"
_LOADED = "'py_ecc.optimized_bls12_381' in sys.modules"


def _said(code: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", _FIRST + code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_web3_loads_no_curve() -> None:
    assert _said(f"import web3; print({_LOADED})") == ["False"]


def test_a_validators_keyfile_is_read_as_ever() -> None:
    assert _said(
        "from eth_keyfile import create_keyfile_json, decode_keyfile_json\n"
        f"print({_LOADED})\n"
        "file = create_keyfile_json(b'1' * 32, b'word', version=4, kdf='scrypt', iterations=2)\n"
        "print(decode_keyfile_json(file, b'word').decode())\n"
        f"print({_LOADED})\n"
    ) == ["False", "1" * 32, "True"]


def test_the_number_that_stands_in_is_the_curves() -> None:
    assert _said(
        "import eth_keyfile.keyfile as keyfile\n"
        "from py_ecc.bls12_381 import curve_order, field_modulus\n"
        "from py_ecc.optimized_bls12_381 import curve_order as real\n"
        "print(keyfile.curve_order == curve_order == real, field_modulus > real)\n"
    ) == ["True", "True"]


def test_a_chain_in_memory_finds_what_it_needs() -> None:
    assert _said(
        "import web3, eth_tester\n"
        "from py_ecc.bls.hash_to_curve import hash_to_G2\n"
        "from eth_tester import PyEVMBackend\n"
        "print(len(PyEVMBackend().get_accounts()))\n"
    ) == ["10"]
