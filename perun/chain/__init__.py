"""The Chain port: following logs with finality, submitting with a nonce and fees of our own.

What needs web3 or SQLite is loaded when it is asked for: a page in a browser has neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from perun.chain.compared import Compared
from perun.chain.endpoint import Block, Endpoint, Mined
from perun.chain.fees import FeePolicy
from perun.chain.journal import MemoryJournal
from perun.chain.reports import Report
from perun.chain.service import ChainService
from perun.chain.sight import Health

if TYPE_CHECKING:
    from perun.chain.rpc import RpcEndpoint, connect
    from perun.chain.sqlite_journal import SqliteJournal
else:
    _LATER = {
        "RpcEndpoint": "perun.chain.rpc",
        "connect": "perun.chain.rpc",
        "SqliteJournal": "perun.chain.sqlite_journal",
    }

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(_LATER[name]), name)
        raise AttributeError(f"module 'perun.chain' has no attribute {name!r}")


__all__ = [
    "Block",
    "ChainService",
    "Compared",
    "Endpoint",
    "FeePolicy",
    "Health",
    "MemoryJournal",
    "Mined",
    "Report",
    "RpcEndpoint",
    "SqliteJournal",
    "connect",
]
