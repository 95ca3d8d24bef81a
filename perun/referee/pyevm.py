"""Rules in py-evm, which is pure Python and always there; a hard move may take a second."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from eth.abc import StateAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.forks.prague import PragueVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_typing import Address

from perun.referee.evm import Failed

__all__ = ["run"]

_CALLER: Final = Address(b"\x11" * 20)
_RULES: Final = Address(b"\x22" * 20)


def run(code: bytes, call: bytes, gas: int) -> tuple[bytes, int]:
    """See `perun.referee.evm.Run`."""
    state = _empty_state()
    message = Message(
        gas=gas, to=_RULES, sender=_CALLER, value=0, data=call, code=code, is_static=True
    )
    context = BaseTransactionContext(gas_price=0, origin=_CALLER)
    computation: Any = state.computation_class.apply_message(state, message, context)
    if computation.is_error:
        halted = not isinstance(computation.error, Revert)
        raise Failed(bytes(computation.output), halted=halted)
    return bytes(computation.output), int(computation.get_gas_used())


@cache
def _empty_state() -> StateAPI:
    """Making a world takes a hundred times as long as a move; nothing can be left in it."""
    chain = MiningChain.configure(vm_configuration=((0, PragueVM),), chain_id=1)
    genesis = {"difficulty": 0, "gas_limit": 60_000_000, "timestamp": 0}
    return chain.from_genesis(AtomicDB(), genesis).get_vm().state  # type: ignore[arg-type]
