"""A mutant in the arena: the changed contract alone is compiled, and plays the committed games."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError

from mutants.catalogue import Mutant
from populus.project import Project
from populus.solc import find_solc
from tests.games.stateful import codec
from tests.games.stateful.games import GameFailed, Tally, run

ROOT = Path(__file__).parents[1]

GAMES = 12
"""As many as `tests/games/stateful/test_machine.py` plays, with the same seeds."""

_MS, _VPM = "contracts/MSContract.sol", "contracts/VPM.sol"
_GAME = "contracts/nanocontracts/TurnGame.sol"
_USERS: dict[str, tuple[str, ...]] = {
    "VPM": (_VPM,),
    "MachineTerms": (_VPM,),
    "GameRecord": (_GAME,),
    "LibSignatures": (_MS, _VPM, "contracts/LibSignatures.sol"),
    "ChannelHash": (_MS, _VPM),
}
"""Which contracts a library changes; a nanocontract changes itself, and all others MSContract."""


def users(file: str) -> tuple[str, ...]:
    """The contracts that a source file changes."""
    path = Path(file)
    alone = (file,) if path.parent.name == "nanocontracts" else (_MS,)
    return _USERS.get(path.stem, alone)


class NotApplicable(Exception):
    """The text that a mutant changes is not there, or the changed contract does not compile."""


def broken(mutant: Mutant) -> str:
    """The mutant's file, changed."""
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    start = text.find(mutant.after) if mutant.after else 0
    head, tail = text[:start], text[start:]
    found = tail.count(mutant.old)
    if start < 0 or found == 0 or (found > 1 and not mutant.after):
        raise NotApplicable(f"{mutant.name}: its text stands {found} times in {mutant.file}")
    return head + tail.replace(mutant.old, mutant.new, 1)


def play_games(mutant: Mutant | None) -> str | None:
    """The game that went wrong, or None. Without a mutant, the contracts as they are."""
    codec.overrides.clear()
    if mutant:
        codec.overrides.update(json.loads(compiled(mutant).read_text(encoding="utf-8")))
    tally = Tally()
    for seed in range(GAMES):
        try:
            run(seed, tally)
        except GameFailed:
            return f"tests/games/stateful/test_machine.py, game {seed}"
    return None


def compiled(mutant: Mutant) -> Path:
    """File with the contracts that the mutant changes, as `mutants.plugin` wants it."""
    sources = _project().sources.contents | {mutant.file: broken(mutant)}
    key = hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()[:16]
    file = ROOT / "build" / "mutants" / "compiled" / f"{mutant.name}-{key}.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_compile(mutant, sources)), encoding="utf-8")
    return file


def _compile(mutant: Mutant, sources: dict[str, str]) -> dict[str, Any]:
    project = _project()
    wanted = users(mutant.file)
    outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    request = {
        "language": "Solidity",
        "sources": {name: {"content": content} for name, content in sources.items()},
        "settings": {
            **project.compiler_settings.settings,
            "outputSelection": {name: {"*": outputs} for name in wanted},
        },
    }
    version = project.compiler_settings.version
    try:
        answer = solcx.compile_standard(
            request, solc_binary=find_solc(ROOT, version).binary, allow_empty=True
        )
    except SolcError as error:
        raise NotApplicable(f"{mutant.name} does not compile: {error}") from error
    return {
        name: {
            "abi": data["abi"],
            "bytecode": "0x" + data["evm"]["bytecode"]["object"],
            "bytecode_runtime": "0x" + data["evm"]["deployedBytecode"]["object"],
        }
        for file in wanted
        for name, data in answer["contracts"][file].items()
    }


@lru_cache(maxsize=1)
def _project() -> Project:
    return Project(ROOT)
