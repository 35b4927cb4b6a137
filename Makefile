.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint types bench manifests clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(VENV)/.core: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(VENV)/.core  ## score the shipped sample submission and say what the numbers mean
	$(BIN)/fgbench score --sample --out demo-out

test: lint types $(VENV)/.dev  ## lint, types and the whole suite
	$(BIN)/pytest -n auto

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

$(VENV)/.bench: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@

bench: $(VENV)/.bench  ## fgbench score beside the bare product and its peers, in one run
	$(BIN)/python tests/bench/score.py

manifests: $(VENV)/.core  ## rebuild manifests/ from a folder of sources: make manifests DATA=DIR
	$(BIN)/python -m fgbench.manifests.build --data $(DATA)

clean:  ## remove what the other targets made
	rm -rf $(VENV) demo-out bench-out build dist *.egg-info
