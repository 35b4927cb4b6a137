"""Cross attention against loops, its blocks, and what is trained with it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_attention import cosines
from small_parts import draw_parts
from torch import nn

from fgbench.protocol import Medium
from fgbench.train import attention as module
from fgbench.train.attention import (
    Attention,
    blockwise,
    pack,
    unpack,
)
from fgbench.train.clipping import clipped_adam
from fgbench.train.dataset import Parts
from fgbench.train.sequences import WordStates, is_there

CPU = torch.device("cpu")


def draw(seed, items, longest, width=4, dtype=torch.float64):
    """States about 0, of 1 to ``longest`` parts an item: the packed elements and the counts."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, longest + 1, items)
    states = torch.from_numpy(rng.normal(size=(items, longest, width))).to(dtype)
    there = torch.arange(longest) < torch.from_numpy(counts)[:, None]
    return pack(states, there), counts


def test_elements_are_states_and_which_there_are():
    elements, counts = draw(0, 5, 3)
    states, there = unpack(elements)
    assert elements.shape == (5, 3, 5)
    assert there.sum(1).tolist() == counts.tolist()
    assert not states[~there].any()
    assert (states[there] != 0).all()
    half = pack(states.half(), there)
    assert half.dtype == torch.float32


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 999),
    items=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    longest=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    temperature=st.floats(0.5, 20),
    leak=st.floats(0, 0.5),
    selective=st.booleans(),
)
def test_cosines_are_those_of_the_loops(seed, items, longest, temperature, leak, selective):
    queries, counts = draw(seed, items[0], longest[0])
    contexts, known = draw(seed + 1000, items[1], longest[1])
    found = Attention(temperature, leak, selective).cosines(queries, contexts)
    assert found.shape == (items[1], items[0], longest[0])
    for b, m in enumerate(known):
        for a, n in enumerate(counts):
            expected = cosines(
                queries[a, :n, :-1].numpy(),
                contexts[b, :m, :-1].numpy(),
                temperature,
                leak=leak,
                selective=selective,
            )
            np.testing.assert_allclose(found[b, a, :n], expected, atol=1e-6)
            assert not found[b, a, n:].any()


def test_float32_comes_close_to_float64():
    queries, _ = draw(1, 6, 9, width=64)
    contexts, _ = draw(2, 7, 8, width=64)
    attention = Attention(9.0)
    found = attention.cosines(queries.float(), contexts.float())
    torch.testing.assert_close(
        found.double(), attention.cosines(queries, contexts), atol=2e-6, rtol=0
    )


@pytest.mark.parametrize("selective", [False, True])
def test_gradients_are_right(selective):
    attention = Attention(4.0, selective=selective)
    (queries, there), (contexts, known) = (unpack(draw(seed, 2, 3)[0]) for seed in (3, 4))

    def found(q, c):
        return attention.cosines(pack(q, there), pack(c, known))

    queries.requires_grad_()
    contexts.requires_grad_()
    assert torch.autograd.gradcheck(found, (queries, contexts))


def test_what_is_zero_has_a_gradient():
    queries = pack(torch.zeros(2, 3, 4).requires_grad_(), torch.ones(2, 3, dtype=torch.bool))
    contexts, _ = draw(5, 2, 3, dtype=torch.float32)
    for selective in (False, True):
        cosines_found = Attention(4.0, selective=selective).cosines(queries, contexts)
        (gradient,) = torch.autograd.grad(cosines_found.sum(), queries, retain_graph=True)
        assert not cosines_found.any()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("cells", [1, 7, 24, 10**6])
def test_blocks_come_to_the_whole_and_so_do_their_gradients(monkeypatch, cells):
    monkeypatch.setattr(module, "_CELLS", cells)
    attention, seen = Attention(4.0), []
    queries, gallery = draw(6, 5, 3)[0], draw(7, 4, 2)[0]

    def score(a, b):
        seen.append(len(a) * len(b))
        return attention.cosines(a, b).sum(-1).T

    found, gradients = [], []
    for way in (score, lambda a, b: blockwise(score, a, b, 6, CPU)):
        leaves = [part.clone().requires_grad_() for part in (queries, gallery)]
        scores = way(*leaves)
        found.append(scores)
        gradients.append(torch.autograd.grad((scores**2).sum(), leaves))
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(gradients[1], gradients[0])
    assert max(seen[1:]) <= max(1, cells // 6)
    blocks = seen[1:]
    # Each block is computed twice, where there is more than one.
    assert sum(blocks) == (20 if blocks == [20] else 40)
    with torch.no_grad():
        seen.clear()
        torch.testing.assert_close(blockwise(score, queries, gallery, 6, CPU), found[0])
        assert sum(seen) == 20


def test_states_of_words_are_the_mean_of_both_directions():
    data = draw_parts()
    torch.manual_seed(0)
    words = WordStates(data.train[Medium.TEXT].inputs, 5, 7)
    taken = data.train[Medium.TEXT].inputs.take(np.arange(6)).each(torch.from_numpy)
    states = words(taken)
    assert states.shape == (6, 4, 7)
    assert not states[~is_there(taken)].any()
    layer = words.recurrent.layer
    for row, count in enumerate(taken.counts.tolist()):
        vectors = words.vectors.embedding(taken.parts[row : row + 1, :count])
        both = layer(vectors)[0][0]
        torch.testing.assert_close(states[row, :count], (both[:, :7] + both[:, 7:]) / 2)


def test_parts_that_are_no_words_are_read_as_they_are():
    data = draw_parts()
    words = WordStates(data.train[Medium.IMAGE].inputs, 5, 7)
    taken = data.train[Medium.IMAGE].inputs.take(np.arange(2)).each(torch.from_numpy)
    assert isinstance(taken, Parts)
    assert words.vectors.embedding is None
    assert words(taken).shape == (2, 4, 7)


def test_gradients_are_cut_to_a_norm_over_all_groups():
    weights = [nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([-4.0]))]
    seen = []
    optimiser = clipped_adam([{"params": [w]} for w in weights], rate=0.1, longest=2.0)
    optimiser.register_step_post_hook(lambda *_: seen.append([float(w.grad) for w in weights]))
    for scale, expected in ((1.0, [1.2, -1.6]), (0.1, [0.3, -0.4])):
        for w, gradient in zip(weights, (3.0, -4.0), strict=True):
            w.grad = torch.tensor([scale * gradient])
        optimiser.step()
        assert seen[-1] == pytest.approx(expected, rel=1e-5)
    assert [w.item() for w in weights] == pytest.approx([2.817, -3.817], abs=1e-3)
