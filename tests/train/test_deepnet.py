"""deepnet's conventions: rates and momentum by its formulas, updates as it writes them."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fgbench.protocol import Medium
from fgbench.train.deepnet import (
    STACKS,
    UPON_CODES,
    Annealing,
    Decay,
    RbmCourse,
    annealing,
    decayed,
    dense,
    lower_rbm,
    rbm_player,
    visible_units,
)
from fgbench.train.inputs import FeatureInputs
from fgbench.train.method import Batch
from fgbench.train.rbm import Rbm, Visible, sparsity_term


def optimiser(rate=0.1):
    return torch.optim.SGD([nn.Parameter(torch.zeros(2, 2))], lr=rate, momentum=0.5)


def course(schedule_of, epochs):
    """The rate and the momentum of each epoch."""
    sgd = optimiser()
    schedule = schedule_of(sgd)
    found = []
    for _ in range(epochs):
        (group,) = sgd.param_groups
        found.append((group["lr"], group["momentum"]))
        sgd.step()
        schedule.step()
    return found


@pytest.mark.parametrize(
    ("decay", "falls"),
    [(Decay.INVERSE_T, lambda t: 1 / (1 + t)), (Decay.EXPONENTIAL, lambda t: 2.0**-t)],
)
def test_the_rate_falls_and_the_momentum_rises_by_the_formulas(decay, falls):
    found = course(annealing(20, decay, half_life=0.1, ramp=0.5), 20)
    for epoch, (rate, momentum) in enumerate(found):
        assert rate == pytest.approx(0.1 * falls(epoch / 2))
        assert momentum == pytest.approx(0.9 - 0.4 * math.exp(-epoch / 10))


def test_a_stage_of_half_the_length_has_the_same_course():
    long, short = (course(annealing(n, half_life=0.2), n) for n in (20, 10))
    assert short == [pytest.approx(pair) for pair in long[::2]]


def test_one_momentum_stays():
    found = course(annealing(5, Decay.EXPONENTIAL, half_life=0.2, momentum=(0.9, 0.9)), 5)
    assert [momentum for _, momentum in found] == [0.9] * 5


def test_a_schedule_goes_on_from_its_state():
    sgd = optimiser()
    schedule = annealing(10, half_life=0.2)(sgd)
    for _ in range(4):
        sgd.step()
        schedule.step()
    file = io.BytesIO()
    torch.save([sgd.state_dict(), schedule.state_dict()], file)
    file.seek(0)
    states = torch.load(file, weights_only=True)
    other = optimiser()
    again = annealing(10, half_life=0.2)(other)
    assert isinstance(again, Annealing)
    other.load_state_dict(states[0])
    again.load_state_dict(states[1])
    for _ in range(3):
        assert other.param_groups[0]["lr"] == sgd.param_groups[0]["lr"]
        assert other.param_groups[0]["momentum"] == sgd.param_groups[0]["momentum"]
        for one, steps in ((sgd, schedule), (other, again)):
            one.step()
            steps.step()


def test_weights_are_drawn_with_a_variance_of_one_over_fan_in():
    torch.manual_seed(0)
    layer = dense(400, 300)
    assert layer.weight.std().item() == pytest.approx(1 / 20, rel=0.02)
    # Normal, not uniform: a uniform one has nothing beyond 1.74 deviations.
    assert (layer.weight.abs() > 0.1).double().mean().item() == pytest.approx(0.0455, abs=0.005)
    assert not layer.bias.any()


def test_an_update_is_deepnet_s():
    """The decay goes into the momentum's buffer, and biases have none."""
    torch.manual_seed(0)
    layer = nn.Linear(3, 2).double()
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    sgd = torch.optim.SGD(decayed([layer], 0.1), lr=0.05, momentum=0.5)
    pushed, pushed_bias = torch.zeros_like(weight), torch.zeros_like(bias)
    for _ in range(4):
        gradient, of_bias = torch.randn_like(weight), torch.randn_like(bias)
        layer.weight.grad, layer.bias.grad = gradient, of_bias
        sgd.step()
        pushed = 0.5 * pushed + gradient + 0.1 * weight
        pushed_bias = 0.5 * pushed_bias + of_bias
        weight, bias = weight - 0.05 * pushed, bias - 0.05 * pushed_bias
        torch.testing.assert_close(layer.weight.detach(), weight)
        torch.testing.assert_close(layer.bias.detach(), bias)


