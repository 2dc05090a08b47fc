# myelowatch: every command a person or a machine needs. `make` alone lists them.
# Asked of the machine: Python 3.11 or newer, make and git. Everything else comes from the lock files by pip.

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Two workers suit the smallest machine we test on; `make test JOBS=8` on a larger one.
JOBS ?= 2
SEEDS ?= 20000

# Pip is told where packages come from by its own configuration alone; these only make it quiet.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

LAPTOP := $(VENV)/.laptop-is-installed
DEV := $(VENV)/.dev-is-installed
MUTATION := $(VENV)/.mutation-is-installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test fast full long lint format types imports broker-tests bench chaos simulation coverage mutation \
  docs lock clean

help: ## this list
	@while IFS= read -r line; do case $$line in \
	  [a-z]*:*"## "*) printf '  make %-14s %s\n' "$${line%%:*}" "$${line##*## }";; \
	esac; done < Makefile

setup: $(DEV) ## install everything for work on the project into .venv, from the lock files
	@echo "Ready: $(BIN)/myelowatch --help"

demo: $(LAPTOP) ## the whole product on this machine: a real Kafka, every role, a ward of synthetic patients
	@$(BIN)/myelowatch demo $(ARGS)

test: lint types imports fast ## all tests that a laptop can run
	$(PYTEST) -n $(JOBS) --dist loadgroup -m "(broker or prometheus or chaos or slow) and not long"

fast: $(DEV) ## tests that need no broker and no network, in under a minute
	$(PYTEST) -n $(JOBS) --dist loadgroup -m "not broker and not prometheus and not chaos and not slow and not long"

full: test long simulation chaos coverage mutation ## `make test`, then all that takes minutes: searches, simulation, chaos, mutation

long: $(DEV) ## the searches that are too long for `make test`
	$(PYTEST) -n $(JOBS) --dist loadgroup -m long

lint: $(DEV) ## style and common mistakes (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## put the code into the common form (ruff)
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

types: $(DEV) ## types (mypy, strict)
	$(BIN)/mypy

imports: $(DEV) ## which room may import which (import-linter)
	$(BIN)/lint-imports --no-cache

broker-tests: $(DEV) ## only the tests that need the laptop Kafka
	$(PYTEST) -m broker

bench: $(DEV) ## speed, side by side with plain Faust and raw aiokafka, in one run
	$(BIN)/python -m tests.benchmarks $(ARGS)

chaos: $(DEV) ## kill, pause and restart real processes; compare with the replay of the same log
	$(BIN)/python -m tests.chaos $(ARGS)

simulation: $(DEV) ## the same bodies on a simulated log, store and clock: SEEDS=20000 orders of events and faults
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

# Asked for with `make coverage AT_LEAST=100` to fail below it; without it the figures are only told.
coverage: $(DEV) ## line and branch coverage of rules/ by its own tests, family by family
	$(BIN)/python -m tests.rule_coverage --jobs $(JOBS) $(if $(AT_LEAST),--at-least $(AT_LEAST)) $(ARGS)

mutation: $(MUTATION) ## plant mistakes into rules/ and see whether the tests notice: FAMILY=thrombosis for one
	$(BIN)/python -m tests.mutation --mutmut $(CURDIR)/$(VENV)/mutation/bin/mutmut --jobs $(JOBS) \
	  $(if $(FAMILY),--family $(FAMILY)) $(ARGS)

docs: $(DEV) ## write the generated pages and schemas anew
	$(BIN)/python -m schemas.published.generate
	$(BIN)/python -m streams.rules_commands --write-docs

# Each shorter lock is held to the versions of the longest, so that what is tested is what runs.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock" $(ARGS)
lock: $(DEV) ## resolve the dependencies of pyproject.toml anew into requirements/ (newest: ARGS=--upgrade)
	$(PIP) install --require-hashes --requirement requirements/lock.txt
	$(COMPILE) pyproject.toml --extra dev --group build --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra broker --group build -c requirements/dev.txt --output-file requirements/laptop.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt --output-file requirements/run.txt
	$(COMPILE) --group build -c requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) --group lock --output-file requirements/lock.txt
	$(COMPILE) --group mutation --output-file requirements/mutation.txt

clean: ## remove the environment, caches and the state of the laptop broker
	@if [ -x $(BIN)/myelowatch ] && [ -d .myelowatch ]; then $(BIN)/myelowatch broker stop || true; fi
	rm -rf $(VENV) .myelowatch .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how the environment is made ---------------------------------------------------------------------------------

# The first Python on the path that is new enough and can make an environment: a bare `python3` may be too old on
# some systems, and some distributions leave `venv` out of it.
$(BIN)/python:
	@set -e; for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if command -v "$$candidate" >/dev/null 2>&1 && "$$candidate" -c \
	    'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$("$$candidate" --version)"; \
	    "$$candidate" -m venv $(VENV); exit 0; \
	  fi; \
	done; \
	echo "No Python >= 3.11 that can make an environment was found on the path." >&2; \
	echo "Install one (on Debian and Ubuntu: python3 and python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1

# The stamps make a warm run free: they are older than the lock files only when something has changed.
$(LAPTOP): requirements/laptop.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the product and the laptop Kafka need (requirements/laptop.txt) ..."
	@$(PIP) install --require-hashes --requirement requirements/laptop.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the product and its tests need (requirements/dev.txt) ..."
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(LAPTOP)

# The mutation tool wants a newer click than the stream engine bears: an environment of its own, which sees ours behind it.
$(MUTATION): requirements/mutation.txt $(DEV)
	@echo "Installing what plants mistakes (requirements/mutation.txt) ..."
	@rm -rf $(VENV)/mutation
	@$(BIN)/python -m venv $(VENV)/mutation
	@$(VENV)/mutation/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement requirements/mutation.txt
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
	  "$$($(VENV)/mutation/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/house.pth"
	@touch $@
