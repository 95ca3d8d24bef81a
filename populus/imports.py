"""Classes by the dotted path a configuration names them with."""

from __future__ import annotations

import importlib
from typing import Any

from populus.exceptions import ConfigError

__all__ = ["import_class"]

# where Populus or older web3 kept what has a new place now
_MOVED = {
    "populus.chain.tester.TesterChain": "populus.chain.TesterChain",
    "populus.chain.external.ExternalChain": "populus.chain.ExternalChain",
    "web3.providers.rpc.RPCProvider": "web3.providers.rpc.HTTPProvider",
    "web3.providers.HTTPProvider": "web3.providers.rpc.HTTPProvider",
    "web3.providers.tester.EthereumTesterProvider": (
        "web3.providers.eth_tester.EthereumTesterProvider"
    ),
}
_GONE = ("populus.chain.geth.", "populus.chain.testrpc.", "populus.chain.TestRPC")


def import_class(path: str, where: str) -> Any:
    """The class at `path`; `where` names the setting in error messages."""
    path = _MOVED.get(path, path)
    if path.startswith(_GONE) or path.rpartition(".")[2] in (
        "LocalGethChain",
        "TemporaryGethChain",
        "TestnetChain",
        "MainnetChain",
    ):
        raise ConfigError(
            f"{where}: Populus starts no geth any more, so {path} is gone.",
            "Use populus.chain.AnvilChain, or populus.chain.ExternalChain with a node of your own.",
        )
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise ConfigError(f"{where}: there is no class {path!r}.") from None
