"""Gas of every function that tests have called, from the transactions of the chain in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eth_utils.abi import function_abi_to_4byte_selector

from populus.linking import code_matches

__all__ = ["GasReport"]

_CREATION = "constructor"
Rows = dict[str, dict[str, list[int]]]
"""Contract -> function -> gas of each transaction."""


class GasReport:
    """What was used, by contract and function; contracts are known by their code."""

    def __init__(self, contracts: Mapping[str, Mapping[str, Any]]) -> None:
        self._contracts = contracts
        self._names: dict[bytes, str | None] = {}
        self.rows: Rows = {}

    def add(self, code: bytes, data: bytes, created: bool, gas: int) -> None:
        """A transaction to a contract with this code; what is no contract of ours is left out."""
        if code not in self._names:
            self._names[code] = self._name(code)
        name = self._names[code]
        if name is not None:
            function = _CREATION if created else self._function(name, data[:4])
            self.rows.setdefault(name, {}).setdefault(function, []).append(gas)

    def _name(self, code: bytes) -> str | None:
        for name, data in self._contracts.items():
            holes = [*data["immutable_references"], *data["linkrefs_runtime"]]
            if code_matches(code, data["bytecode_runtime"], holes):
                return name
        return None

    def _function(self, name: str, selector: bytes) -> str:
        for entry in self._contracts[name]["abi"]:
            if entry["type"] == "function" and function_abi_to_4byte_selector(entry) == selector:
                return str(entry["name"])
        return "(no such function)"

    def merge(self, rows: Rows) -> None:
        """Add what another process has seen."""
        for name, functions in rows.items():
            for function, gas in functions.items():
                self.rows.setdefault(name, {}).setdefault(function, []).extend(gas)

    def lines(self) -> Iterator[str]:
        """A table, the dearest function of each contract first."""
        yield f"{'contract, function':<44} {'times':>6} {'least':>10} {'mean':>10} {'most':>10}"
        for name, functions in sorted(self.rows.items()):
            yield name
            for function, gas in sorted(functions.items(), key=lambda row: -max(row[1])):
                mean = sum(gas) // len(gas)
                numbers = f"{min(gas):>10,} {mean:>10,} {max(gas):>10,}"
                yield f"  {function:<42} {len(gas):>6} {numbers}"
