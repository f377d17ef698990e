# Everything a newcomer needs: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin

.PHONY: help setup demo test lint test-live lab lab-stop record-sample bench bench-import corpus lock clean

help:
	@echo "make demo           set up .venv and run the main job on the sample incident"
	@echo "make test           set up .venv and run lint, types, architecture and the default tests"
	@echo "make test-live      start the lab's real servers and run the live tests (Debian, root)"
	@echo "make lab lab-stop   start / stop the lab"
	@echo "make record-sample  record the sample incident anew from the lab"
	@echo "make bench          print the benchmark table"
	@echo "make bench-import   import 2 GB of raw console and hits; time and peak memory"
	@echo "make corpus         score console against Elastic on every case of the corpus (about 5 minutes)"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "incident-kit: $(PYTHON) not found. Install Python 3.11 or newer, or set PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "incident-kit: Python 3.11 or newer is needed; $$($(PYTHON) --version) is too old. Set PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "incident-kit: Python's venv module is missing. On Debian: apt-get install python3-venv."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup
	$(BIN)/incident-kit demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest

lab: setup
	$(BIN)/python -m tests.lab start

lab-stop: setup
	$(BIN)/python -m tests.lab stop

test-live: lab
	$(BIN)/python -m pytest -m live -rP

record-sample: lab
	$(BIN)/python -m tests.lab.record_sample

bench: setup
	$(BIN)/python -m benchmarks

bench-import: setup
	$(BIN)/python -m benchmarks.importing

corpus: setup
	$(BIN)/python -m tests.corpus.score --inside

lock:
	$(BIN)/python -m pip freeze --exclude-editable | grep -v '^incident-kit' > requirements.lock

clean:
	rm -rf $(VENV) build dist
