"""What comes before a reversal learns against what comes after it."""

import math

import pytest
import torch

from fgbench.train.adversary import reversal_strength, reverse_gradient


@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
def test_values_pass_and_gradients_turn(strength):
    x = torch.tensor([[1.0, -2.0]], requires_grad=True)
    passed = reverse_gradient(x, strength)
    assert torch.equal(passed, x)
    (passed * torch.tensor([[3.0, 5.0]])).sum().backward()
    torch.testing.assert_close(x.grad, -strength * torch.tensor([[3.0, 5.0]]))


def test_strength_grows_from_nothing_to_almost_one():
    assert reversal_strength(0.0) == 0.0
    assert reversal_strength(0.5) == pytest.approx(math.tanh(2.5))
    assert reversal_strength(1.0) == pytest.approx(math.tanh(5))


def separability(reverse):
    """Two domains, apart by 3 in the first of two features, through a learned map.

    Afterwards a fresh classifier is trained on the frozen map: how well it tells them apart.
    """
    torch.manual_seed(0)
    x = torch.randn(400, 2)
    y = (torch.arange(400) % 2).float()
    x[:, 0] += 3 * y
    embed, classifier = torch.nn.Linear(2, 1), torch.nn.Linear(1, 1)
    optimiser = torch.optim.SGD([*embed.parameters(), *classifier.parameters()], lr=0.1)
    tell = torch.nn.functional.binary_cross_entropy_with_logits
    for _ in range(300):
        optimiser.zero_grad()
        hidden = embed(x)
        hidden = hidden / hidden.std()
        hidden = reverse_gradient(hidden, 1.0) if reverse else hidden
        tell(classifier(hidden)[:, 0], y).backward()
        optimiser.step()
    hidden = embed(x).detach()[:, 0]
    # The best threshold of a single number, either way round.
    order = y[hidden.argsort()]
    zeros_below = (1 - order).cumsum(0)
    ones_above = order.sum() - order.cumsum(0)
    right = (zeros_below + ones_above) / 400
    return max(right.max(), 1 - right.min()).item()


def test_a_domain_classifier_is_helped_without_reversal_and_hindered_with_it():
    assert separability(reverse=False) > 0.9
    assert separability(reverse=True) < 0.65
