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
.PHONY: help install demo test lint check format bench samples pictures clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(READY) ## Create .venv and install the project with its extras and development tools

demo: $(READY) ## Try it: both embedded models on the shipped street scenes
	@$(BIN)/detectattn demo

test: $(READY) ## Run the whole test suite; the report's tests want Chromium: apt install chromium poppler-utils
	@$(BIN)/pytest -n 2

lint: $(READY) ## Check style, formatting, types and the layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

check: lint test ## What CI runs: lint, then test

format: $(READY) ## Put every file into the project's format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(READY) ## Measure speed and memory
	@$(BIN)/python -m benchmarks

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

clean: ## Remove what the targets above leave, run folders excepted
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Older pips do not know dependency groups, so the environment's own is brought up to date first.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 …"; \
	  exit 1; }
	@echo "Installing into $(VENV) (about 1 GB, once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt -e '.[openvino,onnx,parquet]' --group dev
	@touch $@
