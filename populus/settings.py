"""`compilation.backend` as settings of the standard JSON.

Old projects name Populus's combined-JSON or automatic backends; all of them mean standard JSON now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from populus.compiler import CompilerSettings
from populus.config import Config
from populus.exceptions import ConfigError
from populus.schema import nearest

__all__ = ["compiler_settings"]

_BACKENDS = ("SolcStandardJSONBackend", "SolcCombinedJSONBackend", "SolcAutoBackend")
_PASSED_ON = ("evmVersion", "viaIR", "optimizer", "metadata", "debug")
_IGNORED = ("output_values", "outputSelection", "command_line_options")  # outputs are fixed
_OWN = ("version", "optimize", "optimize_runs", "stdin")
_DEFAULT_RUNS = 200
EVM_VERSION = "prague"  # the newest the chain in memory runs


def compiler_settings(config: Config, remappings: Sequence[str]) -> CompilerSettings:
    """What the project wants of its compiler."""
    backend = config.filled("compilation.backend", {})
    name = str(backend.get("class", _BACKENDS[0])).rpartition(".")[2]
    if name not in _BACKENDS:
        raise ConfigError(
            f"compilation.backend.class: there is no backend {name!r}.",
            nearest(name, list(_BACKENDS)),
        )
    given: dict[str, Any] = dict(backend.get("settings", {}))
    given.update(given.pop("stdin", {}))
    known = [*_PASSED_ON, *_IGNORED, *_OWN]
    for key in given:
        if key not in known:
            raise ConfigError(
                f"compilation.backend.settings: there is no key {key!r}.", nearest(key, known)
            )
    settings = {key: given[key] for key in _PASSED_ON if key in given}
    if given.get("optimize") and "optimizer" not in settings:
        runs = given.get("optimize_runs", _DEFAULT_RUNS)
        settings["optimizer"] = {"enabled": True, "runs": runs}
    evm_chosen = "evmVersion" in settings
    settings.setdefault("evmVersion", EVM_VERSION)
    if remappings:
        settings["remappings"] = list(remappings)
    return CompilerSettings(given.get("version"), settings, evm_chosen)
