# Needs Python 3.11 or newer, make and a package index; everything else goes into .venv.
PYTHON ?= python3
N ?= 1000000
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Most of what sqlfluff makes stays until it is done: to look for garbage again and again takes a fifth of its time.
SQLFLUFF := import gc; from sqlfluff.cli.commands import cli; gc.disable(); cli()
TEST_FOLDERS := tests/engines tests/end_to_end tests/fault_matrix tests/agreement tests/mutation tests/oracle tests/integration tests/unit

export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help close test test-slow test-exhaustive test-engines test-spark test-recipes lint unit docs bench bench-engines lock clean dashboard

help:
	@echo "make close   set up, then close the sample exports into out/2026-06-30"
	@echo "make dashboard  show that close in the browser, at http://127.0.0.1:8765/"
	@echo "make test    set up, then lint and test: about ten minutes"
	@echo "make lint    ruff, mypy and sqlfluff only"
	@echo "make unit    the unit tests only: no build, no close, about a minute"
	@echo "make docs    build the documentation site in the folder site"
	@echo "make test-slow        what takes longer: closes of many days, the package in another project, changed projects"
	@echo "make test-exhaustive  what takes hours: hundreds of generated exports, mutation of every finding"
	@echo "make test-engines     installs PostgreSQL and Java where they are missing, and compares many closes"
	@echo "make test-spark       installs Java where it is missing, and compares one small close"
	@echo "make test-recipes     the recipes of examples/, run for real in environments of their own"
	@echo "make bench   measure a close against the floor (N=1000000 orders)"
	@echo "make bench-engines  load and close the same exports on every engine, and measure it (N=1000000 orders)"
	@echo "make lock    pin the newest allowed dependencies in requirements.lock (needs uv)"
	@echo "make clean   remove .venv and everything that was built"

# The lock is installed only when it changed; a half-made environment has no stamp and is redone.
$(STAMP): requirements.lock pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit("pool-recon needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV) from requirements.lock (about a minute)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q pool_recon
	@touch $@

close: $(STAMP)
	@$(BIN)/pool-recon close --exports samples/clean --close-date 2026-06-30 --out out --warehouse out/pool_recon.duckdb

# Closes the sample exports where nothing was closed so far; a close that is blocked can be shown, too.
dashboard: $(STAMP)
	@test -f out/pool_recon.duckdb || $(MAKE) --no-print-directory close
	@$(BIN)/pool-recon dashboard --warehouse out/pool_recon.duckdb

# Files are spread over the workers whole, so that the tests of one file share its closes; the slow ones first.
# Those of the fault matrix make the closes that tests/agreement ends with.
test: lint
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TEST_FOLDERS)

test-slow: $(STAMP)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m slow $(TEST_FOLDERS)

test-exhaustive: $(STAMP)
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m exhaustive $(filter-out tests/engines,$(TEST_FOLDERS))

test-engines: $(STAMP)
	@sh tests/engines/install.sh java
	@POOL_RECON_ENGINES_REQUIRED=1 POOL_RECON_SPARK_REQUIRED=1 $(BIN)/python -m pytest -q -n $(WORKERS) -m "" tests/engines

test-spark: $(STAMP)
	@sh tests/engines/install.sh java
	@POOL_RECON_SPARK_IN_BRIEF=1 $(BIN)/python -m pytest -q tests/engines/test_spark_in_brief.py

docs: $(STAMP)
	@$(BIN)/python -m docsite.build --out site

test-recipes: $(STAMP)
	@$(BIN)/python tests/recipes/run.py

bench: $(STAMP)
	@$(BIN)/python benchmarks/run.py --orders $(N)

bench-engines: $(STAMP)
	@sh tests/engines/install.sh java
	@$(BIN)/python benchmarks/engines.py --orders $(N)

unit: $(STAMP)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile tests/unit

# The dbt templater compiles the models, for which it needs a date and no warehouse.
lint: $(STAMP)
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && echo "ruff: ok"
	@$(BIN)/mypy --no-error-summary && echo "mypy: ok"
	@POOL_RECON_CLOSE_DATE=2026-06-30 POOL_RECON_WAREHOUSE=:memory: $(BIN)/python -c "$(SQLFLUFF)" lint --disable-progress-bar --processes $(WORKERS) models tests/rules tests/invariants analyses \
		> $(VENV)/sqlfluff.log 2>&1 || { cat $(VENV)/sqlfluff.log; exit 1; }
	@echo "sqlfluff: ok"

lock:
	@uv pip compile pyproject.toml --all-extras --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-header --no-annotate --no-strip-extras --upgrade --quiet -o requirements.lock
	@echo "requirements.lock: $$(grep -c '==' requirements.lock) packages"

clean:
	@rm -rf $(VENV) .venv-recipes out site target logs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find pool_recon -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "removed $(VENV) and everything that was built"
