"""The ABIs are those of `docs/protocol.md`, sections 3 and 4: names, order, types, mutability."""

from __future__ import annotations

import re

from perun.encoding import escrow, gate, hash_chain, price_bet, turn_game
from tests.contracts.interface import page
from tests.support import plain
from tests.support.stage import Stage

CHANNELS = page.section(3)
INSTANCES = page.section(4)


def interface_block() -> tuple[str, str]:
    """The listing of functions and the listing of events."""
    block = CHANNELS.split("**Interface**")[1].split("```")[1]
    listed, announced = block.split("\nevents ")
    return listed, announced


def without_outputs(function: page.Function) -> page.Function:
    return page.Function(function.inputs, function.mutability, None)


def assert_same_functions(
    told: dict[str, page.Function], compiled: dict[str, page.Function]
) -> None:
    """Outputs are compared where the page names them."""
    assert set(told) == set(compiled)
    for name, function in told.items():
        is_told = function.outputs is not None
        expected = compiled[name] if is_told else without_outputs(compiled[name])
        assert function == expected, name


def test_functions_of_ms_contract(stage: Stage) -> None:
    told = page.functions(interface_block()[0])
    assert_same_functions(told, page.abi_functions(stage.ms.interface.abi))
    assert len(told) == 15


def test_events_of_ms_contract(stage: Stage) -> None:
    told = page.events(interface_block()[1])
    assert told == page.abi_events(stage.ms.interface.abi)
    assert len(told) == 10


def test_structs_of_ms_contract(stage: Stage) -> None:
    told = page.structs(CHANNELS)
    for name, fields in page.abi_structs(stage.ms.interface.abi).items():
        assert told[name] == fields, name
    assert set(page.abi_structs(stage.ms.interface.abi)) == {"Channel", "Nano", "Settlement"}


def test_accounts_of_an_announcement_are_indexed(stage: Stage) -> None:
    (opened,) = [e for e in stage.ms.interface.abi if e.get("name") == "Opened"]
    assert [item["name"] for item in opened["inputs"] if item["indexed"]] == ["id", "alice", "bob"]


def test_type_strings_are_the_structs_of_the_page() -> None:
    told = {**page.structs(CHANNELS), **page.structs(INSTANCES)}
    for type_string in (plain.STATE, plain.CLOSE, plain.WITHDRAW, plain.OPEN, plain.STATEMENT):
        name, fields = re.fullmatch(r"(\w+)\((.*)\)", type_string).groups()  # type: ignore[union-attr]
        assert told[name] == tuple(tuple(field.split()) for field in fields.split(",")), name


def test_every_nanocontract_has_the_interface_of_the_page(stage: Stage) -> None:
    block = INSTANCES.split("```")[1]
    outcome = "function outcome(bytes32 id) external view returns (bool done, int112 shift);"
    submit = "function submit(bytes calldata evidence) external;"
    assert re.sub(r"\s+", " ", block).strip() == f"interface INanocontract {{ {outcome} {submit} }}"
    expected = {
        "outcome": page.Function(
            (("bytes32", "id"),), "view", (("bool", "done"), ("int112", "shift"))
        ),
        "submit": page.Function((("bytes", "evidence"),), "nonpayable", ()),
    }
    for contract in (stage.vpm, stage.locks, stage.deploy("LiarNanocontract")):
        compiled = page.abi_functions(contract.interface.abi)
        if contract.interface.name == "LiarNanocontract":  # a mock leaves its results unnamed
            compiled["outcome"] = expected["outcome"]
        assert {name: compiled[name] for name in expected} == expected


