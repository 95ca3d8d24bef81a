"""The Chain port: following logs with finality, submitting with a nonce and fees of our own."""

from perun.chain.compared import Compared
from perun.chain.endpoint import Block, Endpoint, Mined
from perun.chain.fees import FeePolicy
from perun.chain.journal import MemoryJournal, SqliteJournal
from perun.chain.reports import Report
from perun.chain.rpc import RpcEndpoint, connect
from perun.chain.service import ChainService
from perun.chain.sight import Health

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
