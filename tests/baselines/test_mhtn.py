"""MHTN: its terms against slow forms, what each of them moves, its rates, and that it learns."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from fgbench.baselines.mhtn import Discrepancy, Mhtn, MhtnConfig
from fgbench.errors import InputError
from fgbench.media.features import Features, write_features
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Items
from fgbench.train.forms import load_form
from fgbench.train.inputs import FeatureInputs
from fgbench.train.method import Batch, Budget

WIDTHS = {Medium.IMAGE: 5, Medium.TEXT: 3, Medium.AUDIO: 4}
SMALL = MhtnConfig(epochs=6, rows=8, width=16, bottleneck=6, discriminator=7)


def side(counts, seed, widths=WIDTHS, classes=3):
    """Items about a point of their class, a different one in each medium."""
    rng = np.random.default_rng(seed)
    centres = {
        m: np.random.default_rng(at).normal(0, 2, (classes, d))
        for at, (m, d) in enumerate(widths.items())
    }
    items = {}
    for medium, count in zip(widths, counts, strict=False):
        labels = rng.permutation(np.repeat(np.arange(classes), count))
        rows = centres[medium][labels] + rng.normal(0, 0.5, (len(labels), widths[medium]))
        ids = np.array([f"{medium}/{seed}/{k}" for k in range(len(labels))])
        items[medium] = Items(ids, labels, FeatureInputs(rows.astype(np.float32)))
    return items


def toy(widths=WIDTHS):
    return Dataset(side((8, 12, 6), 1, widths), side((9, 9, 9), 2, widths), 3)


def batches(data, config, seed=0):
    """The batches of the one stage."""
    rng = np.random.default_rng(seed)
    (stage,) = Mhtn().stages(data, config)
    steps = [step for _ in range(stage.epochs) for step in stage.batches(data.train, rng)]
    for at, step in enumerate(steps):
        yield Batch(
            {m: torch.from_numpy(data.train[m].inputs.take(p)) for m, p in step.items()},
            {m: torch.from_numpy(data.train[m].labels[p]) for m, p in step.items()},
            at / len(steps),
            lambda rows: rows,
        )


def train(data, config, seed=0):
    torch.manual_seed(seed)
    method = Mhtn()
    model = method.build(data, config).train()
    ((player,),) = [stage.players for stage in method.stages(data, config)]
    optimiser = player.optimiser(player.parameters(model))
    for batch in batches(data, config, seed):
        optimiser.zero_grad()
        sum(player.losses(model, batch).values()).backward()
        optimiser.step()
    return model.eval()


def first_step(config=SMALL, data=None):
    """Model, batch and player before anything was learnt."""
    data = data or toy()
    torch.manual_seed(0)
    model = Mhtn().build(data, config).train()
    return model, next(batches(data, config)), Mhtn().stages(data, config)[0].players[0]


def moved_by(term, progress=0.5, config=SMALL, data=None):
    """The parameters that a term's gradient reaches, and the gradients."""
    model, batch, player = first_step(config, data)
    player.losses(model, replace(batch, progress=progress))[term].backward()
    return {
        name: parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }


def test_terms_are_those_of_the_formulas():
    model, batch, player = first_step()
    losses = player.losses(model, batch)
    found = model(batch.inputs)  # norms in training see the batch alone: the same again
    told = model.tell_media(found.common, 0.3).tolist()

    classes = pull = wrong = 0.0
    for medium, scores in found.scores.items():
        for row, label in zip(scores.tolist(), batch.labels[medium].tolist(), strict=True):
            classes += math.log(sum(math.exp(v - row[label]) for v in row)) / 8
        for layer in (found.fc6, found.fc7):
            for hub, other in zip(
                layer[Medium.IMAGE].tolist(), layer[medium].tolist(), strict=True
            ):
                pull += sum((a - b) ** 2 for a, b in zip(hub, other, strict=True)) / 2 / 8
    for at, row in enumerate(told):
        for medium, score in enumerate(row):
            right = 1 / (1 + math.exp(-score))
            wrong -= math.log(right if medium == at // 8 else 1 - right) / 24
    assert losses["classes"].item() == pytest.approx(classes, rel=1e-4)
    assert losses["pull"].item() == pytest.approx(1e-4 * pull, rel=1e-4)
    assert losses["adversary"].item() == pytest.approx(0.1 * wrong, rel=1e-4)
    assert set(losses) == {"classes", "pull", "adversary"}


def test_a_step_has_one_item_of_each_medium_of_one_class_in_each_row():
    for batch in batches(toy(), SMALL):
        image, *others = batch.labels.values()
        assert len(image) == 8
        assert all(torch.equal(image, labels) for labels in others)


def test_the_pull_moves_streams_alone_and_the_hub_with_them():
    moved = moved_by("pull")
    assert {name.split(".")[0] for name in moved} == {"norms", "streams"}
    assert {name.split(".")[1] for name in moved} == set(WIDTHS)


def test_classification_moves_all_but_the_adversary():
    roots = {name.split(".")[0] for name in moved_by("classes")}
    assert roots == {"norms", "streams", "fc8", "fc9", "fc10"}


def test_the_adversary_works_against_what_is_before_the_reversal():
    start, late = moved_by("adversary", progress=0.0), moved_by("adversary", progress=0.5)
    assert {name.split(".")[0] for name in start} == {"discriminator"}
    assert "fc10.2.weight" not in late
    assert {"bottleneck", "fc8", "fc9", "streams"} <= {name.split(".")[0] for name in late}
    model, batch, _ = first_step()
    scores = model.discriminator(model.bottleneck(model(batch.inputs).common))
    truth = torch.eye(3).repeat_interleave(8, 0)
    cross = torch.nn.functional.binary_cross_entropy_with_logits(scores, truth, reduction="sum")
    (0.1 * cross / 24).backward()
    for name, parameter in model.named_parameters():
        if name in late:
            sign = 1 if name.startswith("discriminator") else -math.tanh(2.5)
            torch.testing.assert_close(late[name], sign * parameter.grad, rtol=1e-3, atol=1e-7)


def test_each_parameter_has_one_rate_biases_twice_as_much_and_the_adversary_a_tenth():
    model, _, player = first_step()
    groups = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in player.optimiser(player.parameters(model)).param_groups
        for parameter in group["params"]
    }
    named = dict(model.named_parameters())
    assert set(groups) == {id(parameter) for parameter in named.values()}
    expected = {
        "fc8.0.weight": (0.01, 5e-4),
        "fc8.0.bias": (0.02, 0),
        "norms.text.weight": (0.01, 5e-4),
        "norms.text.bias": (0.02, 0),
        "bottleneck.weight": (0.001, 5e-4),
        "discriminator.4.bias": (0.002, 0),
    }
    for name, rates in expected.items():
        assert groups[id(named[name])] == pytest.approx(rates)


