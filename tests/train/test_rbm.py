"""RBMs too small to sample: every state is enumerated, and the rest is the textbook's."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.train.rbm import Rbm, Visible, sparsity_term

SEEDS = st.integers(0, 10_000)
DRAWS = 3
"""Words of a row, in the small machines."""


def make(kind, visible=3, hidden=2, seed=0):
    torch.manual_seed(seed)
    found = Rbm(visible, hidden, kind, spread=1.0, draws=DRAWS).double()
    with torch.no_grad():
        found.visible_bias.normal_()
        found.hidden_bias.normal_()
    return found


def states(rbm):
    """All visible states, each as a row and how many orders of its words there are."""
    count = len(rbm.visible_bias)
    if rbm.kind is Visible.BERNOULLI:
        return [(list(map(float, row)), 1) for row in product((0, 1), repeat=count)]
    rows = [row for row in product(range(DRAWS + 1), repeat=count) if sum(row) == DRAWS]
    orders = [math.factorial(DRAWS) // math.prod(map(math.factorial, row)) for row in rows]
    return [(list(map(float, row)), n) for row, n in zip(rows, orders, strict=True)]


def slow_energy(rbm, row, hidden):
    """E(v, h) as the textbook prints it; words count in the hidden units' biases."""
    weight, b, c = (p.tolist() for p in (rbm.weight, rbm.visible_bias, rbm.hidden_bias))
    words = DRAWS if rbm.kind is Visible.WORDS else 1
    both = sum(
        row[i] * weight[i][j] * hidden[j] for i in range(len(row)) for j in range(len(hidden))
    )
    biases = words * sum(x * y for x, y in zip(hidden, c, strict=True))
    if rbm.kind is Visible.GAUSSIAN:
        return sum((x - y) ** 2 for x, y in zip(row, b, strict=True)) / 2 - biases - both
    return -sum(x * y for x, y in zip(row, b, strict=True)) - biases - both


def slow_joint(rbm, row):
    """exp(−E) of a row with each hidden state."""
    hidden = list(product((0, 1), repeat=len(rbm.hidden_bias)))
    return {h: math.exp(-slow_energy(rbm, row, h)) for h in hidden}


def slow_distribution(rbm):
    """The probability of each state, all orders of its words together, in the order of states."""
    weights = [orders * sum(slow_joint(rbm, row).values()) for row, orders in states(rbm)]
    return [weight / sum(weights) for weight in weights]


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from(Visible))
def test_the_free_energy_is_that_of_all_hidden_states(seed, kind):
    rbm = make(kind, seed=seed)
    if kind is Visible.GAUSSIAN:
        rows = torch.randn(5, 3, dtype=torch.float64).tolist()
    else:
        rows = [row for row, _ in states(rbm)]
    slow = [-math.log(sum(slow_joint(rbm, row).values())) for row in rows]
    found = rbm.free_energy(torch.tensor(rows, dtype=torch.float64))
    assert found.tolist() == pytest.approx(slow, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from(Visible))
def test_hidden_units_have_the_probabilities_of_the_joint_distribution(seed, kind):
    rbm = make(kind, seed=seed)
    row = [1.0, 0.0, 2.0] if kind is Visible.WORDS else [1.0, 0.0, 1.0]
    joint = slow_joint(rbm, row)
    slow = [sum(p for h, p in joint.items() if h[j]) / sum(joint.values()) for j in range(2)]
    found = rbm.hidden(torch.tensor([row], dtype=torch.float64))
    assert found[0].tolist() == pytest.approx(slow, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.sampled_from([Visible.BERNOULLI, Visible.WORDS]))
def test_visible_units_have_the_means_of_the_joint_distribution(seed, kind):
    rbm = make(kind, seed=seed)
    for hidden in product((0, 1), repeat=2):
        weights = [orders * math.exp(-slow_energy(rbm, row, hidden)) for row, orders in states(rbm)]
        slow = [
            sum(w * row[i] for w, (row, _) in zip(weights, states(rbm), strict=True)) / sum(weights)
            for i in range(3)
        ]
        found = rbm.visible(torch.tensor([hidden], dtype=torch.float64))
        assert found[0].tolist() == pytest.approx(slow, abs=1e-9)


