"""`populus.json`: read versions 8 and 9, follow `$ref`, fill `${NAME}`, refuse wrong keys.

Populus 2.2 calls it `project.json`; such a file is read where there is no `populus.json`, and said.

Variables are filled only when a value is used, so that a project with a `${MAINNET_RPC}` compiles
and tests on a machine that does not have one.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from populus.exceptions import ConfigError
from populus.places import CONFIG_NAME, OLD_NAME
from populus.reading import read_json
from populus.schema import LATEST_VERSION, check, unknown_keys

__all__ = ["Config", "load_config", "modernized"]

_LOG = logging.getLogger("populus")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MAX_REFERENCES = 32


class Config(Mapping[str, Any]):
    """Read-only settings; keys may be dotted paths: `config["compilation.backend.class"]`."""

    def __init__(self, values: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> None:
        self._values = values
        self._root = values if root is None else root

    def __getitem__(self, key: str) -> Any:
        value: Any = self._values
        for part in key.split("."):
            value = self._follow(value)
            if not isinstance(value, Mapping) or part not in value:
                raise KeyError(key)
            value = value[part]
        value = self._follow(value)
        return Config(value, self._root) if isinstance(value, Mapping) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Config({self.to_dict()!r})"

    def _follow(self, value: Any) -> Any:
        """`{"$ref": "web3.Tester"}` is what stands at that path from the top of the file."""
        for _ in range(_MAX_REFERENCES):
            if not (isinstance(value, Mapping) and "$ref" in value):
                return value
            value = resolve_reference(self._root, str(value["$ref"]))
        raise ConfigError(f"{CONFIG_NAME}: `$ref` goes round in circles.")

    def to_dict(self) -> dict[str, Any]:
        """A plain copy with every `$ref` followed and no variable filled."""
        return {
            key: value.to_dict() if isinstance(value, Config) else value
            for key, value in ((key, self[key]) for key in self)
        }

    def filled(self, key: str, default: Any = None) -> Any:
        """The value at `key` with every `${NAME}` taken from the environment."""
        value = self.get(key, default)
        return fill(value.to_dict() if isinstance(value, Config) else value, key)


# What Populus's own defaults held, and its documentation taught to refer to.
_BACKENDS = "populus.contracts.backends"
_COMPILERS = "populus.compilation.backends"
_COMPILER_SETTINGS = {"optimize": True, "optimize_runs": 500}
_REFERABLE: dict[str, Any] = {
    "web3": {
        "Tester": {"provider": {"class": "web3.providers.eth_tester.EthereumTesterProvider"}},
        "GethIPC": {"provider": {"class": "web3.providers.ipc.IPCProvider"}},
    },
    "contracts": {
        "backends": {
            "JSONFile": {"class": f"{_BACKENDS}.filesystem.JSONFileBackend"},
            "Memory": {"class": f"{_BACKENDS}.memory.MemoryBackend"},
            "ProjectContracts": {"class": f"{_BACKENDS}.project.ProjectContractsBackend"},
            "TestContracts": {"class": f"{_BACKENDS}.testing.TestContractsBackend"},
        }
    },
    "compilation": {
        "backends": {
            name: {"class": f"{_COMPILERS}.{backend}", "settings": _COMPILER_SETTINGS}
            for name, backend in (
                ("SolcAutoBackend", "SolcAutoBackend"),
                ("SolcCombinedJSON", "SolcCombinedJSONBackend"),
                ("SolcStandardJSON", "SolcStandardJSONBackend"),
            )
        }
    },
}


def resolve_reference(root: Mapping[str, Any], path: str) -> Any:
    """What the dotted `path` names, in the file or else in Populus's defaults."""
    for tree in (root, _REFERABLE):
        value: Any = tree
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    raise ConfigError(f"{CONFIG_NAME}: `$ref` to {path!r}, which is not in the file.")


def fill(value: Any, where: str) -> Any:
    """`value` with every `${NAME}` in its strings replaced from the environment."""
    if isinstance(value, Mapping):
        return {key: fill(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, where) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match.group(1)
        if not os.environ.get(name):
            raise ConfigError(
                f"The environment variable {name} is not set; {where} in {CONFIG_NAME} needs it.",
                f"read -rs {name} && export {name} leaves it out of the shell's history; or use a "
                "keystore."
                if where.endswith((".private_key", ".password"))
                else f"Set it for this command: {name}=… populus …",
            )
        return os.environ[name]

    return _VARIABLE.sub(variable, value)


def load_config(path: Path | None) -> Config:
    """Read and check a project's file; a missing one means the defaults."""
    if path is None or not path.exists():
        return Config({"version": LATEST_VERSION})
    try:
        values = read_json(path.read_bytes())
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path.name} is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}.") from None
    if path.name == OLD_NAME:
        values, left_out = modernized(values)
        _LOG.warning(
            "Reading %s of Populus 2.2%s; `populus config convert` writes %s.",
            OLD_NAME,
            f" without {', '.join(left_out)}" if left_out else "",
            CONFIG_NAME,
        )
    check(values, path.name)
    return Config(values)


def modernized(old: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A `project.json` as `populus.json` would say it, and the keys that mean nothing any more."""
    values = {"version": LATEST_VERSION, **copy.deepcopy(dict(old))}
    folder = values.pop("locations", {}).get("contracts_source_dir")
    if folder is not None:
        values.setdefault("compilation", {})["contracts_source_dirs"] = [folder]
    left_out = unknown_keys(values)
    for key in left_out:
        *above, name = key.split(".")
        at = values
        for part in above:
            at = at[part]
        del at[name]
    return values, left_out
