"""Ids, digests, signatures and evidence that every implementation must compute alike.

`python -m tests.vectors` writes the JSON files in this folder. They are made by eth_account,
eth_abi and eth_keys alone; tests compare them with this package, and a browser client will.

In the files integers are decimal text (they exceed JavaScript's numbers), bytes are hex, names are
those of the Solidity interfaces.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> Any:
    """The content of one file, such as `messages`."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