def test_gaussian_units_have_the_means_where_their_energy_is_least():
    rbm = make(Visible.GAUSSIAN)
    hidden = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    for row, state in zip(rbm.visible(hidden).tolist(), hidden.tolist(), strict=True):
        least = slow_energy(rbm, row, state)
        for i, step in product(range(3), (-1e-3, 1e-3)):
            moved = [x + step * (i == at) for at, x in enumerate(row)]
            assert slow_energy(rbm, moved, state) == pytest.approx(least + step**2 / 2, abs=1e-12)


@pytest.mark.parametrize("kind", [Visible.BERNOULLI, Visible.WORDS])
def test_many_gibbs_steps_draw_from_the_model(kind):
    rbm = make(kind, seed=3)
    with torch.no_grad():
        rbm.weight.mul_(0.5)
    torch.manual_seed(0)
    start, count = states(rbm)[0][0], 20_000
    drawn = rbm.reconstruct(torch.tensor([start], dtype=torch.float64).expand(count, -1), 30)
    for (row, _), expected in zip(states(rbm), slow_distribution(rbm), strict=True):
        found = (drawn == torch.tensor(row)).all(1).double().mean().item()
        assert abs(found - expected) < 5 * (expected / count) ** 0.5


@pytest.mark.parametrize("kind", Visible)
@pytest.mark.parametrize("steps", [1, 3])
def test_the_gradient_is_the_textbook_s(kind, steps):
    rbm = make(kind, visible=4, hidden=3)
    rows = torch.randint(1, 4, (6, 4)).double()
    if kind is Visible.BERNOULLI:
        rows = rows / 4
    torch.manual_seed(1)
    again = rbm.reconstruct(rows, steps)
    torch.manual_seed(1)
    rbm.contrastive_divergence(rows, steps).backward()
    words = DRAWS if kind is Visible.WORDS else 1
    if kind is Visible.WORDS:
        rows = DRAWS * rows / rows.sum(1, keepdim=True)
    with torch.no_grad():
        p, q = rbm.hidden(rows), rbm.hidden(again)
        weight = (again.T @ q - rows.T @ p) / 6
    torch.testing.assert_close(rbm.weight.grad, weight)
    torch.testing.assert_close(rbm.visible_bias.grad, (again - rows).mean(0))
    torch.testing.assert_close(rbm.hidden_bias.grad, words * (q - p).mean(0))


@pytest.mark.parametrize("kind", [Visible.BERNOULLI, Visible.WORDS])
def test_learning_raises_the_exact_likelihood(kind):
    rbm = make(kind, visible=4, hidden=6)
    patterns = {
        Visible.BERNOULLI: [[1, 1, 0, 0], [0, 0, 1, 1]],
        Visible.WORDS: [[3, 0, 0, 0], [0, 0, 0, 3]],
    }[kind]
    rows = torch.tensor(patterns * 10, dtype=torch.float64)

    def likelihood():
        rows_of = (tuple(row) for row, _ in states(rbm))
        of_state = dict(zip(rows_of, slow_distribution(rbm), strict=True))
        return sum(math.log(of_state[tuple(map(float, row))]) for row in patterns) / len(patterns)

    start = likelihood()
    optimiser = torch.optim.SGD(rbm.parameters(), lr=0.1)
    torch.manual_seed(0)
    for _ in range(400):
        optimiser.zero_grad()
        rbm.contrastive_divergence(rows).backward()
        optimiser.step()
    assert start < math.log(0.25)
    assert likelihood() > math.log(0.3)  # at most a half each


