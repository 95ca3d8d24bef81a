"""Puts off what takes a program of ours half its time to load, and is not used.

web3 brings eth_account, that brings eth_keyfile, and that computes tables of the curve BLS12-381
when it is imported: for keyfiles of validators (EIP-2335), which nobody here reads. In our own
programs, not in those that import this package, stand-ins load the curve when somebody asks for it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

__all__ = ["put_off_curve"]

_ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""Of the curve."""
_ABOVE: Final = "py_ecc"
_ASKED: Final = {"bls": "G2ProofOfPossession", "bls12_381": "curve_order"}
"""Modules, and the one name that eth_keyfile takes of each when it is imported."""


class _StandIn(ModuleType):
    """Of a module that is not loaded yet; any name but the one brings the module itself."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


class _Scheme:
    """Of signatures on the curve, loaded when anything of it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_real(f"{_ABOVE}.bls").G2ProofOfPossession, name)


def _real(module: str) -> ModuleType:
    """The module itself, which takes the place of its stand-in."""
    for name in _ASKED:
        if isinstance(sys.modules.get(f"{_ABOVE}.{name}"), _StandIn):
            del sys.modules[f"{_ABOVE}.{name}"]
    return import_module(module)


def put_off_curve() -> None:
    """Before web3 is imported; afterwards it changes nothing."""
    spec = find_spec(_ABOVE)
    if spec is None or any(f"{_ABOVE}.{name}" in sys.modules for name in _ASKED):
        return
    given: dict[str, Any] = {"bls": _Scheme(), "bls12_381": _ORDER}
    for name, asked in _ASKED.items():
        stand_in = _StandIn(f"{_ABOVE}.{name}")
        # Modules below it are found as ever.
        places = spec.submodule_search_locations or []
        stand_in.__path__ = [str(Path(place) / name) for place in places]
        setattr(stand_in, asked, given[name])
        sys.modules[stand_in.__name__] = stand_in