def test_vpm(stage: Stage) -> None:
    text = INSTANCES.split("**VPM**")[1].split("**HashTimeLock**")[0]
    told, compiled = page.functions(text), page.abi_functions(stage.vpm.interface.abi)
    own = set(compiled) - {"outcome", "submit"}
    assert own <= set(told)
    for name in own - {"submitStatements"}:
        is_told = told[name].outputs is not None
        expected = compiled[name] if is_told else without_outputs(compiled[name])
        if name == "machineId":
            assert told[name].inputs == (("Machine", "machine"),)
        assert told[name] == expected, name
    names = [name for name, _ in told["submitStatements"].inputs]
    assert names == ["machine", "paidByAlice", "sigAlice", "paidByBob", "sigBob"]
    assert [name for _, name in compiled["submitStatements"].inputs] == [
        "machine", "paidByAlice", "signatureAlice", "paidByBob", "signatureBob",
    ]  # fmt: skip
    assert page.structs(text)["Machine"] == page.abi_structs(stage.vpm.interface.abi)["Machine"]
    assert page.events(text)["Submitted"] == page.abi_events(stage.vpm.interface.abi)["Submitted"]
    assert len(page.abi_events(stage.vpm.interface.abi)) == 1


def test_hash_time_lock(stage: Stage) -> None:
    text = "**HashTimeLock**" + INSTANCES.split("**HashTimeLock**")[1].split("**CoinFlip**")[0]
    compiled = page.abi_functions(stage.locks.interface.abi)
    told = page.functions(text)
    assert set(compiled) == {"outcome", "submit", "reveal", "lockId", "DOMAIN_SEPARATOR"}
    assert [name for name, _ in told["reveal"].inputs] == [
        name for _, name in compiled["reveal"].inputs
    ]
    assert told["lockId"].mutability == compiled["lockId"].mutability == "view"
    fields = page.structs(text)["HashTimeLock"]
    assert fields == page.abi_structs(stage.locks.interface.abi)["Lock"]
    told_events = page.events(text)
    assert {"Revealed": told_events["Revealed"]} == page.abi_events(stage.locks.interface.abi)


def test_coin_flip(stage: Stage) -> None:
    text = "**CoinFlip**" + INSTANCES.split("**CoinFlip**")[1].split("**RockPaperScissors**")[0]
    abi = stage.interface("CoinFlip").abi
    compiled, told = page.abi_functions(abi), page.functions(text)
    assert set(compiled) == {
        "outcome", "submit", "reveal", "flipId", "record", "DOMAIN_SEPARATOR",
    }  # fmt: skip
    assert [name for name, _ in told["reveal"].inputs] == [
        name for _, name in compiled["reveal"].inputs
    ]
    assert told["flipId"].mutability == compiled["flipId"].mutability == "view"
    assert page.structs(text)["CoinFlip"] == page.abi_structs(abi)["Flip"]
    assert {"Revealed": page.events(text)["Revealed"]} == page.abi_events(abi)


def test_turn_game(stage: Stage) -> None:
    text = "**TurnGame**" + INSTANCES.split("**TurnGame**")[1].split("**Escrow**")[0]
    abi = stage.interface("TurnGame").abi
    compiled, told = page.abi_functions(abi), page.functions(text)
    submitting = {"submitPosition", "submitMove"}
    assert set(compiled) == submitting | {
        "outcome", "submit", "gameId", "record", "RULES_GAS", "DOMAIN_SEPARATOR",
    }  # fmt: skip
    for name in submitting:
        names = [{"sigAlice": "signatureAlice", "sigBob": "signatureBob"}.get(it, it)
                 for it, _ in told[name].inputs]  # fmt: skip
        assert names == [it for _, it in compiled[name].inputs]
    assert page.structs(text)["TurnGame"] == page.abi_structs(abi)["Game"]
    announced = page.events(text)
    assert {name: announced[name] for name in ("PositionSubmitted", "Moved")} == page.abi_events(
        abi
    )


def test_type_strings_of_a_game_stand_on_the_page() -> None:
    for type_string in (turn_game.POSITION_TYPE, turn_game.MOVE_TYPE):
        assert f"`{type_string}`" in INSTANCES


