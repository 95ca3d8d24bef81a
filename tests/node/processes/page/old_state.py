"""What a hub that cheats keeps: the transaction that registers a channel's present state, as JSON.

`python -m tests.node.processes.page.old_state HUB_FOLDER CHANNEL`, while the hub runs; whoever
sends it later, with the hub's key, registers an old state.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from perun.bindings import ms_contract_calls
from perun.core.state import Role
from perun.crypto.interop import checksum
from perun.daemon.auditing import read_kept


def main() -> int:
    """Prints the transaction."""
    folder, channel = sys.argv[1:]
    books = read_kept(Path(folder)).books
    view = next(one for one in books.channels.values() if "0x" + one.id.hex() == channel)
    assert view.agreed is not None
    signatures = (view.agreed.own, view.agreed.peer)
    call = ms_contract_calls.register(
        books.config.deployment.contract.contract,
        view.channel,
        view.agreed.state,
        *(signatures if view.role is Role.ALICE else signatures[::-1]),
    )
    assert call.to is not None
    sender = checksum(books.config.identity.account)
    print(json.dumps({"from": sender, "to": checksum(call.to), "data": "0x" + call.data.hex()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
