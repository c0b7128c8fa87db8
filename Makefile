# make book, make test, ... on a fresh clone with Python 3.11+ and make: the environment is set up on first use
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# two threads that spin against each other are slower than one that works
export TOKENIZERS_PARALLELISM := false
export HF_HUB_DISABLE_TELEMETRY := 1

# tests and notebooks run behind a guard that refuses every connection that leaves the machine
OFFLINE := PYTHONPATH=$(CURDIR)/tests/offline

.PHONY: book test notebooks studies pretrain lab clean

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[book,test]'
	touch $@

book: $(READY)
	$(BIN)/jupyter-book build . --path-output . --quiet
	@echo "The book is in _build/html/index.html"

test: $(READY)
	$(OFFLINE) $(BIN)/python -m pytest
	$(OFFLINE) $(BIN)/python -m pytest --nbval --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with tests/nbval-sanitize.cfg notebooks
	$(BIN)/jupyter-book build . --all --path-output . --warningiserror --keep-going --quiet

notebooks: $(READY)
	$(BIN)/python -m course.notebooks

studies: $(READY)
	$(BIN)/python -m course.studies

pretrain: $(READY)
	$(BIN)/python -m course.pretrain

lab: $(READY)
	$(BIN)/jupyter-lab

clean:
	rm -rf _build $(VENV)
