# Two commands: `make demo` and `make test`. Everything else is for those who work on Potager.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= potager-data
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled once, read at every start: programs start several times in the tests.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-tools lint types unit unit-postgres journeys reference lock audit bench clean

demo: $(VENV)/installed
	$(BIN)/potager --data $(DATA) demo

$(VENV)/installed: requirements/run.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Potager needs Python 3.11 or newer.")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed requirements/test.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/test.txt
	touch $@

test: $(VENV)/tested
	@$(BIN)/python tests/prepare.py
	@$(MAKE) --no-print-directory lint types unit unit-postgres journeys
	@$(BIN)/python tests/prepare.py --report

lint: $(VENV)/tested
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/lint-imports

types: $(VENV)/tested
	$(BIN)/mypy

unit: $(VENV)/tested
	$(BIN)/pytest -m "not journey" -n 2 --cov --cov-report=term:skip-covered --cov-report=json:.coverage.json
	$(BIN)/python tests/coverage_floor.py

unit-postgres: $(VENV)/tested
	$(BIN)/python tests/on_postgres.py -m "not journey and not spark" tests/ground tests/faces/api tests/faces/web tests/insight tests/contract tests/garden

journeys: $(VENV)/tested
	$(BIN)/pytest -m journey -n 2 --dist loadfile tests/journeys tests/faces/web_design

# Written from the code and committed; a test fails when they lie.
reference: $(VENV)/tested
	$(BIN)/potager openapi > src/potager/faces/api/openapi.json.new
	mv src/potager/faces/api/openapi.json.new src/potager/faces/api/openapi.json
	$(BIN)/python docs/write_reference.py

lock:
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml requirements/build.in -o requirements/run.txt
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --group test --extra postgres --extra spark pyproject.toml requirements/build.in -o requirements/test.txt
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --group bench --constraint requirements/test.txt -o requirements/bench.txt

audit: $(VENV)/tested
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements/run.txt

bench: $(VENV)/tested
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/bench.txt
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
