"""A smaller part of the contract tests on a real anvil process, with the same gas as eth-tester."""