def test_gaussian_learning_finds_what_units_have_in_common():
    """Two units that agree in sign, and a third on its own: reconstructions keep the first two."""
    torch.manual_seed(0)
    sign = torch.randn(400, 1).sign()
    rows = torch.cat([sign, sign, torch.zeros(400, 1)], 1) + 0.1 * torch.randn(400, 3)
    rbm = Rbm(3, 2, Visible.GAUSSIAN)
    optimiser = torch.optim.SGD(rbm.parameters(), lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        rbm.contrastive_divergence(rows).backward()
        optimiser.step()
    known = torch.tensor([True, False, True])
    filled = rbm.complete(rows * known, known, 10)
    assert torch.equal(filled[:, known], rows[:, known])
    assert (filled[:, 1].sign() == sign[:, 0]).double().mean() > 0.95


@pytest.mark.parametrize("kind", Visible)
def test_units_that_are_not_drawn_take_their_means(kind):
    rbm = make(kind)
    with torch.no_grad():
        rbm.hidden_bias.fill_(50.0)  # hidden units are all on
    rows = torch.ones(2, 3, dtype=torch.float64)
    means = rbm.visible(torch.ones(2, 2, dtype=torch.float64))
    torch.testing.assert_close(rbm.reconstruct(rows, drawn=False), means)
    drawn = rbm.reconstruct(rows)
    whole = torch.equal(drawn, drawn.round())
    assert whole == (kind is not Visible.GAUSSIAN)


def test_completing_is_the_mean_field_written_out():
    rbm = make(Visible.BERNOULLI)
    known = torch.tensor([True, False, False])
    row = [1.0, 0.5, 0.5]
    weight, b, c = (p.tolist() for p in (rbm.weight, rbm.visible_bias, rbm.hidden_bias))

    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    slow = list(row)
    for _ in range(4):
        h = [sigmoid(c[j] + sum(slow[i] * weight[i][j] for i in range(3))) for j in range(2)]
        for i in (1, 2):
            slow[i] = sigmoid(b[i] + sum(weight[i][j] * h[j] for j in range(2)))
    found = rbm.complete(torch.tensor([row], dtype=torch.float64), known, 4)
    assert found[0].tolist() == pytest.approx(slow)


def test_words_count_by_their_shares():
    rbm = make(Visible.WORDS)
    row = torch.tensor([[2.0, 0.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(rbm.hidden(row), rbm.hidden(50 * row))
    torch.testing.assert_close(rbm.free_energy(row), rbm.free_energy(50 * row))
    drawn = rbm.reconstruct(row.expand(20, -1))
    assert drawn.sum(1).tolist() == [DRAWS] * 20
    assert torch.isfinite(rbm.free_energy(torch.zeros(1, 3, dtype=torch.float64))).all()


@given(seed=SEEDS, target=st.floats(0.01, 0.9), rows=st.integers(1, 5))
def test_the_sparsity_term_is_the_slow_one(seed, target, rows):
    torch.manual_seed(seed)
    active = torch.rand(rows, 4, dtype=torch.float64)
    slow = 0.0
    for unit in active.T.tolist():
        q = sum(unit) / rows
        slow += target * math.log(target / q) + (1 - target) * math.log((1 - target) / (1 - q))
    assert sparsity_term(active, target).item() == pytest.approx(slow, abs=1e-9)


def test_the_sparsity_term_brings_units_to_the_target():
    drive = torch.full((5, 3), 2.0, requires_grad=True)
    optimiser = torch.optim.SGD([drive], lr=1.0)
    for _ in range(200):
        optimiser.zero_grad()
        sparsity_term(drive.sigmoid(), 0.2).backward()
        optimiser.step()
    torch.testing.assert_close(drive.sigmoid().mean(0), torch.full((3,), 0.2), atol=0.01, rtol=0)


def test_a_unit_that_is_off_in_every_row_has_a_finite_sparsity():
    assert torch.isfinite(sparsity_term(torch.zeros(2, 3), 0.2))
    assert torch.isfinite(sparsity_term(torch.ones(2, 3), 0.2))
