"""What a page in a browser loads: the protocol, and the program above it, without native code.

Python in a browser has no coincurve, no SQLite, no web3 and what that brings, and starts no
threads. The parts that know of these are loaded where they are used, and nowhere else.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

MISSING = (
    *("coincurve", "sha3", "sqlite3", "ssl", "cryptography"),
    *("web3", "eth_keys", "eth_abi", "eth_account", "eth_utils", "eth_typing", "eth_hash"),
    *("hexbytes", "rlp", "requests", "aiohttp", "websockets", "eth_tester", "eth", "pyrevm"),
)

PARTS = (
    *("perun.types", "perun.crypto", "perun.encoding", "perun.core.step", "perun.core.preverify"),
    *("perun.node.runtime", "perun.node.recovery", "perun.node.settings", "perun.node.guest"),
    *("perun.app.app", "perun.ports", "perun.store.memory", "perun.api.door", "perun.api.protocol"),
    *("perun.bindings", "perun.chain", "perun.chain.follower", "perun.chain.submitter"),
    *("perun.wire.noise", "perun.wire.session", "perun.wire.sessions", "perun.wire.parcels"),
    *("perun.page.household", "perun.page.store", "perun.page.endpoint", "perun.page.wire"),
    *("perun.page.keepers", "perun.page.bringing_back"),
    *("perun.wire.exchange", "perun.wallet", "perun.wallet.local", "perun.wallet.phrase"),
)

WITHOUT = f"""
import sys, threading

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING!r}:
            raise ModuleNotFoundError(f"no module named {{name}}", name=name)

def start(thread):
    raise RuntimeError("cannot start a thread here")

for name in list(sys.modules):
    if name.partition(".")[0] in {MISSING!r}:
        del sys.modules[name]
sys.meta_path.insert(0, Missing())
threading.Thread.start = start
"""


def run(code: str) -> str:
    """What a process without those packages prints."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_packages_are_missing_there() -> None:
    tried = "\n".join(
        f"try:\n    import {name}\n    print({name!r})\nexcept ModuleNotFoundError: pass"
        for name in MISSING
    )
    assert run(tried) == ""


@pytest.mark.parametrize("part", PARTS)
def test_part_is_loaded_without_native_code(part: str) -> None:
    run(f"import {part}")


def test_a_payment_is_signed_and_checked_there() -> None:
    said = run(
        """
        from perun.core.signing import Checker, digest
        from perun.crypto import SecretKey, sign
        from perun.crypto.backend import BACKEND
        from perun.node.settings import deployment_of
        from perun.types import Statement

        deployment = deployment_of(1, {"MSContract": b"\\x01" * 20, "VPM": b"\\x02" * 20})
        key, paid = SecretKey(b"\\x07" * 32), Statement(b"\\x04" * 32, 5)
        Checker(deployment).check(paid, sign(digest(deployment, paid), key), key.address)
        print(BACKEND.__name__)
        """
    )
    assert said == "perun.crypto.backend.plain\n"
