"""Every error the tool raises on purpose.

PopulusError            one message and one hint; the command line prints both, no traceback
├── ConfigError         populus.json or the environment says something that cannot be used
├── CompilerError       no compiler, the wrong one, or sources it refuses
├── ChainError          a chain that cannot be started, reached or trusted to be the right one
├── DeploymentError     a deployment that must not or could not go on
├── Timeout             waited long enough
└── contracts.exceptions.{UnknownContract, NoKnownAddress, BytecodeMismatch}

ContractReverted        a contract said no; a `web3.exceptions.ContractLogicError`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web3.exceptions import ContractLogicError

__all__ = [
    "PopulusError",
    "ConfigError",
    "CompilerError",
    "ChainError",
    "DeploymentError",
    "Timeout",
    "ContractReverted",
]


class PopulusError(Exception):
    """Something the user can put right: `message` names the culprit, `hint` says how."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(PopulusError):
    """`populus.json`, or an environment variable it names, is missing or wrong."""


class CompilerError(PopulusError):
    """No usable Solidity compiler, or sources that do not compile."""


class ChainError(PopulusError):
    """A chain cannot be started or reached, or is not the one that was configured."""


class DeploymentError(PopulusError):
    """A deployment stopped before sending anything that could go wrong, or after it did."""


class Timeout(PopulusError):
    """Something on the chain did not happen within the given number of seconds."""


class ContractReverted(ContractLogicError):
    """A call, gas estimate or transaction was reverted by a contract.

    Attributes:
        name: the error's name (`"Error"` for a reason string, `"Panic"` for a compiler check),
            the selector as hex when no known ABI has it, or `""` when there was no data at all.
        args: the decoded values in the order of their declaration.
        named: the same values by the names of their parameters.
        data: the raw revert data, `0x`-prefixed hex.
        transaction_hash: hash of the mined transaction that failed, when one was mined.
    """

    def __init__(
        self,
        name: str,
        args: tuple[Any, ...] = (),
        data: str = "0x",
        named: Mapping[str, Any] | None = None,
        transaction_hash: bytes | None = None,
        reason: str = "",
    ) -> None:
        self.name = name
        self.named = dict(named or {})
        self.transaction_hash = transaction_hash
        self.reason = reason
        super().__init__(self._describe(name, args, data), data)
        self.args = tuple(args)

    def _describe(self, name: str, args: tuple[Any, ...], data: str) -> str:
        if not name:
            return f"execution reverted without data{self.reason and f' ({self.reason})'}"
        if name.startswith("0x"):
            return f"execution reverted with an error no known ABI declares: {data}"
        if name == "Error" and len(args) == 1:
            return f"execution reverted: {args[0]}"
        values = [f"{key}={value!r}" for key, value in self.named.items()]
        shown = values or [repr(value) for value in args]
        return f"execution reverted: {name}({', '.join(shown)})"

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[type[ContractReverted], tuple[Any, ...]]:
        # pytest-xdist pickles failures; `args` alone would not rebuild the object
        values = (self.name, self.args, self.data, self.named, self.transaction_hash, self.reason)
        return type(self), values
