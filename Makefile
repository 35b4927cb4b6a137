.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint types bench soak manifests clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(VENV)/.core: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

$(VENV)/.build: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[build]'
	touch $@

demo: $(VENV)/.build  ## build the sample world's data, train JRL and GSPH on it, score them, build a board
	$(BIN)/fgbench build-data --sample --per-class 12 --out demo-out/data
	$(BIN)/fgbench features --benchmark demo-out/data --out demo-out/features
	$(BIN)/fgbench baseline run jrl --benchmark demo-out/data --features demo-out/features \
		--set references=5 --out demo-out/jrl  # a class has but six training items
	$(BIN)/fgbench baseline run gsph --benchmark demo-out/data --features demo-out/features \
		--out demo-out/gsph
	for method in jrl gsph; do $(BIN)/fgbench score demo-out/$$method/submission.npz \
		--benchmark demo-out/data --card leaderboard/demo/$$method.yaml --to demo-out/results \
		|| exit; done
	$(BIN)/fgbench leaderboard build --results demo-out/results --benchmark demo-out/data \
		--out demo-out/board
	$(BIN)/fgbench score --sample --out demo-out/score

test: lint types $(VENV)/.dev  ## lint, types and the whole suite
	$(BIN)/pytest -n auto --dist loadfile

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

$(VENV)/.bench: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench,build,leaderboard,train]'
	touch $@

bench: $(VENV)/.bench  ## scoring, building and decoding beside their peers, in one run each
	$(BIN)/python tests/bench/score.py
	$(BIN)/python tests/bench/build.py
	$(BIN)/python tests/bench/hosts.py
	PYTHONPATH=tests $(BIN)/python tests/bench/audio.py
	$(BIN)/python tests/bench/video.py
	$(BIN)/python tests/bench/media.py
	$(BIN)/python tests/bench/jrl.py
	$(BIN)/python tests/bench/loader.py
	PYTHONPATH=tests $(BIN)/python tests/bench/board.py

soak: $(VENV)/.dev  ## twenty builds, each killed at random moments
	PYTHONPATH=tests $(BIN)/python tests/soak/kill.py

manifests: $(VENV)/.core  ## rebuild manifests/ from a folder of sources: make manifests DATA=DIR
	$(BIN)/python -m fgbench.manifests.build --data $(DATA)

clean:  ## remove what the other targets made
	rm -rf $(VENV) demo-out bench-out build dist *.egg-info
