# Everything a fresh Debian or Ubuntu machine with Python 3.11 or newer needs: `make demo`, `make test`.
# A slim CPU build of torch: make setup PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
PIP_FLAGS ?=
PYTEST_FLAGS ?=
DEMO_FLAGS ?=
# One more than there are cores, since tests wait too; more than nine would wait for each other.
WORKERS ?= $(shell cores=$$(nproc 2>/dev/null || echo 2); echo $$(( cores < 8 ? cores + 1 : 9 )))

# Each of the hundred processes that the tests start would compile what it imports again, two seconds for torch alone.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help setup demo test test-long check audit bench clean

help:
	@echo "make setup   make $(VENV) and install joulebench with everything a developer needs"
	@echo "make demo    measure two networks on the simulated bench, set-up included"
	@echo "make test    all checks and all tests but the long ones, set-up included"
	@echo "make test-long  the long ones: hundreds of thousands of messages, hundreds of runs, dozens of benches"
	@echo "make check   lint, format, layers, types"
	@echo "make audit   ask for known vulnerabilities of what is installed; needs the network"
	@echo "make bench   print the benchmarks"
	@echo "make clean   remove $(VENV) and what the tools left behind"

setup: $(INSTALLED)

# The stamp is newer than what decides the installation; a half-made one has no stamp and is made again.
# --no-compile: most of the 11,000 modules that torch and its company bring are never loaded; it halves the time.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "joulebench needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -c 'import ensurepip' || { echo "The venv module is incomplete: apt install python3-venv" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e ".[dev]"
	@touch $@

demo: setup
	$(BIN)/joulebench demo $(DEMO_FLAGS)

# Twice: first what needs the machine to itself, then all the rest in several processes,
# since tests wait too.
test: check
	$(BIN)/python -m pytest -m "alone and not long" $(PYTEST_FLAGS)
	$(BIN)/python -m pytest -m "not alone and not long and not hardware" -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS)

test-long: setup
	$(BIN)/python -m pytest -m "long and alone" $(PYTEST_FLAGS)
	$(BIN)/python -m pytest -m "long and not alone and not hardware" -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Status 3 of the script: nobody could be asked, which is neither good nor bad.
audit: setup
	$(BIN)/python .ci/audit.py

bench: setup
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf $(VENV) .venv-audit .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist demo-out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
