"""Divide whole groups between train and test, every class as near to half as they allow.

The groups that a class has to itself are a subset-sum, solved exactly. Groups that several classes
share tie these classes to each other: where few hang together every assignment of them is tried,
else one is improved group by group. Among equally good divisions the seed decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fgbench.dataset.components import components
from fgbench.dataset.draw import draw

EXHAUSTIVE = 12
"""Up to this many shared groups that hang together, all their assignments are tried."""


@dataclass(frozen=True, slots=True)
class Group:
    """Items that must be on one side; ``sizes``: how many of them are of each class."""

    name: str
    sizes: Mapping[int, int]


def halve(groups: Iterable[Group], seed: int) -> set[str]:
    """The names of the groups that go to test.

    The fewest classes are one-sided; then the classes' differences between their two sides add up
    to the least. Exact up to ``EXHAUSTIVE`` shared groups that hang together, beyond that a
    division that moving no single group makes better. Depends on no order.
    """
    drawn = sorted(groups, key=lambda g: (draw(seed, "group", g.name), g.name))
    own: defaultdict[int, list[Group]] = defaultdict(list)
    shared = [group for group in drawn if len(group.sizes) > 1]
    total: Counter[int] = Counter()
    for group in drawn:
        total.update(group.sizes)
        if len(group.sizes) == 1:
            own[next(iter(group.sizes))].append(group)
    classes = {c: _Class(c, own[c], total[c], draw(seed, "odd", c) % 2 == 1) for c in total}
    chosen: list[Group] = []
    for bundle in _bundles(shared):
        few = len(bundle) <= EXHAUSTIVE
        chosen += (_best if few else _improved)(bundle, classes, seed)
    tested: Counter[int] = Counter()
    for group in chosen:
        tested.update(group.sizes)
    names = {group.name for group in chosen}
    return names.union(*(c.own_in_test(tested[label]) for label, c in classes.items()))


class _Class:
    """What can be made of a class's own groups beside a number of shared items in test."""

    def __init__(self, label: int, own: Sequence[Group], total: int, upwards: bool) -> None:
        """``total``: all items, shared ones too. ``upwards``: an odd item goes to test."""
        self._own = [(group.name, group.sizes[label]) for group in own]
        self._total, self._upwards = total, upwards
        self.odd = total % 2
        self._sums = [1]
        """Bit s of number k: the first k groups have a subset of s items."""
        for _, size in self._own:
            self._sums.append(self._sums[-1] | self._sums[-1] << size)
        self._known: dict[int, tuple[tuple[int, int], int]] = {}

    def cost(self, shared: int) -> tuple[int, int]:
        """1 if the class is one-sided at best, and the difference of its sides; the least there
        is with ``shared`` items of it in test by groups that it shares."""
        return self._solve(shared)[0]

    def own_in_test(self, shared: int) -> set[str]:
        """The groups of its own to put in test at that cost."""
        _, wanted = self._solve(shared)
        names = set()
        for k in range(len(self._own), 0, -1):
            name, size = self._own[k - 1]
            if not self._sums[k - 1] >> wanted & 1:
                names.add(name)
                wanted -= size
        return names

    def _solve(self, shared: int) -> tuple[tuple[int, int], int]:
        if shared not in self._known:
            reachable = self._sums[-1]
            options = []
            for own in range(reachable.bit_length()):
                if reachable >> own & 1:
                    test = shared + own
                    more = 2 * test - self._total
                    cost = (int(test in (0, self._total)), abs(more))
                    options.append((cost, (more > 0) != self._upwards, own))
            cost, _, own = min(options)
            self._known[shared] = cost, own
        return self._known[shared]


def _bundles(shared: Sequence[Group]) -> list[list[Group]]:
    """Shared groups by what hangs together through their classes."""
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for k, group in enumerate(shared):
        for label in group.sizes:
            holders[label].append(k)
    links = [link for held in holders.values() for link in pairwise(held)]
    bundles: defaultdict[str, list[Group]] = defaultdict(list)
    for group, name in zip(shared, components([g.name for g in shared], links), strict=True):
        bundles[name].append(group)
    return list(bundles.values())


def _best(bundle: Sequence[Group], classes: Mapping[int, _Class], seed: int) -> list[Group]:
    """The shared groups to put in test, by trying every assignment from a drawn one on."""
    labels = {label for group in bundle for label in group.sizes}
    perfect = 0, sum(classes[label].odd for label in labels)
    start = draw(seed, "bundle", *(group.name for group in bundle))
    best: tuple[tuple[int, int], list[Group]] | None = None
    for mask in range(2 ** len(bundle)):
        chosen = [group for k, group in enumerate(bundle) if (mask ^ start) >> k & 1]
        tested: Counter[int] = Counter()
        for group in chosen:
            tested.update(group.sizes)
        costs = [classes[label].cost(tested[label]) for label in labels]
        cost = sum(one for one, _ in costs), sum(two for _, two in costs)
        if best is None or cost < best[0]:
            best = cost, chosen
        if cost == perfect:
            break
    return best[1] if best else []


def _improved(bundle: Sequence[Group], classes: Mapping[int, _Class], seed: int) -> list[Group]:
    """The same from a drawn assignment, moving single groups for as long as one helps."""
    chosen = {group.name: draw(seed, "side", group.name) % 2 == 1 for group in bundle}
    tested: Counter[int] = Counter()
    for group in bundle:
        if chosen[group.name]:
            tested.update(group.sizes)
    moved = True
    while moved:
        moved = False
        for group in bundle:
            sign = -1 if chosen[group.name] else 1
            change = [0, 0]
            for label, size in group.sizes.items():
                now = classes[label].cost(tested[label])
                then = classes[label].cost(tested[label] + sign * size)
                change[0] += then[0] - now[0]
                change[1] += then[1] - now[1]
            if change < [0, 0]:
                moved = True
                chosen[group.name] = not chosen[group.name]
                for label, size in group.sizes.items():
                    tested[label] += sign * size
    return [group for group in bundle if chosen[group.name]]
