"""Runs: a folder with a submission that scores, the same bytes from the same recipe and data."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml
from train.toys import Linear, Means, recipe, toy_data

from fgbench import benchmark as benchmarks
from fgbench import read_submission
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import Medium
from fgbench.scoring.score import score
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Scope
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

CPU = Hardware(device=Device.CPU)
DATA = toy_data(classes=4, each=6)
PAIRS = ("image_audio", "image_text", "text_audio")


def benchmark(data):
    items = {m: benchmarks.Items(of.ids, of.labels) for m, of in data.test.items()}
    return benchmarks.Benchmark("toy", "Toy", items, "split")


def run(method, out, data=DATA, seed=0, **values):
    made = Run(recipe(method, seed, **values), data, out, CPU)
    made.train()
    return made.embed()


class PairwiseLinear(Linear):
    """A network a pair."""

    facts = replace(Linear.facts, scope=Scope.PAIRWISE)


class Codes(Means):
    """Which class is nearest, as signs; for all media at once."""

    facts = replace(Means.facts, scope=Scope.JOINT, space="codes")

    def fit(self, data, config, rng, log):
        inner = super().fit(data, config, rng, log)

        class Signs:
            def embed(self, medium, inputs):
                rows = inner.embed(medium, inputs)
                nearest = rows == rows.max(axis=1, keepdims=True)
                return np.where(nearest, 1, -1).astype(np.float32)

        return Signs()


class Compared(Means):
    """Compared by the inner product."""

    def similarity(self, config, model):
        return lambda a, b: a[1] @ b[1].T


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (Linear(), "common"),
        (PairwiseLinear(), "pairwise"),
        (Means(), "pairwise"),
        (Codes(), "common"),
        (Compared(), "scores"),
    ],
)
def test_a_run_leaves_a_submission_that_scores(tmp_path, method, kind):
    path = run(method, tmp_path)
    assert path == tmp_path / "submission.npz"
    found = score(path, benchmark(DATA)).record
    assert found.complete
    assert found.means["bimodal"].map > 0.6  # four classes: chance is near 0.3
    with read_submission(path) as submission:
        assert submission.space == kind
    described = json.loads((tmp_path / "run.json").read_text())
    assert described["budget"] == "tiny"
    assert described["inputs"] == {"image": [5], "text": [7], "audio": [3]}
    assert {"python", "numpy", "fgbench"} <= set(described["versions"])
    assert all(seconds > 0 for seconds in described["seconds"].values())
    if method.facts.scope is Scope.PAIRWISE:
        assert sorted(p.name for p in (tmp_path / "pairs").iterdir()) == sorted(PAIRS)
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(".")]


@pytest.mark.parametrize("method", [Linear(), Compared()])
def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path, method):
    first = run(method, tmp_path / "a").read_bytes()
    assert run(method, tmp_path / "b").read_bytes() == first
    assert run(method, tmp_path / "c", seed=1).read_bytes() != first


def test_the_card_says_how_it_was_made(tmp_path):
    with read_submission(run(Linear(), tmp_path, width=6, rivals=False)) as submission:
        card = submission.meta
    weights = (5 + 7 + 3 + 3) * 6 + 4 * 7 + 3 * 7
    assert (card["method"], card["dimension"], card["parameters"]) == ("Toy", 6, weights)
    assert (card["form"], card["budget"], card["seed"]) == ("paper", "tiny", 0)
    assert card["config"]["width"] == 6
    assert card["deviations"] == {"all": "it is a toy"}
    assert not {"embedding_time", "seconds"} & set(card)


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    first = run(Means(), tmp_path).read_bytes()
    (tmp_path / "pairs" / "text_audio" / "embeddings.npz").write_bytes(b"torn")
    fitted = []
    fit = Means.fit
    monkeypatch.setattr(
        Means,
        "fit",
        lambda self, data, *rest: (fitted.append(data.media), fit(self, data, *rest))[1],
    )
    assert run(Means(), tmp_path).read_bytes() == first
    assert fitted == [(Medium.TEXT, Medium.AUDIO)]


def test_who_did_what_is_still_said_when_another_call_finds_it_done(tmp_path):
    Run(recipe(Linear()), DATA, tmp_path, Hardware(device=Device.CPU, slices=2)).train()
    run(Linear(), tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    run(Linear(), tmp_path)
    assert (tmp_path / "run.json").read_bytes() == before
    described = json.loads(before)["computing"]
    assert (described["train"]["slices"], described["embed"]["slices"]) == (2, 1)


def test_embedding_wants_a_network_that_is_trained(tmp_path):
    made = Run(recipe(Linear()), DATA, tmp_path, CPU)
    with pytest.raises(InputError, match="FG-G034"):
        made.embed()
    assert not (tmp_path / "submission.npz").exists()


def test_train_and_embed_are_the_halves_of_a_run(tmp_path, toys):
    whole = run(Linear(), tmp_path / "whole").read_bytes()
    Run(recipe(Linear()), DATA, tmp_path / "halves", CPU).train()
    read = Recipe.read(tmp_path / "halves")
    assert read.identity() == recipe(Linear()).identity()
    assert Run(read, DATA, tmp_path / "halves", CPU).embed().read_bytes() == whole


def test_a_folder_of_another_run_is_left_alone(tmp_path):
    run(Means(), tmp_path)
    with pytest.raises(FaultyInput, match=r"config\.sharpness"):
        run(Means(), tmp_path, sharpness=2.0)
    with pytest.raises(FaultyInput, match="method"):
        run(Linear(), tmp_path)


def test_no_run_and_a_spoilt_configuration_are_named(tmp_path):
    with pytest.raises(InputError, match="FG-G032"):
        Recipe.read(tmp_path)
    run(Means(), tmp_path)
    path = tmp_path / "config.yaml"
    said = yaml.safe_load(path.read_text())
    for wrong in (
        "[",
        "a: 1",
        yaml.safe_dump({**said, "seed": "x"}),
        yaml.safe_dump({**said, "form": "y"}),
    ):
        path.write_text(wrong)
        with pytest.raises(FaultyInput, match="FG-G033"):
            Recipe.read(tmp_path)


def test_an_embedding_that_is_no_number_leaves_no_submission(tmp_path):
    data = toy_data()
    data.test[Medium.TEXT].inputs.rows[3] = np.nan
    with pytest.raises(FaultyInput, match="FG-S040"):
        run(Linear(), tmp_path, data)
    assert not (tmp_path / "submission.npz").exists()


def test_a_closed_form_is_of_one_process(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="FG-G044"):
        run(Means(), tmp_path)
    assert not list(tmp_path.iterdir())
