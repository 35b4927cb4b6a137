"""An offline world of miniature sites, for ``--sample``, the demo and the tests."""

from fgbench.collect.sample.belongings import as_drawn, bring, drawn, sample_copies
from fgbench.collect.sample.faults import FaultKind, SiteFault
from fgbench.collect.sample.server import Asked
from fgbench.collect.sample.world import CUB_IDS, SampleWorld, sample_world

__all__ = [
    "CUB_IDS",
    "Asked",
    "FaultKind",
    "SampleWorld",
    "SiteFault",
    "as_drawn",
    "bring",
    "drawn",
    "sample_copies",
    "sample_world",
]
