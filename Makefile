# `make up` and `make test` are all that a fresh machine needs; both build .venv through `make setup`.
PYTHON ?= python3
BIN := .venv/bin
# who only runs the program needs no tools of the trade and no clusters: make setup EXTRA=all
EXTRA := $(if $(filter-out up,$(or $(MAKECMDGOALS),up)),dev,all)
# tests wait for servers and clocks, so there is one process more than cores; WORKERS=0 is one after the other
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 1); echo $$((n < 7 ? n + 1 : 8)))
# with as many processes as cores, threads of the libraries would only wait for each other
THREADS := $(if $(filter 0,$(WORKERS)),,OMP_NUM_THREADS=1)

.PHONY: up setup test lint types clean

up: setup
	$(BIN)/lifeline up

setup: .venv/.$(EXTRA)

.venv/.all .venv/.dev: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; pass it as `make up PYTHON=python3.12`")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(@:.venv/.%=%)]'
	touch .venv/.all $@

test: setup lint types
	$(THREADS) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

clean:
	rm -rf .venv build dist *.egg-info
