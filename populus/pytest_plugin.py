"""The fixtures of Populus for pytest, on the chain in memory.

`chain` lives as long as the session; every test that uses it starts from a snapshot and is undone
when it ends, whether it passes or not. What fixtures of a wider scope deploy stays until their
scope ends.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from populus.isolation import Isolation
from populus.places import config_file

# pytest loads this in every project of the environment: nothing heavy before a fixture is used.
if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3

    from populus.chain import TesterChain
    from populus.contracts.factory import ContractFactories
    from populus.gas_report import GasReport
    from populus.project import Project
    from populus.provider import Provider
    from populus.registrar import Registrar

_INI = "populus_project"
_VARIABLE = "PYTEST_POPULUS_PROJECT"
_ISOLATION = pytest.StashKey[Isolation]()
_GAS = pytest.StashKey["GasReport"]()
_SENT = "populus_gas"  # by processes of pytest-xdist


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("populus")
    group.addoption("--populus-project", help="folder of the Populus project under test")
    group.addoption("--gas-report", action="store_true", help="show gas by contract and function")
    parser.addini(_INI, "folder of the Populus project under test, relative to this file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ISOLATION] = Isolation()


def project_folder(config: pytest.Config) -> Path:
    """The option beats the ini setting, which beats the environment.

    Without any it is the nearest folder that is a project, from pytest's rootdir upwards.
    """
    option = config.getoption("--populus-project")
    if option:
        return config.invocation_params.dir / str(option)
    setting = config.getini(_INI)
    if setting:
        return (config.inipath.parent if config.inipath else config.rootpath) / str(setting)
    variable = os.environ.get(_VARIABLE)
    if variable:
        return Path(variable)
    around = (config.rootpath, *config.rootpath.parents)
    return next((folder for folder in around if config_file(folder)), config.rootpath)


@pytest.fixture(scope="session")
def project(pytestconfig: pytest.Config) -> Project:
    """The project under test; contracts of `compilation.test_source_dirs` included."""
    from populus.project import Project

    found = Project(project_folder(pytestconfig))
    found.use_test_contracts()
    return found


@pytest.fixture(scope="session")
def chain(project: Project, pytestconfig: pytest.Config) -> Iterator[TesterChain]:
    """The running `tester` chain."""
    with project.get_chain("tester") as started:
        tester = cast("TesterChain", started)
        isolation = pytestconfig.stash[_ISOLATION]
        isolation.attach(tester)
        if pytestconfig.getoption("--gas-report"):
            tester.backend.watcher = _gas_report(pytestconfig, project).add
        yield tester
        isolation.detach()


@pytest.fixture(scope="session")
def web3(chain: TesterChain) -> Web3:
    """`chain.web3`."""
    return chain.web3


@pytest.fixture(scope="session")
def provider(chain: TesterChain) -> Provider:
    """`chain.provider`."""
    return chain.provider


@pytest.fixture(scope="session")
def registrar(chain: TesterChain) -> Registrar:
    """`chain.registrar`."""
    return chain.registrar


@pytest.fixture(scope="session")
def base_contract_factories(chain: TesterChain) -> ContractFactories:
    """Unlinked factories of all contracts, by name."""
    return chain.base_contract_factories


@pytest.fixture(scope="session")
def accounts(web3: Web3) -> list[ChecksumAddress]:
    """The chain's accounts; the first sends when nobody else is named."""
    return list(web3.eth.accounts)


# -- gas -----------------------------------------------------------------------------------


def _gas_report(config: pytest.Config, project: Project) -> GasReport:
    from populus.gas_report import GasReport

    report = config.stash[_GAS] = GasReport(project.compiled_contract_data)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    report = session.config.stash.get(_GAS, None)
    sent = getattr(session.config, "workeroutput", None)
    if report is not None and sent is not None:
        sent[_SENT] = report.rows


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001
    """A process of pytest-xdist has ended: take over what it has measured."""
    rows = getattr(node, "workeroutput", {}).get(_SENT)
    if rows:
        from populus.gas_report import GasReport

        node.config.stash.setdefault(_GAS, GasReport({})).merge(rows)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    report = config.stash.get(_GAS, None)
    if report is not None and report.rows:
        terminalreporter.section("gas")
        for line in report.lines():
            terminalreporter.write_line(line)


# -- isolation -----------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _populus_module(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _isolated(pytestconfig, "module")


@pytest.fixture(scope="class", autouse=True)
def _populus_class(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _isolated(pytestconfig, "class")


@pytest.fixture(autouse=True)
def _populus_test(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _isolated(pytestconfig, "function")


def _isolated(config: pytest.Config, scope: str) -> Iterator[None]:
    isolation = config.stash[_ISOLATION]
    isolation.enter(scope)
    yield
    isolation.leave()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    if fixturedef.scope == "function":
        return (yield)
    isolation = request.config.stash[_ISOLATION]
    before = isolation.mark()
    result = yield
    isolation.fixture_done(fixturedef.scope, before)
    return result
