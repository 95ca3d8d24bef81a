"""Contracts by name, as Populus offered them."""

from __future__ import annotations

import pytest

from populus.chain import TesterChain
from populus.contracts.exceptions import BytecodeMismatch, NoKnownAddress, UnknownContract
from populus.exceptions import DeploymentError


def test_an_unknown_contract_gets_the_nearest_name(tester: TesterChain) -> None:
    with pytest.raises(UnknownContract, match=r"Maths(.|\n)*'Math'"):
        tester.provider.get_or_deploy_contract("Maths")


def test_a_contract_without_address_is_not_available(tester: TesterChain) -> None:
    assert tester.provider.is_contract_available("Math") is False
    with pytest.raises(NoKnownAddress):
        tester.provider.get_contract("Math")


def test_the_first_asks_to_deploy_the_second_finds(tester: TesterChain) -> None:
    math, txn_hash = tester.provider.get_or_deploy_contract("Math")
    assert txn_hash is not None
    again, nothing = tester.provider.get_or_deploy_contract("Math")
    assert (again.address, nothing) == (math.address, None)
    assert tester.provider.is_contract_available("Math") is True


def test_libraries_are_deployed_and_linked(tester: TesterChain) -> None:
    provider = tester.provider
    assert provider.are_contract_dependencies_available("Multiply13") is False
    multiply, _ = provider.get_or_deploy_contract("Multiply13")
    assert multiply.call().multiply13(3) == 39
    assert provider.are_contract_dependencies_available("Multiply13") is True
    library = provider.get_contract("Library13").address
    assert bytes.fromhex(library[2:]) in bytes(tester.web3.eth.get_code(multiply.address))


def test_a_library_that_stands_is_used(tester: TesterChain) -> None:
    library, _ = tester.provider.get_or_deploy_contract("Library13")
    before = tester.web3.eth.block_number
    tester.provider.get_or_deploy_contract("Multiply13")
    assert tester.web3.eth.block_number == before + 1
    assert tester.provider.get_contract("Library13").address == library.address


def test_other_code_at_the_address_does_not_count(tester: TesterChain) -> None:
    provider, registrar = tester.provider, tester.registrar
    math, _ = provider.get_or_deploy_contract("Math")
    registrar.set_contract_address("Library13", math.address)
    assert provider.is_contract_available("Library13") is False
    assert provider.are_contract_dependencies_available("Multiply13") is False
    with pytest.raises(BytecodeMismatch, match=f"Library13 at {math.address}"):
        provider.get_contract("Library13")
    with pytest.raises(BytecodeMismatch):
        provider.get_contract_factory("Multiply13")


def test_of_several_addresses_the_right_one_is_found(tester: TesterChain) -> None:
    math, _ = tester.provider.get_or_deploy_contract("Math")
    tester.registrar.set_contract_address("Math", tester.web3.eth.accounts[3])
    assert tester.provider.get_contract("Math").address == math.address


def test_immutables_do_not_count_as_other_code(tester: TesterChain) -> None:
    math, _ = tester.provider.get_or_deploy_contract("Math")
    token, _ = tester.provider.deploy_contract("Token", deploy_args=["Gold", 7, math.address])
    assert token.functions.totalSupply().call() == 7
    assert tester.provider.get_contract("Token").address == token.address


def test_contract_data_is_what_was_compiled(tester: TesterChain) -> None:
    provider = tester.provider
    names = provider.get_all_contract_names()
    assert {"Math", "Library13", "Multiply13", "Token", "Refuser"} <= names
    assert provider.get_contract_data("Math") == provider.get_all_contract_data()["Math"]


def test_factories_are_items_and_attributes(tester: TesterChain) -> None:
    factories = tester.base_contract_factories
    assert factories.Math is factories["Math"] is tester.provider.get_base_contract_factory("Math")
    assert "Math" in factories
    with pytest.raises(AttributeError, match="Nobody"):
        _ = factories.Nobody


def test_a_factory_deploys_as_in_populus(tester: TesterChain) -> None:
    math, _ = tester.provider.get_or_deploy_contract("Math")
    factory = tester.provider.get_contract_factory("Token")
    sender = tester.web3.eth.accounts[2]
    txn_hash = factory.deploy(transaction={"from": sender}, args=["Gold", 5, math.address])
    token = factory(address=tester.wait.for_contract_address(txn_hash))
    assert token.call().title() == "Gold"
    assert tester.web3.eth.get_transaction(txn_hash)["from"] == sender


def test_a_factory_deploys_as_in_web3(tester: TesterChain) -> None:
    txn_hash = tester.base_contract_factories.Math.constructor().transact()
    math = tester.base_contract_factories.Math(address=tester.wait.for_contract_address(txn_hash))
    assert math.functions.multiply7(6).call() == 42


def test_contracts_answer_in_both_ways(tester: TesterChain) -> None:
    math, _ = tester.provider.get_or_deploy_contract("Math")
    other = tester.web3.eth.accounts[4]
    txn_hash = math.transact({"from": other, "value": 5}).increase()
    assert tester.web3.eth.get_transaction(txn_hash)["from"] == other
    assert math.call().counter() == math.functions.counter().call() == 1
    assert tester.web3.eth.get_balance(math.address) == 5


def test_what_cannot_be_deployed_is_refused(tester: TesterChain) -> None:
    with pytest.raises(DeploymentError, match="IToken is abstract"):
        tester.provider.deploy_contract("IToken")
    with pytest.raises(DeploymentError, match="Library13 linked"):
        tester.base_contract_factories.Multiply13.deploy()
