"""CRAN: its three levels against loops, what moves in which stage, other media, what it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_attention import cosines, hinges, own_parts
from small_parts import LONGEST, draw_parts
from tiny_runs import differing_choices, first_batch

from fgbench import benchmark as benchmarks
from fgbench.baselines.cran import Cran, CranConfig, Level, NormAxis, agreements, mean_of_best
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.scoring.chance import expected_ap
from fgbench.scoring.score import score
from fgbench.submission import Space, read_submission
from fgbench.train.hardware import Hardware
from fgbench.train.learner import Losses
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T, V, A = Medium  # noqa: E741
DATA = draw_parts()
MEDIA = draw_parts(media=tuple(Medium))
SMALL = CranConfig(width=6, word_width=5, rows=12, global_rows=12, epochs=2)


def build(config=SMALL, seed=0, data=DATA):
    torch.manual_seed(seed)
    return Cran().build(data, config)


def take(medium, places, data=DATA):
    return data.train[medium].inputs.take(np.asarray(places)).each(torch.from_numpy)


def draw_batch(seed=0):
    """The first step of the method's own sampler."""
    stage, *_ = Cran().stages(DATA, SMALL)
    return first_batch(stage, DATA, take, seed)


def players(config=SMALL):
    return {stage.name: stage.players[0] for stage in Cran().stages(DATA, config)}


def slow_mean_of_best(found, dropped):
    kept = sorted(found)[len(found) // dropped :]
    return sum(kept) / len(kept)


def linear(layer, vector):
    return layer.weight.detach().double().numpy() @ vector + layer.bias.detach().double().numpy()


def ordered_pairs(vectors):
    """All ordered pairs, side by side; of a lone vector that with itself."""
    count = len(vectors)
    return [
        np.concatenate([vectors[p], vectors[q]])
        for p in range(count)
        for q in range(count)
        if p != q or count == 1
    ]


def evenly(vectors, most):
    count = len(vectors)
    if most is None or count <= most:
        return vectors
    return [vectors[int(count / most * place + 1e-9)] for place in range(most)]


def near_pairs(vectors, window):
    pairs = [
        np.concatenate([vectors[p], vectors[q]])
        for p in range(len(vectors))
        for q in range(p + 1, min(p + window, len(vectors)))
    ]
    return pairs or [np.concatenate([vectors[0], vectors[0]])]


def slow_scores(config, level, model, inputs):
    """A level's scores by loops over items, their parts and the pairs of them."""
    counts = {m: inputs[m].counts.tolist() for m in (I, T)}
    regions = own_parts(inputs[I].parts, counts[I])
    side = {m: model.side(level, m) for m in (I, T)}
    words = own_parts(side[T].states(inputs[T]), counts[T])
    if level is Level.GLOBAL:
        wholes = [linear(side[I].map, v) for v in inputs[I].vectors.double().numpy()]
        wholes = [v / np.linalg.norm(v) for v in wholes]
        if config.norm_axis is NormAxis.FEATURE:
            texts = [np.mean([w / np.linalg.norm(w) for w in own], axis=0) for own in words]
        else:
            texts = [
                np.array([sum(unit / np.linalg.norm(unit)) for unit in own.T]) / LONGEST
                for own in words
            ]
        return np.array([[v @ t for t in texts] for v in wholes])
    if level is Level.LOCAL:
        queries = [[linear(side[I].map, v) for v in own] for own in regions]
    else:
        spread = [evenly(own, config.related_regions) for own in regions]
        queries = [[linear(side[I].relation.map, v) for v in ordered_pairs(o)] for o in spread]
        if config.text_relations:
            layer = side[T].relation.map
            words = [[linear(layer, v) for v in near_pairs(own, config.window)] for own in words]
    steep = {"leak": config.leak, "selective": True}
    return np.array(
        [
            [
                slow_mean_of_best(
                    cosines(np.array(q), np.array(c), config.temperature, **steep), config.dropped
                )
                for c in words
            ]
            for q in queries
        ]
    )


def fast_scores(config, level, model, inputs):
    sides = (model.side(level, medium)(inputs[medium]) for medium in (I, T))
    return agreements(config, level, *sides)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 99),
    temperature=st.floats(1, 20),
    dropped=st.integers(2, 4),
    norm_axis=st.sampled_from(NormAxis),
    window=st.sampled_from([None, 2, 3, 9]),
    most=st.sampled_from([None, 1, 3, 9]),
)
def test_every_level_s_scores_are_those_of_the_loops(
    seed, temperature, dropped, norm_axis, window, most
):
    config = replace(
        SMALL,
        temperature=temperature,
        dropped=dropped,
        norm_axis=norm_axis,
        related_regions=most,
    )
    if window:
        config = replace(config, text_relations=True, window=window)
    model = build(config, seed).double()
    places = np.random.default_rng(seed).integers(24, size=(2, 5))
    inputs = {m: take(m, at) for m, at in zip((I, T), places, strict=True)}
    image = inputs[I]
    inputs[I] = image._replace(parts=image.parts.double(), vectors=image.vectors.double())
    for level in Level:
        found = fast_scores(config, level, model, inputs)
        expected = slow_scores(config, level, model, inputs)
        np.testing.assert_allclose(found.detach(), expected, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), dropped=st.integers(2, 5), longest=st.integers(1, 9))
