"""The best EVM of this process: revm where `pyrevm` is installed, else py-evm."""

from __future__ import annotations

try:
    from perun.referee.revm import run
except ImportError:
    from perun.referee.pyevm import run

__all__ = ["run"]
