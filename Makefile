# Everything that a fresh clone needs: Python 3.11 or newer and make. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# What tests and tools keep for next time stays inside the clone.
export DETECTATTN_CACHE := $(CURDIR)/$(VENV)/cache
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/cache/matplotlib

# The picture of docs/attention.md.
LOOK := $(BIN)/detectattn explain samples/street/images/boulevard.jpg --quiet --classes bus

.DEFAULT_GOAL := help
.PHONY: help install demo test lint check format bench peer samples pictures lock audit clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(READY) ## Create .venv and install the project with its extras and development tools

demo: $(READY) ## Try it: both embedded models on the shipped street scenes
	@$(BIN)/detectattn demo

test: $(READY) ## Run the whole test suite; the report's tests want Chromium: apt install chromium poppler-utils
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n 2 # hundreds of processes would compile the package anew

lint: $(READY) ## Check style, formatting, types and the layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

check: lint test ## What CI runs: lint, then test

format: $(READY) ## Put every file into the project's format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(READY) ## Measure speed against `yolo predict`; BENCH="--rows … --noise" are its options; make peer comes first
	@$(BIN)/python -m benchmarks.peer $(BENCH)

peer: .venv-peer/.ready ## Install what bench measures against, Ultralytics with a whole PyTorch, into .venv-peer (5 GB)

samples: $(READY) ## Draw the sample pictures and the sample video again
	@$(BIN)/python -m samples.make_samples

pictures: $(READY) ## Make the pictures of the documentation again, by the commands that it names
	@rm -rf $(VENV)/pictures
	@$(BIN)/detectattn demo --quiet --out $(VENV)/pictures
	@cp $(VENV)/pictures/compare/pictures/*-crossroads.jpg docs/images/compare.jpg
	@for model in rtdetr yolo; do \
	  cp $(VENV)/pictures/demo-$$model/images/yellow-bus.jpg docs/images/demo-$$model.jpg; done
	@cp $(VENV)/pictures/explain/images/boulevard.jpg docs/images/explain.jpg
	@$(LOOK) -m demo-rtdetr --maps encoder_rows --top 2 --out $(VENV)/pictures/attention-rows
	@$(LOOK) -m demo-rtdetr --maps encoder_rows --head 0 --top 1 --out $(VENV)/pictures/attention-head-0
	@$(LOOK) -m demo-rtdetr --maps encoder_rows --head 3 --top 1 --out $(VENV)/pictures/attention-head-3
	@$(LOOK) -m demo-rtdetr --maps cross_last --top 1 --out $(VENV)/pictures/attention-points
	@$(LOOK) -m demo-rtdetr -m demo-yolo --maps input_gradient --top 1 --out $(VENV)/pictures/attention-reach
	@for name in rows head-0 head-3 points reach; do \
	  cp $(VENV)/pictures/attention-$$name/images/boulevard.jpg docs/images/attention-$$name.jpg; done

lock: $(READY) ## Pin and hash what make install installs, after a change of pyproject.toml; UPGRADE=1 takes the newest of all
	@$(BIN)/python .ci/lock.py $(if $(UPGRADE),--upgrade)

audit: $(READY) ## Ask PyPI whether a vulnerability is known in what is locked
	@$(BIN)/python -m pip check
	@$(BIN)/python .ci/audit.py

clean: ## Remove what the targets above leave, run folders excepted
	rm -rf $(VENV) .venv-peer build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv-peer/.ready: benchmarks/peer/requirements.txt
	@test -x .venv-peer/bin/python || $(PYTHON) -m venv .venv-peer
	@.venv-peer/bin/python -m pip install --disable-pip-version-check -r benchmarks/peer/requirements.txt
	@touch $@

# What is installed is locked, and checked against the hashes of requirements/: `make lock` writes them.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKED := $(PIP) install --no-deps --require-hashes --only-binary :all:

$(READY): pyproject.toml requirements/dev.txt $(VENV)/.torch
	@$(LOCKED) -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# pip takes torch from where this machine has it look, a CPU build if there is one; its hash is checked afterwards, because
# pip prefers a build whose hash it can read off an index to one that lies in a folder.
$(VENV)/.torch: requirements/torch.txt requirements/cuda.txt | $(BIN)/python
	@rm -rf $(VENV)/torch
	@$(PIP) download --no-deps --only-binary :all: --dest $(VENV)/torch --constraint constraints.txt torch
	@$(LOCKED) --no-index --find-links $(VENV)/torch -r requirements/torch.txt || { echo \
	  "This machine's pip finds $$(ls $(VENV)/torch), a build of torch that requirements/torch.txt does not know." \
	  "If it is one that you want, add its hash there."; exit 1; }
	@rm -rf $(VENV)/torch
	@! grep -Eqs '^Requires-Dist: (nvidia|cuda)-' $(VENV)/lib/python*/site-packages/torch-*.dist-info/METADATA || \
	  $(LOCKED) -r requirements/cuda.txt
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 …"; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@echo "Installing into $(VENV) (about 1.3 GB, once) …"
	@$(LOCKED) -r requirements/pip.txt
