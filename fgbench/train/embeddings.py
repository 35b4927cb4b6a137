"""The embeddings of the test items by one model, kept in a file until all models have theirs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import Medium

_ABOUT = "about"


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """``rows`` [n, d] of a medium, in the order of the test items; ``facts`` of the model."""

    rows: Mapping[Medium, NDArray[np.float32]]
    facts: Mapping[str, Any]

    def write(self, path: Path, identity: Mapping[str, Any]) -> None:
        """Write the file, whole or not at all."""
        draft = path.with_name(f".{path.stem}.draft.npz")
        about = json.dumps({"identity": identity, "facts": dict(self.facts)})
        arrays: dict[str, Any] = {medium.value: rows for medium, rows in self.rows.items()}
        np.savez(draft, **arrays | {_ABOUT: np.array(about)})
        draft.replace(path)

    @classmethod
    def read(cls, path: Path, identity: Mapping[str, Any]) -> Embeddings | None:
        """Those of the model of that identity; None where there are none, or another's."""
        try:
            with np.load(path, allow_pickle=False) as found:
                about = json.loads(str(found[_ABOUT]))
                rows = {Medium(name): found[name] for name in found.files if name != _ABOUT}
        except (OSError, KeyError, ValueError, zipfile.BadZipFile):
            return None  # they are made again
        return cls(rows, about["facts"]) if about["identity"] == identity else None
