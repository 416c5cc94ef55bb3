.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.complete

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(SETUP) ## Make .venv with everything in it (.venv/bin/everytick)

$(SETUP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Everytick needs Python 3.11 or newer: make setup PYTHON=/path/to/python3.11' >&2; exit 2; }
	@echo 'Setting up .venv (once; about half a minute) ...'
	@$(PYTHON) -m venv --clear .venv || \
		{ echo 'Python has no venv module here. On Debian: apt-get install python3-venv' >&2; exit 2; }
	@$(BIN)/pip install --quiet --constraint constraints.txt --upgrade pip
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[feeds,postgres]' --group dev
	@touch $@

.PHONY: up
up: setup ## Run the main job: a daily ISIN list, live (Ctrl-C ends it)
	@$(BIN)/python examples/isin-daily/run.py

.PHONY: test
test: setup tools ## Run all tests
	@$(BIN)/pytest -n 2 --dist loadfile tests

.PHONY: fast
fast: setup ## Run the fast tests alone: no servers, no other processes
	@$(BIN)/pytest -n 2 tests/unit tests/story tests/contract --ignore-glob '*/test_postgres*'

.PHONY: fault
fault: setup tools ## Kill, stop, part and starve it for a quarter of an hour (EVERYTICK_FAULT_SEED=1)
	@EVERYTICK_FAULT_MINUTES=$${EVERYTICK_FAULT_MINUTES:-10} $(BIN)/pytest -q -rP tests/fault/cluster
	@EVERYTICK_KILLS=20 $(BIN)/pytest -n 2 --dist loadfile -rP tests/fault --ignore tests/fault/cluster

.PHONY: fuzz
fuzz: setup ## Damage real lists for three minutes and see that none is read wrongly (FUZZ_SECONDS=180)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
		$(BIN)/pip install --quiet --constraint constraints.txt --only-binary atheris --group fuzz 2>/dev/null || \
		{ echo 'make fuzz: atheris cannot be installed here; it has wheels for Python 3.11 to 3.13 on Linux' >&2; exit 2; }
	@$(BIN)/python -m tests.fuzz

.PHONY: bench
bench: setup ## Measure what is asked for, beside baselines, in one table
	@$(BIN)/python -c 'import pandas, stdnum' 2>/dev/null || \
		$(BIN)/pip install --quiet --constraint constraints.txt --group bench
	@$(BIN)/python bench/table.py

.PHONY: bench-peers
bench-peers: setup tools ## Play the same work on APScheduler, Celery, DBOS, ...: who is how late (25 minutes)
	@cd bench && ../$(BIN)/python -m peers

.PHONY: bench-postgres
bench-postgres: setup tools ## Measure the ledger on PostgreSQL: rates, a million tasks, ten million ticks (half an hour)
	@cd bench && ../$(BIN)/python -m postgres

.PHONY: soak
soak: setup ## A million lives, then ten minutes of the real thing and an audit
	@$(BIN)/python bench/lives.py 1000000
	@$(BIN)/python bench/soak.py 600

.PHONY: check
check: setup ## Format, lint, types and floors
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: fix
fix: setup ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: docs
docs: setup ## Write the reference of commands from the commands
	@$(BIN)/python -m everytick.cli.manual > docs/reference/commands.md

.PHONY: tools
tools: setup ## Install the servers and other programs that tests use
	@tests/tools.sh

.PHONY: simulate
simulate: setup ## Play random worlds with crashes at every call (WORLDS=1800), and print what fell where
	@$(BIN)/python -m everytick.testing.simulation --worlds $(or $(WORLDS),1800)

.PHONY: mutants
mutants: setup ## Plant ten bugs, one at a time, and see that the simulation finds each
	@$(BIN)/python tests/simulation/mutants.py
