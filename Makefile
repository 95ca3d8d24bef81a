# One word per habit. None is needed: `pip install -e '.[test]' && pytest tests` does it all.
PYTHON ?= python3
MINUTES ?= 10

.PHONY: help install check format test artifacts gas vectors fuzz mutants prove demo clean

help: ## show these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## the package, its tests and the Node tools, as continuous integration pins them
	$(PYTHON) -m pip install -c constraints.txt -e '.[test]'
	npm install --no-audit --no-fund

check: ## format, lint and types of Python and Solidity
	$(PYTHON) -m pytest -q tests/test_style.py

format: ## put Python and Solidity into shape
	$(PYTHON) -m ruff check --fix --quiet .
	$(PYTHON) -m ruff format --quiet .
	npx prettier --write --log-level warn 'contracts/**/*.sol' 'tests/**/*.sol'

test: ## the whole suite
	$(PYTHON) -m pytest tests

artifacts: ## compile the contracts and rewrite perun/artifacts and tests/artifacts
	$(PYTHON) -m populus compile

gas: ## measure the gas of everything again and rewrite docs/gas.md
	$(PYTHON) -m benchmarks.gas --write

vectors: ## rewrite the test vectors all implementations share
	$(PYTHON) -m tests.vectors

fuzz: ## deep stateful runs for MINUTES (10), failures below build/stateful
	$(PYTHON) -m tests.stateful --minutes $(MINUTES)

mutants: ## break the contracts on purpose and see that a test notices each (an hour)
	$(PYTHON) -m mutants

prove: ## check the contracts symbolically and statically (needs halmos and slither)
	$(PYTHON) -m proofs

demo: ## a first payment on a chain in memory
	$(PYTHON) examples/first_payment.py

clean: ## remove what was built
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
