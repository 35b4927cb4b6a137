"""A server that is killed at random moments and goes on; twenty kills of it are in tests/soak."""

from __future__ import annotations

from soak.serve import Moment, soak

MOMENTS = (Moment.UPLOAD, Moment.PUBLISHING, Moment.SCORING)


def test_a_killed_server_loses_and_doubles_nothing(tmp_path):
    outcome = soak(tmp_path, MOMENTS, seed=2026)
    assert outcome.faults == ()
    assert outcome.done > 0
    assert outcome.published > 0
    assert any(under_way for _, under_way in outcome.kills)  # some were cut off