def test_only_norms_of_inputs_have_a_scale_of_their_own():
    norms = {
        name: norm.affine
        for name, norm in first_step()[0].named_modules()
        if isinstance(norm, torch.nn.BatchNorm1d)
    }
    assert sum(norms.values()) == len(WIDTHS)
    assert {name for name, affine in norms.items() if affine} == {f"norms.{m}" for m in WIDTHS}


def test_without_images_the_first_medium_is_the_hub():
    widths = {Medium.TEXT: 3, Medium.VIDEO: 4}
    model, batch, player = first_step(data=toy(widths))
    assert model.hub is Medium.TEXT
    assert player.losses(model, batch)["pull"] > 0


def test_embeddings_are_posteriors_that_do_not_depend_on_their_neighbours():
    data = toy()
    model = train(data, SMALL)
    rows = torch.from_numpy(data.test[Medium.TEXT].inputs.take(np.arange(9)))
    together = Mhtn().embed(model, Medium.TEXT, rows)
    torch.testing.assert_close(together.sum(1), torch.ones(9))
    alone = torch.cat([Mhtn().embed(model, Medium.TEXT, row[None]) for row in rows])
    torch.testing.assert_close(alone, together)


@pytest.mark.parametrize("form", Form)
def test_each_form_learns_to_bring_classes_together_across_media(form):
    data = toy()
    config = replace(load_form("mhtn", form, Budget.TINY), epochs=20, rows=8, width=SMALL.width)
    model = train(data, config)
    for medium, items in data.test.items():
        rows = torch.from_numpy(items.inputs.take(np.arange(len(items))))
        guessed = Mhtn().embed(model, medium, rows).argmax(1).numpy()
        # Of 27 items of 3 classes a guess has a third, give or take .09.
        assert (guessed == items.labels).mean() > 0.7, medium


def test_equal_seeds_train_equal_models():
    one, two, other = (train(toy(), SMALL, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["fc9.weight"], other["fc9.weight"])


def test_forms_state_every_value_and_differ_in_the_discrepancy():
    paper, released = load_form("mhtn", Form.PAPER), load_form("mhtn", Form.RELEASED)
    assert paper == MhtnConfig()
    different = {
        f.name for f in fields(paper) if getattr(paper, f.name) != getattr(released, f.name)
    }
    assert different == {"discrepancy"}


@pytest.fixture
def source(tmp_path):
    """A feature file of 4 classes of another domain, as wide as the images."""
    rng = np.random.default_rng(3)
    ids = np.array([f"n{k % 4}/{k}.jpg" for k in range(40)])
    path = tmp_path / "source.npz"
    write_features(path, Features(ids, rng.normal(1, 1, (40, 5)).astype(np.float32)))
    return path


def test_a_source_is_classified_and_brought_near_the_hub(source):
    config = replace(SMALL, source=str(source))
    model, batch, player = first_step(config)
    assert set(player.losses(model, batch)) == {"classes", "pull", "adversary", "source", "mmd"}
    classified = {name.split(".")[0] for name in moved_by("source", config=config)}
    assert classified == {"norms", "source"}
    near = moved_by("mmd", config=config)
    assert {name.split(".")[1] for name in near if name.startswith("streams.")} == {"image"}
    assert any(name.startswith("source.stream") for name in near)
    assert "source.classify.weight" not in near
    assert model.source.classify.out_features == 4


def test_the_two_estimates_of_the_discrepancy_differ_on_one_batch(source):
    found = []
    for discrepancy in Discrepancy:
        config = replace(SMALL, source=str(source), discrepancy=discrepancy)
        model, batch, player = first_step(config)
        torch.manual_seed(1)
        found.append(player.losses(model, batch)["mmd"].item())
    assert found[0] != pytest.approx(found[1])


def test_a_trained_source_is_not_kept_with_the_weights_and_not_wanted_for_embedding(source):
    model = train(toy(), replace(SMALL, source=str(source)))
    assert not {"source.rows", "source.labels"} & set(model.state_dict())
    assert Mhtn().embed(model, Medium.IMAGE, torch.zeros(2, 5)).shape == (2, 3)


def test_a_source_of_other_width_or_of_one_class_is_refused(tmp_path):
    path = tmp_path / "source.npz"
    write_features(path, Features(np.array(["a", "b"]), np.ones((2, 6), np.float32)))
    with pytest.raises(InputError, match=r"FG-Y041.*1 classes and vectors of 6 numbers"):
        Mhtn().build(toy(), replace(SMALL, source=str(path)))


def test_one_row_a_step_is_refused():
    with pytest.raises(ValueError, match="rows is 1"):
        MhtnConfig(rows=1)
