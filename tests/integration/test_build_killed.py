"""Builds that are killed at random moments and go on; twenty rounds of it are in tests/soak."""

from __future__ import annotations

from soak.kill import rounds


def test_a_killed_build_goes_on_as_if_nothing_had_happened(tmp_path):
    done = list(rounds(tmp_path, number=3, seed=2019))
    assert [one.asked_again for one in done] == [frozenset()] * 3
    assert [one.differing for one in done] == [()] * 3
    assert any(one.answered and one.answered[0] > 0 for one in done)  # killed amid the crawl
