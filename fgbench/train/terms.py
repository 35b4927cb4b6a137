"""Terms that several methods lower: centre, triplet, ranking, contrastive, hinges, over rows.

Distances are Euclidean, taken in float32 at least, and have a gradient of 0 where two rows agree.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def centre_term(features: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """The mean of ‖x − c‖² over rows [n, d], c the row of ``centres`` [K, d] of x's class.

    FGCrossNet's center constraint (equation 3) is half the sum: n/2 times as much.
    """
    return paired_distances(features, centres[labels]).square().mean()


class Centres(nn.Module):
    """A learned centre for each class, which all media share; drawn from N(0, 1).

    FGCrossNet's release learns them so. Their gradient is that of the term as it is weighted.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.randn(classes, width))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """The centre term of a batch."""
        return centre_term(features, labels, self.points)


def batch_centres(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The means [K, d] of a batch's rows, class by class, whatever their media; else zeros.

    FGCrossNet's paper, section 3.3.2: calculated by the features of all the media in a batch. The
    gradient passes through them.
    """
    member = torch.nn.functional.one_hot(labels, classes).to(_wide(features).dtype)
    sums = member.T @ _wide(features)
    return sums / member.sum(0).clamp(min=1)[:, None]


def triplet_term(anchors: Tensor, positives: Tensor, negatives: Tensor, margin: float) -> Tensor:
    """The mean of max(0, margin + d²(a, p) − d²(a, n)) over rows [n, d]."""
    near = paired_distances(anchors, positives).square()
    far = paired_distances(anchors, negatives).square()
    return (margin + near - far).relu().mean()


def ranking_term(
    x_i: Tensor, x_j: Tensor, x_k: Tensor, x_l: Tensor, margins: tuple[float, float] = (1.0, 0.5)
) -> Tensor:
    """FGCrossNet's ranking constraint (equation 4) as a mean over quadruplets, rows [n, d] each.

    i and j are of one class, k and l of two others: the hinges of d²(i, j) − d²(i, k) and of
    d²(i, j) − d²(l, k), each with its margin. The paper prints the sum: n times as much.
    """
    near = paired_distances(x_i, x_j).square()
    first = (margins[0] + near - paired_distances(x_i, x_k).square()).relu()
    second = (margins[1] + near - paired_distances(x_l, x_k).square()).relu()
    return (first + second).mean()


def batch_ranking_term(
    features: Tensor, labels: Tensor, margins: tuple[float, float] = (1.0, 0.5)
) -> Tensor:
    """FGCrossNet's ranking as released: one hinge over every quadruplet of a batch, d unsquared.

    [d(i, j) − d(i, k) + m₁ + d(i, j) − d(k, l) + m₂]₊ over all ordered i ≠ j of one class and k, l
    of two others, whatever their media: the mean of those above 0, and 0 where none is. It holds
    n⁴ numbers: 65,536 at the release's 16 rows.
    """
    d = distances(features, features)
    same = labels[:, None] == labels[None, :]
    pair = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    valid = (
        pair[:, :, None, None]
        & ~same[:, None, :, None]
        & ~same[:, None, None, :]
        & ~same[None, None, :, :]
    )
    gap = 2 * d[:, :, None, None] - d[:, None, :, None] - d[None, None, :, :] + sum(margins)
    active = gap[valid].relu()
    return active.sum() / (active > 0).sum().clamp(min=1)


def contrastive_term(a: Tensor, b: Tensor, same: Tensor, margin: float = 1.0) -> Tensor:
    """Over all pairs of rows [n, d] and [m, d]: d² where ``same`` [n, m], else max(0, margin − d)².

    Half the sum by the number of rows of ``a``, as the layer that CCL was released with prints it;
    that layer's gradient is twice this term's.
    """
    gap = distances(a, b)
    term = torch.where(same, gap.square(), (margin - gap).relu().square())
    return term.sum() / (2 * len(a))


def hardest_hinges(
    scores: Tensor, labels: Tensor, margin: float, *, mask_same_class: bool = True
) -> Tensor:
    """Σ max(0, margin + s(i, j) − s(i, i)) with the hardest j of each row, and of each column.

    ``scores`` [n, n]: between rows that are paired in their order, whose classes are ``labels``
    [n]. ``mask_same_class``: others of its class are no negatives; SCAN's release knows instances
    alone, of which every other is one. A row without any negative adds 0.
    """
    rows, columns = _hinges(scores, labels, margin, mask_same_class)
    return rows.max(1).values.sum() + columns.max(0).values.sum()


def all_hinges(
    scores: Tensor, labels: Tensor, margin: float, *, mask_same_class: bool = True
) -> Tensor:
    """As :func:`hardest_hinges`, with every j of each row and column: the sum by n."""
    rows, columns = _hinges(scores, labels, margin, mask_same_class)
    return (rows + columns).sum() / len(labels)


def _hinges(
    scores: Tensor, labels: Tensor, margin: float, mask_same_class: bool
) -> tuple[Tensor, Tensor]:
    """Each hinge [n, n] against its row's own pair, and against its column's; 0 of no negative."""
    wrong = labels[:, None] != labels[None, :]
    if not mask_same_class:
        wrong = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    own = scores.diagonal()
    rows = (margin + scores - own[:, None]).relu().masked_fill(~wrong, 0)
    columns = (margin + scores - own[None, :]).relu().masked_fill(~wrong, 0)
    return rows, columns


def draw_others(labels: Tensor) -> tuple[Tensor, Tensor]:
    """A row of another class for each row of ``labels`` [n], each as likely, by torch's generator.

    Rows that have one, and which it is: empty where all are of one class.
    """
    wrong = labels[:, None] != labels[None, :]
    rows = torch.nonzero(wrong.any(1)).flatten()
    if not len(rows):
        return rows, rows
    return rows, torch.multinomial(wrong[rows].float(), 1).flatten()


def paired_distances(a: Tensor, b: Tensor) -> Tensor:
    """The distances [n] between rows of the same place."""
    norms: Tensor = torch.linalg.vector_norm(_wide(a) - _wide(b), dim=1)
    return norms


def distances(a: Tensor, b: Tensor) -> Tensor:
    """The distances [n, m] between all rows of ``a`` and all of ``b``.

    From differences: products of rows lose what is small beside their norms.
    """
    return torch.cdist(_wide(a), _wide(b), compute_mode="donot_use_mm_for_euclid_dist")


def _wide(rows: Tensor) -> Tensor:
    return rows.to(torch.promote_types(rows.dtype, torch.float32))