def test_the_lowest_are_dropped_of_those_that_are_there(seed, dropped, longest):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, longest + 1, 3)
    there = torch.arange(longest) < torch.from_numpy(counts)[:, None]
    table = torch.from_numpy(rng.normal(size=(2, 3, longest)))
    found = mean_of_best(table, there, dropped)
    for b in range(2):
        for a, count in enumerate(counts):
            expected = slow_mean_of_best(table[b, a, :count].tolist(), dropped)
            assert found[b, a].item() == pytest.approx(expected)


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("level", list(Level))
def test_the_hinges_are_those_of_the_loops(level, mask):
    config = replace(SMALL, mask_same_class=mask)
    model, batch = build(), draw_batch()
    (found,) = players(config)[level].losses(model, batch).values()
    scores = slow_scores(config, level, model, batch.inputs)
    expected = hinges(scores, batch.labels[I].tolist(), config.margin, mask=mask)
    assert found.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("level", list(Level))
def test_gradients_are_right(level):
    config = replace(SMALL, width=3, word_width=2, text_relations=True, margin=3.0)
    losses, by = Losses(build(config).double()), players(config)[level]
    batch = draw_batch()
    image, text = (of.each(lambda part: part[:4]) for of in batch.inputs.values())
    image = image._replace(parts=image.parts.double(), vectors=image.vectors.double())
    labels = {m: of[:4] for m, of in batch.labels.items()}
    batch = replace(batch, inputs={I: image, T: text}, labels=labels)
    weights = {
        name: weight
        for name, weight in losses.named_parameters()
        if f".{level}." in name and ("map" in name or name.endswith("weight_ih_l0"))
    }

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(losses, named, (by, batch))["hinges"]

    assert len(weights) >= 3
    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


def test_a_level_s_stage_moves_its_own_network_and_all_of_it():
    config = replace(SMALL, text_relations=True)
    for level in Level:
        model, by = build(config), players(config)[level]
        before = {name: p.clone() for name, p in model.named_parameters()}
        optimiser = by.optimiser(by.parameters(model))
        by.losses(model, draw_batch())["hinges"].backward()
        optimiser.step()
        moved = {name for name, p in model.named_parameters() if not torch.equal(before[name], p)}
        assert moved == {name for name in before if f".{level}." in name}


@pytest.mark.parametrize("level", list(Level))
def test_the_hinges_fall(level):
    model, batch = build(), draw_batch()
    by = players(replace(SMALL, rate=0.01))[level]
    optimiser, seen = by.optimiser(by.parameters(model)), []
    for _ in range(20):
        optimiser.zero_grad()
        term = by.losses(model, batch)["hinges"]
        term.backward()
        optimiser.step()
        seen.append(term.item())
    assert seen[-1] < seen[0] / 2


def embed(config, model, medium, places, data=MEDIA):
    with torch.inference_mode():
        return Cran().embed(model, medium, take(medium, places, data)).numpy()


