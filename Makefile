# One word per habit. None is needed: `pip install -e '.[test]' && pytest tests` does it all.
PYTHON ?= python3
MINUTES ?= 10

# Installed once into the active environment, again when a version changes.
ENVIRONMENT := $(shell $(PYTHON) -c 'import sys; print(sys.prefix)')
INSTALLED := $(ENVIRONMENT)/.perun-installed
NODE_TOOLS := $(if $(shell command -v npm),node_modules/.package-lock.json)
PAGE := perun/page/dist/index.html
BUILT_PAGE := $(if $(shell command -v npm),$(PAGE))

.PHONY: help install page check quick format test artifacts gas vectors look survive bench scale fuzz simulate storm planted kills mutants prove up demo clean

help: ## show these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) $(NODE_TOOLS) ## the package and what tests need; Node tools if npm is there

$(INSTALLED): setup.py constraints.txt
	$(PYTHON) -m pip install -c constraints.txt -e '.[test]'
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm install --no-audit --no-fund --no-save
	@touch $@

page: install $(PAGE) ## build the page, a wallet in a browser; needs npm

dapp/node_modules/.package-lock.json: dapp/package.json dapp/package-lock.json
	cd dapp && npm ci --no-audit --no-fund
	@touch $@

$(PAGE): dapp/node_modules/.package-lock.json dapp/index.html dapp/vite.config.ts \
		$(shell find dapp/src dapp/bundle dapp/public -type f) $(shell find perun -name '*.py')
	cd dapp && PYTHON="$(abspath $(shell command -v $(PYTHON)))" npm run --silent build

check: install $(if $(BUILT_PAGE),dapp/node_modules/.package-lock.json) ## format, lint and types of Python, Solidity and TypeScript
	$(PYTHON) -m pytest -q tests/tools/test_style.py

quick: install ## what a change to Python alone needs, in under five minutes: style, types, unit tests
	$(PYTHON) -m pytest -n 2 --dist loadfile -m 'not slow and not chain' --ignore tests/node/processes tests/core tests/node tests/games/fuzz tests/games/planted tests/games/simulation tests/attacks/regression tests/tools/test_*.py

format: install ## put Python and Solidity into shape
	$(PYTHON) -m ruff check --fix --quiet .
	$(PYTHON) -m ruff format --quiet .
	npx prettier --write --log-level warn 'contracts/**/*.sol' 'tests/**/*.sol'
	if [ -d dapp/node_modules ]; then cd dapp && npx prettier --write --log-level warn .; fi

test: install $(BUILT_PAGE) ## the whole suite
	$(PYTHON) -m pytest tests

artifacts: install ## compile the contracts and rewrite perun/artifacts and tests/contracts/artifacts
	$(PYTHON) -m populus compile

gas: install ## measure the gas of everything again and rewrite docs/gas.md
	$(PYTHON) -m benchmarks.gas --write

vectors: install ## rewrite the test vectors all implementations share
	$(PYTHON) -m tests.vectors

look: page ## take pictures of every screen of the page, light and dark, narrow and wide: build/look
	$(PYTHON) -m tests.node.processes.page.look

survive: page ## bad days of the page in a real browser (half an hour); ONLY="case …" chooses (docs/dapp.md)
	$(PYTHON) -m tests.node.processes.page.survive $(ONLY)

bench: install ## measure payments per second, latency, memory and disk (docs/performance.md)
	$(PYTHON) -m benchmarks all

scale: install ## a hub on several machines under 1,000 wallets, while an outsider ends what it likes (docs/scale.md)
	$(PYTHON) -m benchmarks scale

fuzz: install ## deep stateful runs for MINUTES (10), failures below build/stateful
	$(PYTHON) -m tests.games.stateful --minutes $(MINUTES)

simulate: install ## three nodes and a chain for MINUTES (10): lost messages, crashes, crooks, reorganisations
	$(PYTHON) -m tests.games.simulation --minutes $(MINUTES)

storm: install ## disputes for MINUTES (10) behind nodes with every quirk of the field; SEED=N, ONLY="'quirk' …"
	$(PYTHON) -m tests.games.storm --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

planted: install ## break core and node on purpose and see that tests, games and stories notice
	$(PYTHON) -m tests.games.planted
	$(PYTHON) -m tests.games.planted.core
	$(PYTHON) -m tests.games.planted.edits

kills: install ## end real node processes 200 times in the middle of paying
	$(PYTHON) -m tests.games.kills --kills 200
	$(PYTHON) -m tests.games.kills --kills 200 --postgres

mutants: install ## break the contracts on purpose and see that a test notices each (an hour)
	$(PYTHON) -m mutants

prove: install ## theorems, lemmas and static analysis of the contracts (needs coq, halmos and slither)
	$(PYTHON) -m proofs

up: install $(BUILT_PAGE) ## a whole network on this machine: a chain, a hub, a shop to pay, a patron who pays you
	$(PYTHON) -m perun.cli.main up

demo: install ## Alice, Bob and a hub: payments, a swap, a power cut and a fraud
	$(PYTHON) -m perun.cli.main demo

clean: ## remove what was built
	rm -rf build dist perun/page/dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
