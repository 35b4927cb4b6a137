"""Agreement with trec_eval where there are no ties, over many random lists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.scoring.ap import expected_ap

pytrec_eval = pytest.importorskip("pytrec_eval")


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(0.01, 0.9))
@settings(deadline=None, max_examples=200)
def test_ap_equals_trec_evals_map(seed, size, share):
    rng = np.random.default_rng(seed)
    scores = rng.permutation(size).astype(float)
    relevant = rng.random(size) < share
    relevant[rng.integers(size)] = True
    judged = {"q": {str(i): int(r) for i, r in enumerate(relevant)}}
    ranked = {"q": {str(i): float(s) for i, s in enumerate(scores)}}
    theirs = pytrec_eval.RelevanceEvaluator(judged, {"map"}).evaluate(ranked)["q"]["map"]
    assert expected_ap(scores, relevant) == pytest.approx(theirs, abs=1e-12)
