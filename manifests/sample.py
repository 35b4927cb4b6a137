"""Makes sample_submission.npz: a synthetic submission, to try the scorer with.

No model made it. Every class gets a place that it shares in part with its genus, family and order,
and every item of the class lies around that place, closer in some media than in others, so that
the sixteen scores differ and confusions stay in the family more often than not.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fgbench.protocol import Medium

SEED = 2019
DIMENSION = 14
RANKS = {"order": 0.5, "family": 0.6, "genus": 0.5, "cub_id": 0.9}
"""How far a class moves from the origin with its order, its family, its genus and alone."""

NOISE = {Medium.IMAGE: 0.7, Medium.TEXT: 1.9, Medium.VIDEO: 0.9, Medium.AUDIO: 1.25}
"""Standard deviation of an item around its class, in each of the dimensions."""

META = {
    "method": "sample (synthetic)",
    "authors": "none: the test labels and noise (fgbench.manifests.sample)",
    "dimension": DIMENSION,
    "extra_data": "the test labels themselves; no method made this",
}


def build_sample(
    tables: Mapping[Medium, pa.Table], species: pa.Table
) -> dict[str, NDArray[np.generic]]:
    """The members of the submission by name: embeddings and ids of all test items, and meta."""
    # RandomState, unlike Generator, promises the same numbers in every version of NumPy.
    random = np.random.RandomState(SEED)
    places = np.zeros((species.num_rows, DIMENSION))
    for rank, spread in RANKS.items():
        values = species[rank].to_numpy(zero_copy_only=False)
        groups = np.unique(values, return_inverse=True)[1]
        places += spread * random.standard_normal((groups.max() + 1, DIMENSION))[groups]
    members: dict[str, NDArray[np.generic]] = {}
    for medium, table in tables.items():
        test = table.filter(pa.array(np.asarray(table["split"]) == "test"))
        labels = test["label"].to_numpy()
        noise = NOISE[medium] * random.standard_normal((len(labels), DIMENSION))
        members[medium.value] = (places[labels] + noise).astype(np.float16)
        members[f"{medium}_ids"] = np.asarray(test["item_id"].to_pylist(), dtype=np.str_)
    members["meta"] = np.asarray(json.dumps(META))
    return members


def write_sample(members: Mapping[str, NDArray[np.generic]], path: Path) -> None:
    """Write the members as a compressed .npz whose bytes depend on nothing else."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in members.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
