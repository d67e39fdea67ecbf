# vultus: `make demo` shows the whole way on synthetic faces, `make test` runs the suite, `make docs` the methods' pages.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types bench docs clean

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vultus needs Python 3.11 or newer; call make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@echo "installing vultus and its libraries into .venv (a few minutes, once)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[synthetic,dev]'
	@touch $@

demo: .venv/installed
	$(BIN)/vultus demo

test: .venv/installed
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/lint-imports

types: .venv/installed
	$(BIN)/mypy

bench: .venv/installed
	$(BIN)/python -m benchmarks.speed

docs: .venv/installed
	$(BIN)/python -m vultus.method_pages docs/methods

clean:
	rm -rf .venv build src/*.egg-info
