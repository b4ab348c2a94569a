# Each target is a line or two into a real tool. `make` alone lists them.
#
#   ARGS   is handed to the tool:                     make interop ARGS="--client go -k ping_pong"
#   BASE   is what `make compat` compares with:       make compat BASE=origin/main
#   PYTHON is the interpreter that makes the venv:    make setup PYTHON=python3.12

PYTHON ?= python3
BASE ?= origin/main
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup interop compat build bench doctor test lint format generate lock wheel clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime ## Make .venv with the harness in it: .venv/bin/interop

interop: $(VENV)/.runtime ## Run every client against every server
	$(BIN)/interop run $(ARGS)

compat: $(VENV)/.runtime ## Run the protos of BASE against those of the working tree, both ways
	$(BIN)/interop compat --base $(BASE) $(ARGS)

build: $(VENV)/.runtime ## Only build the drivers
	$(BIN)/interop build $(ARGS)

bench: $(VENV)/.runtime ## Measure cases per second, and the bare loop they are compared with
	$(BIN)/interop bench $(ARGS)

doctor: $(VENV)/.runtime ## Say what is installed, what is missing, and what to do
	$(BIN)/interop doctor $(ARGS)

test: $(VENV)/.dev ## Run the tests of the harness and of the implementations
	$(BIN)/python go_impl/dev.py test
	$(BIN)/pytest $(ARGS)

lint: $(VENV)/.dev ## Check style, types, protos and that generated code is up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/style.py
	$(BIN)/mypy
	$(BIN)/mypy py_impl
	$(BIN)/mypy go_impl
	$(BIN)/buf lint
	$(BIN)/python scripts/generate.py --check
	$(BIN)/python go_impl/dev.py lint

format: $(VENV)/.dev ## Format what can be formatted
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .
	$(BIN)/buf format --write

generate: $(VENV)/.runtime ## Generate the code of the driver contract that is committed
	$(BIN)/python scripts/generate.py
	$(BIN)/python go_impl/generate.py

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

lock: $(VENV)/.dev ## Lock the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade --group build --output-file requirements/runtime.txt
	$(COMPILE) --upgrade --group build --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt

wheel: $(VENV)/.runtime ## Build the wheel and the source distribution into dist/
	$(BIN)/python -m hatchling build

clean: ## Remove everything that was made, the venv included
	rm -rf $(VENV) .interop dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# What pip installs is fixed by hashes; the harness itself is installed as a path to this checkout.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml hatch_build.py | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(f"Python 3.11 or newer is needed, and $(PYTHON) is {sys.version.split()[0]}: say which to use with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
