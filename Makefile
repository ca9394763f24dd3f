# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: scoreboard demo test lint types contracts unit clean

demo: .venv/.demo
	$(BIN)/snncompare demo --out out/demo

test: lint types contracts unit

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test
	$(BIN)/mypy

contracts: .venv/.test
	$(BIN)/lint-imports

unit: .venv/.test .venv-driver/.ready
	$(BIN)/pytest -n 2 --dist loadfile

# A stamp is written only when the installation before it succeeded.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.demo: .venv/bin/python pyproject.toml constraints.txt hatch_build.py
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo]'
	@touch $@

.venv/.test: .venv/.demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	@touch $@

# Snakemake for pipelines/, apart from the science environment; without a network the tests of the pipelines are skipped.
.venv-driver/.ready: pipelines/driver-requirements.txt
	$(PYTHON) -m venv .venv-driver
	@if .venv-driver/bin/python -m pip install --quiet --requirement $<; then touch $@; \
	elif .venv-driver/bin/python -m pip download --quiet --no-deps --dest .venv-driver/probe pip > /dev/null 2>&1; then \
	exit 1; \
	else echo "no package index can be reached: tests of the pipelines will be skipped"; fi

scoreboard: .venv/.demo
	$(BIN)/python -c "from snncompare.report.scoreboard import write_scoreboard; write_scoreboard('analyses')"

clean:
	rm -rf .venv .venv-driver out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
