"""How much gas a transaction may use."""

from __future__ import annotations

from typing import Final

from perun.bindings.calls import Call

# Gas is estimated on the newest block and spent on a later one, whose storage may cost more.
GAS_MARGIN: Final = 1.25

# Most gas of a transaction (EIP-7825).
MOST_GAS: Final = 2**24


def limit(call: Call, estimate: int) -> int:
    """The gas limit of a call that was estimated: never the estimate alone (section 5, *Gas*)."""
    return min(int(min(estimate, MOST_GAS) * GAS_MARGIN) + call.reserve, MOST_GAS)