def test_the_similarity_is_the_weighted_sum_of_the_levels_from_either_side():
    config = replace(SMALL, global_weight=2.0, local_weight=3.0, relation_weight=0.5)
    model = build(config).eval()
    inputs = {I: take(I, range(5)), T: take(T, range(7))}
    images, texts = (embed(config, model, m, range(n), DATA) for m, n in ((I, 5), (T, 7)))
    compare = Cran().similarity(config, model)
    found = compare((I, images), (T, texts))
    expected = sum(
        weight * fast_scores(config, level, model, inputs)
        for level, weight in zip(Level, (2.0, 3.0, 0.5), strict=True)
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.detach(), atol=1e-5)
    np.testing.assert_array_equal(compare((T, texts), (I, images)), found.T)
    assert Cran().similarity(config, None) is not None


@pytest.mark.parametrize(
    ("media", "words"), [((I, T), T), ((T, V), T), ((T, A), T), ((I, V), V), ((V, A), A)]
)
def test_texts_are_words_and_so_is_the_later_of_two_others(media, words):
    assert build(data=MEDIA.only(*media)).words is words


@pytest.mark.parametrize("medium", [I, T])
def test_within_a_medium_both_ways_come_to_the_same(medium):
    model = build().eval()
    rows = embed(SMALL, model, medium, range(9), DATA)
    compare = Cran().similarity(SMALL, model)
    found = compare((medium, rows[:4]), (medium, rows))
    np.testing.assert_allclose(found, compare((medium, rows), (medium, rows[:4])).T, atol=1e-5)
    elements = model.unflatten(medium, torch.from_numpy(rows))
    local = elements[Level.LOCAL]
    one = agreements(SMALL, Level.LOCAL, local[:4], local)
    other = agreements(SMALL, Level.LOCAL, local, local[:4]).T
    whole = agreements(SMALL, Level.GLOBAL, elements[Level.GLOBAL][:4], elements[Level.GLOBAL])
    expected = (whole + 25 * (one + other) / 2).detach()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("norm_axis", list(NormAxis))
def test_an_item_is_embedded_alone_as_among_others(norm_axis):
    config = replace(SMALL, norm_axis=norm_axis, text_relations=True)
    model = build(config).eval()
    for medium in (I, T):
        whole = embed(config, model, medium, range(8), DATA)
        np.testing.assert_allclose(
            whole[3:4], embed(config, model, medium, [3], DATA), atol=1e-6, rtol=1e-5
        )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"global_rows": 0}, "below 1"),
        ({"related_regions": 0}, "below 1"),
        ({"window": 1}, "below 2"),
        ({"dropped": 1}, "below 2"),
        ({"temperature": 0.0}, "not above 0"),
        ({"local_weight": -1.0}, "below 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        replace(SMALL, **wrong)


def test_the_forms_differ_in_what_the_release_departs_from():
    assert differing_choices("cran") == {"norm_axis", "mask_same_class"}


@pytest.mark.parametrize(
    ("form", "media"), [("paper", (I, T)), ("released", (I, T)), ("paper", (I, V, A))]
)
def test_a_tiny_run_leaves_scores_well_above_chance(form, media, tmp_path):
    extended = len(media) > 2
    chosen = {"extended": "true", "epochs": "3"} if extended else {}
    data = MEDIA.only(*media) if extended else MEDIA
    run = Run(
        Recipe.choose("cran", Form(form), Budget.TINY, chosen),
        data,
        tmp_path,
        Hardware(device="cpu"),
    )
    run.train()
    path = run.embed()
    with read_submission(path) as submission:
        assert submission.space is Space.SCORES
        assert submission.media == media
    items = {m: benchmarks.Items(data.test[m].ids, data.test[m].labels) for m in media}
    record = score(path, benchmarks.Benchmark("toy", "Toy", items, "split")).record
    assert record.complete == extended  # else items of one medium are not compared
    across = [task for task in record.scores if not task.endswith("all")]
    assert len(across) == len(media) * (len(media) - 1)
    assert min(record.scores[task].map for task in across) > expected_ap(4, 12) + 0.1
