"""Exit codes: what a script that calls `perun` can rely on. The same table is in docs/guides.

0 means that what was asked for is done; 2 is click's, for a command that is written wrongly.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BLIND", "FAILED", "LEFT", "NOT_DONE", "UNDER_WAY"]

FAILED: Final = 1
"""An error in words; nothing was sent after it."""

BLIND: Final = 3
"""The chain could not be seen at the end, or not for long enough: run it again, at another node."""

LEFT: Final = 4
"""Everything is out but credit that its token refuses to pay."""

NOT_DONE: Final = 5
"""`perun pay`, `refund`, `open`: refused; nothing was paid, and nothing will be."""

UNDER_WAY: Final = 6
"""Not done yet; the node goes on. So is it where the waiting was ended by Ctrl-C."""