def test_chains_grow_as_deepnet_lets_them():
    course = replace(UPON_CODES, updates=100_000)
    for update in (0, 15_000, 15_001, 19_999, 20_000, 62_500, 100_000):
        start, every = 15_000, 5_000
        steps = 1 + 1 + (update - start) // every if update > start else 1
        assert course.chain(update / 100_000) == steps
    assert STACKS[Visible.GAUSSIAN][0].chain(0.5) == 1
    assert STACKS[Visible.GAUSSIAN][0].chain(1.0) == 7


def batch_at(progress):
    return Batch({}, {}, progress, lambda rows: rows)


class Holder(nn.Module):
    """A network that is one RBM, and rows to give it."""

    def __init__(self, rbm, rows):
        super().__init__()
        self.rbm, self.rows = rbm, rows


def play(rbm, rows, course, progress=0.0, *, longer_chains=False):
    player = rbm_player(
        course,
        10,
        lambda model: model.rbm,
        lambda model, batch: model.rows,
        longer_chains=longer_chains,
    )
    return player, player.losses(Holder(rbm, rows), batch_at(progress))


@pytest.mark.parametrize("kind", Visible)
def test_an_rbm_s_player_lowers_divergence_and_sparsity(kind):
    torch.manual_seed(0)
    rbm, rows = Rbm(5, 4, kind), torch.rand(6, 5)
    torch.manual_seed(1)
    expected = rbm.contrastive_divergence(rows, 1, drawn=kind is Visible.WORDS)
    torch.manual_seed(1)
    _, terms = play(rbm, rows, RbmCourse(1000, 0.1, 1e-3, target=0.2, cost=0.5))
    torch.testing.assert_close(terms["divergence"], expected)
    torch.testing.assert_close(terms["sparsity"], 0.5 * sparsity_term(rbm.hidden(rows), 0.2))
    assert set(play(rbm, rows, RbmCourse(1000, 0.1, 1e-3))[1]) == {"divergence"}


def test_a_player_s_chains_grow_only_where_they_may():
    torch.manual_seed(0)
    rbm, counts = Rbm(3, 2), []
    rbm.reconstruct = lambda rows, steps, **how: counts.append(steps) or rows
    for longer in (False, True):
        play(rbm, torch.rand(2, 3), UPON_CODES, 0.5, longer_chains=longer)
    assert counts == [1, 9]


def test_a_player_s_rate_and_momentum_follow_its_course():
    rbm = Rbm(3, 2)
    course = RbmCourse(50_000, 0.2, 1e-3, ramp=5_000)
    player, _ = play(rbm, torch.rand(2, 3), course)
    sgd = player.optimiser(player.parameters(Holder(rbm, None)))
    assert [group["weight_decay"] for group in sgd.param_groups] == [1e-3, 0.0]
    schedule = player.schedule(sgd)
    for _ in range(5):
        sgd.step()
        schedule.step()
    # Half of the ten epochs: 25,000 updates, of which half-lives are 10,000 and ramps 5,000.
    assert sgd.param_groups[0]["lr"] == pytest.approx(0.2 / 3.5)
    assert sgd.param_groups[0]["momentum"] == pytest.approx(0.9 - 0.4 * math.exp(-5))


@pytest.mark.parametrize(
    ("medium", "rows", "given", "expected"),
    [
        (Medium.TEXT, [[0, 3], [1, 0]], None, Visible.WORDS),
        (Medium.TEXT, [[0, 3], [1, 0.5]], None, Visible.GAUSSIAN),
        (Medium.TEXT, [[0, 3], [1, -1]], None, Visible.GAUSSIAN),
        (Medium.TEXT, [[0, 3], [1, 0]], False, Visible.GAUSSIAN),
        (Medium.TEXT, [[0, 0.5]], True, Visible.WORDS),
        (Medium.IMAGE, [[0, 3], [1, 0]], None, Visible.GAUSSIAN),
        (Medium.VIDEO, [[0, 3], [1, 0]], True, Visible.GAUSSIAN),
    ],
)
def test_texts_that_count_words_are_told_by_their_numbers(medium, rows, given, expected):
    inputs = FeatureInputs(np.array(rows, dtype=np.float32))
    assert visible_units(medium, inputs, given) is expected


def test_weights_of_words_start_near_nothing():
    torch.manual_seed(0)
    assert lower_rbm(100, 50, Visible.WORDS).weight.std().item() == pytest.approx(1e-5, rel=0.05)
    assert lower_rbm(100, 50, Visible.GAUSSIAN).weight.std().item() == pytest.approx(0.1, rel=0.05)
