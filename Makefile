# make book, make test, ... on a fresh clone with Python 3.11 and make: the environment is set up on first use
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
# what of [project.optional-dependencies] is installed
EXTRAS ?= book,index,test
export TOKENIZERS_PARALLELISM := false
export HF_HUB_DISABLE_TELEMETRY := 1

# tests and notebooks run behind a guard that refuses every connection that leaves the machine
OFFLINE := PYTHONPATH=$(CURDIR)/tests/offline
# a worker for each core, at most four (each loads torch), and one thread in each: threads that spin against each other are slower than
# one that works. A file stays with one worker, since its fixtures and its kernel are shared.
WORKERS ?= logical
PYTEST := $(OFFLINE) OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest \
	--numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 20 -r s

# what a program can say of the code without running it: style, order of the folders, types
STATIC := $(BIN)/ruff check --quiet src tests benchmarks && $(BIN)/ruff format --check --quiet src tests benchmarks && \
	$(BIN)/lint-imports && $(BIN)/mypy src/course

.PHONY: book links lighthouse pdf slides keys check test notebooks real studies pretrain lab address clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

book: $(READY)
	$(BIN)/jupyter-book build . --path-output . --quiet
	@echo "The book is in _build/html/index.html"

# the links that leave the book; needs the network
links: $(READY)
	$(BIN)/jupyter-book build . --path-output . --builder linkcheck --quiet

# scores of four pages by Lighthouse; needs node, a Chromium and, the first time, the npm registry
lighthouse: book
	$(BIN)/python benchmarks/lighthouse.py

# _build/finetuning-vs-prompting.pdf, printed by the Chromium of the machine
pdf: book
	$(BIN)/python -m course.publishing.pdf

# one HTML file a chapter, with all that it needs inside; `make book` writes them beside its pages, too
slides: $(READY)
	$(BIN)/python -m course.publishing.slides

# the lecturer's answers, and the notebooks of a class without them, in _build/keys
keys: $(READY)
	$(BIN)/python -m course.publishing.keys

# before a commit; `make test` has all of it, the slow tests too, and with the extra 'browser' and a Chromium on the machine those of the pages
check: $(READY)
	$(STATIC)
	$(PYTEST) -m "not slow"

test: $(READY)
	$(STATIC)
	$(BIN)/jupyter-book build . --all --path-output . --warningiserror --keep-going --quiet
	$(PYTEST)
	$(PYTEST) --nbval --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with tests/nbval-sanitize.cfg notebooks

notebooks: $(READY)
	$(BIN)/python -m course.publishing.notebooks

# every chapter with the real models of the package index, or CHAPTERS="05-chain-of-thought"; real data sets lie in COURSE_DATA, or beside
# the clone, and a chapter that lacks some says where to get it
real: export COURSE_DATA := $(or $(COURSE_DATA),$(realpath ../shared/data))
real: $(READY)
	$(BIN)/python -m course.publishing.real_chapters $(CHAPTERS)

studies: $(READY)
	$(BIN)/python -m course.studies

# each step needs the same large blocks again: an allocator of glibc that keeps them saves a fourth of the time
KEEP_BLOCKS := MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=268435456

pretrain: $(READY)
	$(KEEP_BLOCKS) $(BIN)/python -m course.pretraining.train

lab: $(READY)
	$(BIN)/jupyter-lab

# make address URL=https://github.com/OWNER/NAME: where the course lives, written into pyproject.toml and all that follows from it
address: $(READY)
	$(BIN)/python -m course.publishing.site "$(URL)"

clean:
	rm -rf _build $(VENV)
