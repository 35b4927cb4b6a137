.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo demo-train test lint types bench soak wheel manifests clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(VENV)/.core: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

$(VENV)/.train: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[build,train]'
	touch $@

$(VENV)/.build: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[build]'
	touch $@

demo: $(VENV)/.build  ## the whole chain on a synthetic world: data, features, three systems, scores, board
	$(BIN)/fgbench build-data --sample --per-class 12 --out demo-out/data
	$(BIN)/fgbench features --benchmark demo-out/data --out demo-out/features
	$(DEMO_RUN) jrl --set score=cosine --out demo-out/jrl
	$(DEMO_RUN) gsph --out demo-out/gsph
	$(DEMO_RUN) jrl --set references=5 --out demo-out/jrl-scores  # a class has six training items
	for run in jrl gsph jrl-scores; do $(DEMO_SCORE) || exit; done
	$(BIN)/fgbench compare demo-out/jrl-scores/score demo-out/gsph/score --benchmark demo-out/data
	$(DEMO_BOARD)

DEMO_RUN   = $(BIN)/fgbench baseline run --benchmark demo-out/data --features demo-out/features
DEMO_SCORE = $(BIN)/fgbench score demo-out/$$run/submission.npz --benchmark demo-out/data \
	--out demo-out/$$run/score --card leaderboard/demo/$$run.yaml --to demo-out/results
DEMO_BOARD = $(BIN)/fgbench leaderboard build --results demo-out/results \
	--benchmark demo-out/data --out demo-out/board

demo-train: demo $(VENV)/.train  ## the same, and a few steps of FGCrossNet: the board has one more
	$(BIN)/fgbench baseline run fgcrossnet --benchmark demo-out/data --budget tiny --side 64 \
		--set weights=none --out demo-out/fgcrossnet
	run=fgcrossnet; $(DEMO_SCORE)
	$(DEMO_BOARD)

test: lint types $(VENV)/.dev  ## lint, types and the whole suite
	$(BIN)/pytest -n auto --dist loadfile

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

$(VENV)/.bench: $(VENV)/.core
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench,build,dask,serve,train]'
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
	PYTHONPATH=tests $(BIN)/python tests/bench/serve.py
	$(BIN)/python tests/bench/scale.py

soak: $(VENV)/.dev  ## twenty builds and twenty servers, each killed at random moments
	PYTHONPATH=tests $(BIN)/python tests/soak/kill.py
	PYTHONPATH=tests $(BIN)/python tests/soak/serve.py

WHEEL = cd wheel-out && venv/bin/fgbench

wheel:  ## the wheel in an empty environment: core scores, [leaderboard] and [build] build (PYTHON=…)
	rm -rf dist wheel-out && $(PYTHON) -m venv wheel-out/venv && mkdir wheel-out/results
	wheel-out/venv/bin/pip wheel --quiet --no-deps --wheel-dir dist .
	wheel-out/venv/bin/pip install --quiet dist/*.whl
	$(WHEEL) score --sample
	wheel-out/venv/bin/pip install --quiet "$$(ls dist/*.whl)[leaderboard]"
	$(WHEEL) leaderboard build --results results
	wheel-out/venv/bin/pip install --quiet "$$(ls dist/*.whl)[build]"
	$(WHEEL) build-data --sample --per-class 3 --out birds || test $$? = 3  # some sites are down

manifests: $(VENV)/.core  ## rebuild manifests/ from a folder of sources: make manifests DATA=DIR
	$(BIN)/python -m fgbench.manifests.build --data $(DATA)

clean:  ## remove what the other targets made
	rm -rf $(VENV) demo-out bench-out wheel-out build dist *.egg-info
