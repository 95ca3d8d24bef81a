"""Populus: compile, test and deploy smart contracts.

A from-scratch continuation of the archived Populus framework on web3 8, eth-tester and
py-solc-x. See `docs/populus.md`.
"""

from populus.project import Project

__version__ = "3.0.0"

__all__ = ["Project", "__version__"]