def test_escrow(stage: Stage) -> None:
    text = "**Escrow**" + INSTANCES.split("**Escrow**")[1].split("**HashChain**")[0]
    abi = stage.interface("Escrow").abi
    compiled, told = page.abi_functions(abi), page.functions(text)
    bringing = {"award", "agree", "late"}
    assert set(compiled) == bringing | {
        "outcome", "submit", "dealId", "record", "DOMAIN_SEPARATOR",
    }  # fmt: skip
    for name in bringing:
        names = [{"sigAlice": "signatureAlice", "sigBob": "signatureBob"}.get(it, it)
                 for it, _ in told[name].inputs]  # fmt: skip
        assert names == [it for _, it in compiled[name].inputs]
    assert page.structs(text)["Escrow"] == page.abi_structs(abi)["Deal"]
    assert {"Decided": page.events(text)["Decided"]} == page.abi_events(abi)
    assert f"`{escrow.AWARD_TYPE}`" in text


def test_hash_chain(stage: Stage) -> None:
    text = "**HashChain**" + INSTANCES.split("**HashChain**")[1].split("**PriceBet**")[0]
    abi = stage.interface("HashChain").abi
    compiled, told = page.abi_functions(abi), page.functions(text)
    assert set(compiled) == {
        "outcome", "submit", "submitTicks", "streamId", "record", "DOMAIN_SEPARATOR", "MOST_TICKS",
    }  # fmt: skip
    names = [it for it, _ in told["submitTicks"].inputs]
    assert names == [it for _, it in compiled["submitTicks"].inputs]
    assert page.structs(text)["HashChain"] == page.abi_structs(abi)["Stream"]
    assert {"TicksSubmitted": page.events(text)["TicksSubmitted"]} == page.abi_events(abi)
    assert f"`{hash_chain.CHAIN_TYPE}`" in text


def test_price_bet(stage: Stage) -> None:
    text = "**PriceBet**" + INSTANCES.split("**PriceBet**")[1].split("**Gate**")[0]
    abi = stage.interface("PriceBet").abi
    compiled, told = page.abi_functions(abi), page.functions(text)
    assert set(compiled) == {
        "outcome", "submit", "submitPrice", "betId", "record", "DOMAIN_SEPARATOR",
        "PRICE_DOMAIN_SEPARATOR",
    }  # fmt: skip
    names = [it for it, _ in told["submitPrice"].inputs]
    assert names == [it for _, it in compiled["submitPrice"].inputs]
    assert page.structs(text)["PriceBet"] == page.abi_structs(abi)["Bet"]
    assert {"Priced": page.events(text)["Priced"]} == page.abi_events(abi)
    assert f"`{price_bet.PRICE_TYPE}`" in text


def test_gate(stage: Stage) -> None:
    text = "**Gate**" + INSTANCES.split("**Gate**")[1]
    abi = stage.interface("Gate").abi
    compiled, told = page.abi_functions(abi), page.functions(text)
    assert set(compiled) == {
        "outcome", "submit", "open", "fix", "pathId", "record", "DOMAIN_SEPARATOR"
    }  # fmt: skip
    for name in ("open", "fix"):
        assert [it for it, _ in told[name].inputs] == [it for _, it in compiled[name].inputs]
    assert told["record"] == compiled["record"]
    assert page.structs(text)["Gate"] == page.abi_structs(abi)["Path"]
    events = page.events(text)
    assert {name: events[name] for name in ("PathOpened", "PathFixed")} == page.abi_events(abi)
    for type_string in (gate.OPENING_TYPE, gate.FINAL_TYPE):
        assert f"`{type_string}`" in text


def test_lib_signatures(stage: Stage) -> None:
    """Section 2 names both functions."""
    told = page.functions(page.section(2))
    compiled = page.abi_functions(stage.signatures.interface.abi)
    assert set(compiled) == {"recover", "verify"}
    for name, function in compiled.items():
        assert [item for item, _ in told[name].inputs] == [item for _, item in function.inputs]
        assert function.mutability == "view"
