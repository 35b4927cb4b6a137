"""Seeded draws by name."""

from __future__ import annotations

from fgbench.dataset.draw import draw


def test_a_draw_is_the_same_in_every_release() -> None:
    # Splits of released data hang on it. Value from: printf '0\x1fitem\x1ftext/1' | b2sum -l 64
    assert draw(0, "item", "text/1") == 4805644730290699945


def test_names_and_seed_all_count() -> None:
    drawn = [draw(s, *names) for s in (0, 1) for names in (("a", "b"), ("ab",), ("b", "a"), (1,))]
    assert len(set(drawn)) == len(drawn)


def test_draws_are_uniform() -> None:
    # 4,000 fair coins: 2,000 heads give or take 5 standard deviations (158).
    for bit in (0, 31, 63):
        assert abs(sum(draw(7, "x", n) >> bit & 1 for n in range(4000)) - 2000) < 158
