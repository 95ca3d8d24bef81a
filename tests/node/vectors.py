"""The vectors of `tests/vectors` as this package's own records."""

from __future__ import annotations

import re
from typing import Any

from perun.encoding import MSContractDomain, TurnGameDomain, VPMDomain
from perun.encoding.coin_flip import (
    coin_flip_domain,
)
from perun.encoding.domains import (
    Domain,
    ms_contract_domain,
)
from perun.encoding.escrow import (
    escrow_domain,
)
from perun.encoding.gate import gate_domain
from perun.encoding.hash_chain import hash_chain_domain
from perun.encoding.hash_lock import (
    hash_time_lock_domain,
)
from perun.encoding.machine import (
    vpm_domain,
)
from perun.encoding.price_bet import PRICE_DOMAIN, price_bet_domain
from perun.encoding.rock_paper_scissors import rock_paper_scissors_domain
from perun.encoding.turn_game import (
    turn_game_domain,
)
from perun.types import (
    Address,
    Award,
    Bet,
    Chain,
    ChainId,
    Channel,
    Close,
    Deal,
    Final,
    Flip,
    Game,
    Hands,
    Lock,
    Machine,
    Message,
    Move,
    Nano,
    Open,
    Opening,
    Path,
    Position,
    Price,
    Ready,
    State,
    Statement,
    Stream,
    Withdraw,
)

_DOMAINS = {
    "Perun MSContract": ms_contract_domain,
    "Perun VPM": vpm_domain,
    "Perun HashTimeLock": hash_time_lock_domain,
    "Perun CoinFlip": coin_flip_domain,
    "Perun RockPaperScissors": rock_paper_scissors_domain,
    "Perun TurnGame": turn_game_domain,
    "Perun Escrow": escrow_domain,
    "Perun HashChain": hash_chain_domain,
    "Perun PriceBet": price_bet_domain,
    "Perun Gate": gate_domain,
}
_MESSAGES: dict[str, type[Message | Price | Opening | Final]] = {
    kind.__name__: kind
    for kind in (
        *(State, Close, Withdraw, Open, Statement, Ready, Award, Chain, Price, Opening, Final),
    )
}


def value(json: Any) -> Any:
    """Text of a vector as the package holds it: integers, raw bytes, truth values."""
    if isinstance(json, str):
        return bytes.fromhex(json[2:]) if json.startswith("0x") else int(json)
    return json


def fields(json: dict[str, Any]) -> dict[str, Any]:
    """An object's fields in snake case."""
    return {re.sub("(?=[A-Z])", "_", name).lower(): value(item) for name, item in json.items()}


def domain(json: dict[str, Any]) -> Any:
    """The domain of whichever contract the vector names; prices have one without a contract."""
    if json["name"] == "Perun Price":
        return PRICE_DOMAIN
    made: Domain = _DOMAINS[json["name"]](
        ChainId(value(json["chainId"])), Address(value(json["verifyingContract"]))
    )
    return made


def channel(json: dict[str, Any]) -> Channel:
    return Channel(**fields(json))


def machine(json: dict[str, Any]) -> Machine:
    return Machine(**fields(json))


def lock(json: dict[str, Any]) -> Lock:
    return Lock(**fields(json))


def flip(json: dict[str, Any]) -> Flip:
    return Flip(**fields(json))


def hands(json: dict[str, Any]) -> Hands:
    return Hands(**fields(json))


def deal(json: dict[str, Any]) -> Deal:
    return Deal(**fields(json))


def stream(json: dict[str, Any]) -> Stream:
    return Stream(**fields(json))


def bet(json: dict[str, Any]) -> Bet:
    return Bet(**fields(json))


def path(json: dict[str, Any]) -> Path:
    parties = tuple(value(item) for item in json["parties"])
    return Path(**{**fields(json), "parties": parties})


def game(json: dict[str, Any]) -> Game:
    return Game(**fields(json))


def game_message(json: dict[str, Any]) -> tuple[Position | Move, TurnGameDomain]:
    """A position or a move, and its domain."""
    kind: type[Position | Move] = Position if json["type"].startswith("Position") else Move
    return kind(**fields(json["fields"])), domain(json["domain"])


def nanos(json: list[dict[str, Any]]) -> tuple[Nano, ...]:
    return tuple(Nano(**fields(item)) for item in json)


def message(json: dict[str, Any]) -> tuple[Any, Any]:
    """A signed message and its domain."""
    content = dict(json["fields"])
    listed = {"nanos": nanos(content.pop("nanos"))} if "nanos" in content else {}
    kind = _MESSAGES[json["type"].partition("(")[0]]
    where: MSContractDomain | VPMDomain = domain(json["domain"])
    return kind(**fields(content), **listed), where
