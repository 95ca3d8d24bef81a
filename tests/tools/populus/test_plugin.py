"""The fixtures, in test suites of their own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def suite(pytester: pytest.Pytester, compiled_sample: Path) -> pytest.Pytester:
    pytester.makeini(f"[pytest]\npopulus_project = {compiled_sample}\n")
    return pytester


def test_every_fixture_is_what_its_name_says(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from populus import Project

        def test(project, chain, provider, registrar, web3, base_contract_factories, accounts):
            assert isinstance(project, Project) and chain.project is project
            assert chain.chain_name == "tester"
            assert provider is chain.provider and registrar is chain.registrar
            assert web3 is chain.web3 and list(web3.eth.accounts) == accounts
            assert base_contract_factories.Math.deploy()
        """
    )
    suite.runpytest_inprocess().assert_outcomes(passed=1)


def test_every_test_starts_clean(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("ending", ["passes", "fails", "passes"])
        def test(chain, provider, registrar, web3, ending):
            eth = web3.eth
            assert eth.block_number == 0
            assert not provider.is_contract_available("Math")
            assert eth.default_account == eth.accounts[0]
            assert len(eth.accounts) == 10
            math, txn_hash = provider.get_or_deploy_contract("Math")
            assert txn_hash is not None
            events = math.events.Increased.create_filter(from_block="latest")
            assert events.get_all_entries() == []
            math.transact().increase()
            chain.tester.time_travel(2_000_000_000)
            chain.tester.add_account("0x" + 64 * "7")
            chain.tester.disable_auto_mine_transactions()
            eth.default_account = eth.accounts[3]
            assert ending == "passes"
        """
    )
    suite.runpytest_inprocess().assert_outcomes(passed=2, failed=1)


def test_wider_fixtures_keep_what_they_built(suite: pytest.Pytester) -> None:
    suite.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def math(provider):
            return provider.get_or_deploy_contract("Math")[0]
        """
    )
    body = """
        import pytest

        @pytest.fixture(scope="module")
        def token(provider, math):
            contract, txn_hash = provider.get_or_deploy_contract(
                "Token", deploy_args=["Gold", 1, math.address])
            assert txn_hash is not None  # the other module's is gone
            return contract

        def test_before(provider, web3):
            web3.eth.send_transaction({"to": web3.eth.accounts[1], "value": 1})
            assert not provider.is_contract_available("Token")

        def test_first_use(math, web3):
            assert math.call().counter() == 0
            math.transact().increase()

        def test_second_use(math, token):
            assert math.call().counter() == 0
            assert token.call().totalSupply() == 1

        def test_third_use(math, token, request):
            assert token.call().totalSupply() == 1
            math.transact().increase()

        class TestClass:
            @pytest.fixture(scope="class", autouse=True)
            def increased(self, math):
                math.transact().increase()

            def test_once(self, math):
                assert math.call().counter() == 1
                math.transact().increase()

            def test_again(self, math):
                assert math.call().counter() == 1

        def test_after_the_class(math):
            assert math.call().counter() == 0
    """
    suite.makepyfile(test_one=body, test_two=body)
    suite.runpytest_inprocess("-p", "no:randomly").assert_outcomes(passed=14)


def test_reverts_reach_the_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest
        from web3.exceptions import ContractLogicError
        from populus.exceptions import ContractReverted

        def test(provider):
            refuser, _ = provider.get_or_deploy_contract("Refuser")
            with pytest.raises(ContractLogicError) as refusal:
                refuser.functions.custom(2).transact()
            assert isinstance(refusal.value, ContractReverted)
            assert refusal.value.named["given"] == 2
        """
    )
    suite.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize("processes", [[], ["-n", "2", "--dist", "load"]], ids=["one", "two"])
def test_gas_is_reported_by_contract_and_function(
    suite: pytest.Pytester, processes: list[str]
) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("times", [1, 3])
        def test(provider, web3, times):
            math, _ = provider.get_or_deploy_contract("Math")
            for _ in range(times):
                math.transact().increase()
            web3.eth.send_transaction({"to": web3.eth.accounts[1], "value": 1})
            provider.get_or_deploy_contract("Multiply13")  # linked, and known all the same
        """
    )
    done = suite.runpytest_subprocess("--gas-report", *processes)
    done.assert_outcomes(passed=2)
    done.stdout.re_match_lines_random(
        [
            r"Math",
            r"  constructor +2 +[\d,]+ +[\d,]+ +[\d,]+",
            r"  increase +4 +[\d,]+ +[\d,]+ +[\d,]+",
            r"Multiply13",
        ]
    )


def test_gas_is_not_reported_unasked(suite: pytest.Pytester) -> None:
    suite.makepyfile("def test(provider): provider.get_or_deploy_contract('Math')")
    assert "constructor" not in suite.runpytest_inprocess().stdout.str()


def test_suites_without_contracts_start_no_chain(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test(): pass")
    pytester.makeini("[pytest]\npopulus_project = /nonexistent\n")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_project_is_found_from_a_folder_below(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.path.joinpath("populus.json").write_text("{}")
    below = pytester.mkdir("tests")
    (below / "test_it.py").write_text(
        f"def test(project):\n    assert project.project_dir == {str(pytester.path)!r}\n"
    )
    monkeypatch.chdir(below)
    pytester.runpytest_inprocess(f"--rootdir={below}").assert_outcomes(passed=1)


@pytest.mark.parametrize("chosen", ["option", "ini", "variable", "rootdir"])
def test_the_project_is_found(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    for name in ("option", "ini", "variable", "rootdir"):
        (pytester.path / name).mkdir()
        (pytester.path / name / "populus.json").write_text("{}")
    ini = chosen in ("option", "ini")
    setting = f"populus_project = {pytester.path / 'ini'}" if ini else ""
    pytester.path.joinpath("rootdir", "pytest.ini").write_text(f"[pytest]\n{setting}\n")
    if chosen != "rootdir":
        monkeypatch.setenv("PYTEST_POPULUS_PROJECT", str(pytester.path / "variable"))
    test = pytester.path / "rootdir" / "test_it.py"
    test.write_text(f"def test(project):\n    assert project.root.name == {chosen!r}\n")
    options = ["--populus-project", "option"] if chosen == "option" else []
    pytester.runpytest_inprocess(*options, str(test)).assert_outcomes(passed=1)
