"""Populus: compile, test and deploy smart contracts.

A from-scratch continuation of the archived Populus framework on web3 8, eth-tester and
py-solc-x. See `docs/populus.md`.
"""

import os

from populus.project import Project

# eth-hash would pick pycryptodome, five times slower; it looks at this when it first hashes.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

__version__ = "3.0.0"

__all__ = ["Project", "__version__"]
