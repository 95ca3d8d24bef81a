"""Rules in revm, which is fast."""

from __future__ import annotations

import re
from typing import Final

import pyrevm

from perun.referee.evm import Failed

__all__ = ["run"]

_CALLER: Final = "0x" + "11" * 20
_RULES: Final = "0x" + "22" * 20
_OUTPUT: Final = re.compile(r"output: 0x([0-9a-f]*)")
_INTRINSIC: Final = 21_000


def run(code: bytes, call: bytes, gas: int) -> tuple[bytes, int]:
    """See `perun.referee.evm.Run`. The gas is what the code itself used."""
    # Cancun has every instruction that rules may use, and no floor price of calldata (EIP-7623),
    # which would hide what the code itself used.
    evm = pyrevm.EVM(spec_id="CANCUN", gas_limit=60_000_000)
    evm.insert_account_info(_RULES, pyrevm.AccountInfo(code=code))
    try:
        answer = evm.message_call(
            _CALLER, _RULES, calldata=call, gas=gas + before(call), is_static=True
        )
    except RuntimeError as error:
        found = _OUTPUT.search(str(error))
        halted = str(error).startswith("Halt")
        raise Failed(bytes.fromhex(found[1]) if found else b"", halted=halted) from None
    result = evm.result
    assert result is not None
    return bytes(answer), int(result.gas_used) - before(call)


def before(call: bytes) -> int:
    """Gas of a transaction before its first instruction."""
    zeros = call.count(0)
    return _INTRINSIC + 4 * zeros + 16 * (len(call) - zeros)
